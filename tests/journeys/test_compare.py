"""Compare two maps by mouse and key: the line, the difference, blinking."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NFW = {"source": "simulated", "kind": "nfw", "outline": "none", "depth": 30, "sampler": "wiener"}
FEW = {"n": 2, "batch": 2, "pictures": '["ks","mean"]'}


def test_swipe_difference_and_blink(tab: Any, address: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    tab.open(f"{address}?{urlencode({**NFW, **FEW, 'seed': 5})}")
    tab.press("Start").wait('[data-state="finished"]')
    # Nobody chose a second sampler: no empty cards.
    assert not tab.page.locator("#massgan-race").is_visible()

    tab.press("Swipe")
    frame = tab.page.locator(".frame")
    tab.page.wait_for_selector('.frame[data-shown="swipe"]')
    line = tab.page.get_by_role("slider", name="Line between map A and map B")
    line.scroll_into_view_if_needed()
    # The blink's buttons are for blinking.
    assert not tab.page.get_by_role("button", name="Show the other").is_visible()
    box, handle = frame.bounding_box(), line.bounding_box()
    tab.page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 100, steps=3)
    tab.page.mouse.up()
    assert line.get_attribute("aria-valuenow") == "30"
    tab.page.wait_for_url("**curtain=0.3**")
    # The line lies where one picture ends and the other begins.
    cuts = tab.page.evaluate("""() => {
      const found = {}
      const walk = root => root.querySelectorAll("*").forEach(node => {
        for (const name of ["mg-first", "mg-second"])
          if (node.classList.contains(name)) found[name] = getComputedStyle(node).clipPath
        if (node.shadowRoot) walk(node.shadowRoot)
      })
      walk(document)
      return found
    }""")
    assert set(cuts) == {"mg-first", "mg-second"}
    assert all(cut.startswith("inset(") for cut in cuts.values())

    tab.press("Difference")
    tab.page.wait_for_selector('.frame[data-shown="difference"]')
    first, second, less = (
        tab.image(f"compare-{name}") for name in ("first", "second", "difference")
    )
    np.testing.assert_allclose(less, first - second, atol=1e-6)
    assert np.abs(less).max() > 0

    tab.page.locator("body").press("b")  # less motion was asked for: it begins at rest
    tab.page.wait_for_selector('.frame[data-shown="first"]')
    tab.press("Show the other")
    tab.page.wait_for_selector('.frame[data-shown="second"]')
    tab.page.locator("body").press("b")
    for name in ("first", "second"):
        tab.page.wait_for_selector(f'.frame[data-shown="{name}"]')
    assert tab.errors == []
