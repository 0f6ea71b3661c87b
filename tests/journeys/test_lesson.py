"""A lesson in the browser: a wrong and a right prediction, a deep link, reset, the projector."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LESSON = """
title = "Small"

[[step]]
title = "A place"
text = "<script>window.hacked = 1</script> **Bold**"
state = { source = "simulated", kind = "nfw", outline = "none", depth = 100.0, pictures = ["ks"] }
question = "Where?"
kind = "place"
answer = { highest = "truth", within = 3 }
reveal = "There."
reveal_state = { pictures = ["ks", "truth"] }

[[step]]
title = "A choice"
text = "Words."
state = { source = "simulated", kind = "nfw", outline = "none", depth = 100.0, pictures = ["ks"] }
question = "Which?"
kind = "choice"
choices = ["this", "that"]
answer = 2
reveal = "That."

[[step]]
title = "A number"
text = "Words."
state = { source = "cosmos", region = [150.1, 2.25, 20.0, 20.0], sampler = "wiener", n = 2 }
question = "How many?"
kind = "number"
answer = [2, 2]
reveal = "Two."
reveal_start = true
"""

_AT = """([x, y]) => {
  const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name("ks"))
  const box = view.el.getBoundingClientRect(), frame = view.frame
  return [box.x + frame.x_scale.compute(x), box.y + frame.y_scale.compute(y)]
}"""


def _click(tab: Any, x: float, y: float) -> None:
    """Click the Kaiser–Squires map at offsets [arcmin]."""
    tab.page.mouse.click(*tab.page.evaluate(_AT, [x, y]))
    show = 'button:has-text("Show what happens"):not([disabled])'
    tab.page.wait_for_selector(show, timeout=tab.patience)


def _step(tab: Any, number: int) -> None:
    tab.page.wait_for_selector(f'#massgan-lesson[data-step="{number}"]', timeout=tab.patience)
    tab.wait('[data-state="idle"]')


def _verdict(tab: Any, near: str) -> None:
    tab.press("Show what happens")
    tab.page.wait_for_selector(f'#massgan-verdict[data-near="{near}"]', timeout=tab.patience)


def test_a_lesson_from_a_file(
    new_tab: Callable[[], Any], serve: Callable[..., str], tmp_path: Any
) -> None:
    path = tmp_path / "small.toml"
    path.write_text(LESSON)
    command = ("-m", "explorer", "--port", "0", "--no-show", "--lesson", str(path), "--class")
    address = serve(*command)
    tab = new_tab().open(address)
    _step(tab, 1)
    page = tab.page
    page.wait_for_function(
        "() => (Bokeh.documents[0].get_model_by_name('map-ks')?.data.image[0] ?? null) !== null",
        timeout=tab.patience,
    )
    assert page.evaluate("window.hacked") is None and page.locator("text=<script>").count() == 1
    assert page.get_by_role("button", name="Show what happens").is_disabled()
    assert page.get_by_role("button", name="My file").count() == 0

    _click(tab, -30.0, -30.0)
    _verdict(tab, "far")
    x, y = page.evaluate(
        "() => { const d = Bokeh.documents[0].get_model_by_name('answer').data;"
        " return [d.x[0], d.y[0]] }"
    )
    tab.press("Reset step")
    page.wait_for_selector("#massgan-verdict", state="hidden", timeout=tab.patience)
    _click(tab, x + 0.5, y)
    _verdict(tab, "near")

    tab.press("Next")
    _step(tab, 2)
    page.wait_for_url("**step=2**", timeout=tab.patience)
    page.get_by_label("this", exact=True).check()
    _verdict(tab, "far")

    # A deep link, with larger type and nothing else at the side.
    other = new_tab().open(f"{address}?lesson=small&step=3&projector=true")
    _step(other, 3)
    assert other.page.get_by_role("button", name="Start", exact=True).count() == 0
    answer = other.page.get_by_label("Your prediction", exact=True)
    answer.fill("2")
    answer.press("Enter")
    enabled = 'button:has-text("Show what happens"):not([disabled])'
    other.page.wait_for_selector(enabled, timeout=other.patience)
    _verdict(other, "near")
    other.wait('[data-state="finished"][data-n="2"]')
    other.press("Desk")
    other.page.get_by_role("button", name="Start again").wait_for(timeout=other.patience)
    other.press("Leave lesson")
    other.page.get_by_role("button", name="Lesson", exact=True).wait_for(timeout=other.patience)
    assert tab.errors == [] and other.errors == []
