"""Open the checks after a small run: every figure has data, and nothing goes wrong."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest

import massgan_core as mg
from explorer.diagnostics import diagnose
from explorer.views.findings import CHECKS, SECTION

pytestmark = pytest.mark.browser

NFW = {"source": "simulated", "kind": "nfw", "outline": "none", "depth": 30}
#: A figure, one of its layers, and a column that must hold what the library says.
LAYERS = [
    ("growth", "gain", "y", lambda d: d.growth.gain),
    ("spectrum", "truth", "y", lambda d: d.spectrum.truth),
    ("values", "samples", "high", lambda d: d.values.samples.high),
    ("ranks", "share", "y", lambda d: d.ranks.share),
    ("coverage", "covered", "y", lambda d: d.ranks.covered),
    ("shear", "share", "y", lambda d: d.shear.share),
]


def test_checks_of_a_small_run(tab: Any, address: str) -> None:
    choices = {**NFW, "sampler": "wiener", "n": 16, "batch": 8, "seed": 5}
    tab.page.set_default_timeout(tab.patience)
    tab.open(f"{address}?{urlencode(choices)}")
    tab.press("Start").wait('[data-state="finished"]')
    assert tab.page.get_by_text(SECTION).is_visible()
    tab.press("Show checks")
    tab.page.wait_for_selector('#massgan-checks[data-state="current"]')
    assert "checks=true" in tab.page.url

    field = mg.simulated("nfw", depth=30.0, mask="none")
    *_, summary = mg.stream(mg.sampler("wiener", field), field, 16, 8, seed=5)
    found = diagnose(summary)
    for name, layer, column, expected in LAYERS:
        # Drawn, seen, and with a name for those who do not see it.
        picture = tab.page.locator(f'[role="img"][aria-label^="{CHECKS[name][0]}"]')
        picture.wait_for()
        shown = tab.page.evaluate(
            """([source, column]) =>
              [...Bokeh.documents[0].get_model_by_name(source).data[column]]""",
            [f"check-{name}-{layer}", column],
        )
        there = np.asarray(expected(found)) > 0
        np.testing.assert_allclose(
            np.asarray(shown, float)[there], np.asarray(expected(found))[there], rtol=1e-6
        )
    mark = tab.page.locator(".what").nth(2)
    mark.hover()
    mark.locator(".tip").wait_for(state="visible")

    tab.press("Hide checks")
    tab.page.locator(f'[role="img"][aria-label^="{CHECKS["ranks"][0]}"]').wait_for(state="hidden")
    hosts = {urlsplit(url).netloc for url in tab.requests if urlsplit(url).netloc}
    assert hosts == {urlsplit(address).netloc}
    assert tab.errors == []
