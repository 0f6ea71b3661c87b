"""One's own catalogue: drop it, say what its columns are, open it, sample it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

import massgan_core as mg

pytestmark = pytest.mark.browser


@pytest.fixture
def mine(tmp_path: Path, np_rng: np.random.Generator) -> Path:
    """2000 galaxies about (150.1, 2.2) whose shapes have names of their own; two have none."""
    place = np_rng.uniform(-0.05, 0.05, (2000, 2)) + (150.1, 2.2)
    shapes = np_rng.normal(0, 0.3, (2000, 2))
    shapes[:2, 0] = np.nan
    path = tmp_path / "my galaxies.csv"
    header = "ALPHA_J2000,DELTA_J2000,left,right"
    rows = np.c_[place, shapes]
    np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.8g")
    return path


def drop(tab: Any, file: Path | dict[str, Any]) -> None:
    tab.page.locator("input.filepond--browser").set_input_files(file)


def sentence(tab: Any) -> str:
    return tab.page.locator(".mg-sidebar .alert").inner_text(timeout=tab.patience)


def said(tab: Any, words: str) -> bool:
    """Whether the words stand anywhere on the page, in its shadow trees too."""
    return tab.page.get_by_text(words).count() > 0


def open_page(tab: Any, address: str) -> None:
    query = "source=file&sampler=wiener&n=3&batch=4&seed=5"
    tab.page.goto(f"{address}?{query}", timeout=tab.patience)
    tab.wait('[data-state="empty"]')


def test_from_a_file_to_samples(tab: Any, address: str, mine: Path) -> None:
    open_page(tab, address)
    drop(tab, mine)
    assert sentence(tab) == "Choose the column of e1 and e2."
    tab.page.get_by_text("2,000 rows, 4 columns").wait_for(timeout=tab.patience)
    for key, column in (("e1", "left"), ("e2", "right")):
        tab.page.get_by_label(key, exact=True).select_option(column)
    plan = tab.page.locator("#massgan-plan")
    words = plan.inner_text(timeout=tab.patience)
    columns = {"ra": "ALPHA_J2000", "dec": "DELTA_J2000", "e1": "left", "e2": "right"}
    with pytest.warns(UserWarning, match="left out 2 of 2000"):
        field = mg.open_field(mine, columns={**columns, "weight": "", "z": ""})
    height, width = field.grid.shape
    assert f"1,998 galaxies → {width} × {height} pixels of 0.29′" in words
    assert "Left out 2 of 2000 rows" in words
    assert mg.orientation_check(field).sentence in words

    tab.press("Open it").wait('[data-state="idle"]')
    tab.press("Start").wait('[data-state="finished"]')
    (summary,) = mg.stream(mg.sampler("wiener", field), field, 3, 4, seed=5)
    np.testing.assert_array_equal(tab.image("mean"), summary.mean.numpy())
    # Neither the link nor the page says where anything lies; nothing came from elsewhere.
    assert "my%20galaxies" not in tab.page.url and "upload" not in tab.page.url
    assert said(tab, "my galaxies.csv")
    assert not said(tab, "/tmp") and not said(tab, "upload-")
    hosts = {urlsplit(url).netloc for url in tab.requests if urlsplit(url).netloc}
    assert hosts == {urlsplit(address).netloc}
    assert tab.errors == []


@pytest.mark.slow
def test_a_wrong_file_is_a_sentence_and_another_tab_sees_nothing_of_it(
    new_tab: Callable[[], Any], address: str, small_field: mg.ShearField, tmp_path: Path
) -> None:
    one, two = new_tab(), new_tab()
    for tab in (one, two):
        open_page(tab, address)
    content = b"PK\x03\x04" + bytes(3_000_000)  # two parts
    drop(one, {"name": "../x.zip", "mimeType": "application/zip", "buffer": content})
    assert sentence(one) == "x.zip is a zip archive; unpack it and drop the file that is in it."
    mg.write_shear_fits(small_field, tmp_path / "deep.fits")
    drop(two, tmp_path / "deep.fits")
    words = two.page.locator("#massgan-plan").inner_text(timeout=two.patience)
    assert "A shear field of 33 × 24 pixels of 1′" in words
    assert said(one, "x.zip") and not said(two, "x.zip")
    assert said(two, "deep.fits") and not said(one, "deep.fits")
    two.press("Open it").wait('[data-state="idle"]')
    assert one.status()["state"] == "empty"
    # The page where it went wrong works on.
    one.press("Simulated").wait('[data-state="idle"]')


@pytest.mark.slow
def test_a_file_too_large_never_leaves_the_browser(tab: Any, address: str, tmp_path: Path) -> None:
    open_page(tab, address)
    large = tmp_path / "large.fits"
    with open(large, "wb") as file:
        file.truncate(300_000_000)  # takes no room on disk
    drop(tab, large)
    tab.page.get_by_text("Maximum file size is 100 MB", exact=True).wait_for(timeout=tab.patience)
    assert tab.errors == []
