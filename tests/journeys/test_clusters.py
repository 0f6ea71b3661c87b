"""Open the tables of clusters and peaks after a small run, and choose a cluster by its row."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PART = {"version": 1, "region": "[150.1,2.25,30,30]", "sampler": "wiener", "n": 4}


def test_a_row_of_the_table_chooses_the_cluster(tab: Any, address: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    tab.open(f"{address}?{urlencode(PART)}")
    tab.press("Start").wait('[data-state="finished"]')
    section = tab.page.locator(".mg-card", has=tab.page.locator("#massgan-lists"))
    section.get_by_role("button", name="Show tables", exact=True).click()
    tab.page.wait_for_selector('#massgan-lists[data-state="current"]')
    assert "tables=true" in tab.page.url

    # Name, z, M500, r500, then what the samples say: drawn, not only sent.
    row = tab.page.locator(".slick-row").nth(1)
    row.locator(".slick-cell").nth(7).filter(has_text="%").wait_for()
    name = row.locator(".slick-cell").first.inner_text()
    row.click()
    tab.page.wait_for_function("location.search.includes('cluster=')")
    assert f"cluster=COSMOS+X-ray+cluster+{name}&" in f"{tab.page.url}&"
    tab.page.get_by_text("Mean κ within r500").wait_for()

    hosts = {urlsplit(url).netloc for url in tab.requests if urlsplit(url).netloc}
    assert hosts == {urlsplit(address).netloc}
    assert tab.errors == []
