"""Limits dragged on a colour bar: the picture follows in the browser, then all else does."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest

pytestmark = pytest.mark.browser

PART = {"region": "[150.1,2.25,20,20]", "sampler": "wiener", "batch": 1}

# Colours of a map as the browser has them, and what its canvas shows.
_READ = """name => {
  const document = Bokeh.documents[0], plot = document.get_model_by_name(name)
  const source = document.get_model_by_name(`map-${name}`)
  const mapper = plot.renderers.find(one => one.data_source === source).glyph.color_mapper
  const { low, high, palette } = mapper
  const canvas = Bokeh.index.find_one(plot).canvas_view.primary.canvas
  return { limits: [low, high], palette, drawn: canvas.toDataURL() }
}"""


class Bar:
    """The colour bar of one map, under the mouse."""

    def __init__(self, tab: Any, name: str) -> None:
        self.tab, self.name, self.mouse = tab, name, tab.page.mouse
        self.at = tab.page.locator(f'.bar[data-map="{name}"]')
        self.at.scroll_into_view_if_needed()

    def point(self, share: float) -> tuple[float, float]:
        """A place on the ramp, share of its width from the left."""
        box = self.at.locator("i").bounding_box()
        return box["x"] + share * box["width"], box["y"] + box["height"] / 2

    def take(self, start: float, end: float) -> Bar:
        """Press at one place and move to another."""
        self.mouse.move(*self.point(start))
        self.mouse.down()
        self.mouse.move(*self.point(end), steps=8)
        return self

    def drop(self) -> None:
        self.mouse.up()

    def read(self) -> dict[str, Any]:
        return self.tab.page.evaluate(_READ, self.name)

    def until(self, low: float, high: float) -> dict[str, Any]:
        """Wait until the colours end there."""
        self.tab.page.wait_for_function(
            f"""name => {{
              const close = (a, b) => Math.abs(a - b) < 2e-3
              const {{ limits: [low, high] }} = ({_READ})(name)
              return close(low, {low}) && close(high, {high})
            }}""",
            arg=self.name,
            timeout=self.tab.patience,
        )
        return self.read()


def _query(tab: Any) -> dict[str, str]:
    return {name: last for name, (*_, last) in parse_qs(urlsplit(tab.page.url).query).items()}


def _until_link(tab: Any, holds: str) -> dict[str, str]:
    tab.page.wait_for_function(f"() => {{ const s = location.search; return {holds} }}")
    return _query(tab)


def _almost(one: list[str], other: list[str]) -> bool:
    """Whether two palettes are the same, to a shade where a half was rounded the other way."""
    bytes_of = [np.array([list(bytes.fromhex(c[1:])) for c in p], int) for p in (one, other)]
    return len(one) == len(other) and np.abs(bytes_of[0] - bytes_of[1]).max() <= 8


@pytest.mark.parametrize("stretch", ["linear", pytest.param("asinh", marks=pytest.mark.slow)])
def test_an_end_is_dragged(tab: Any, address: str, stretch: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    chosen = {**PART, "n": 2, "stretch": stretch, "pictures": '["ks","mean","std"]'}
    tab.open(f"{address}?{urlencode(chosen)}")
    tab.press("Start").wait('[data-state="finished"]')
    bar, other = Bar(tab, "mean"), Bar(tab, "ks")
    cursors = bar.at.locator("b").evaluate_all("all => all.map(b => getComputedStyle(b).cursor)")
    assert cursors == ["ew-resize", "grab", "ew-resize"]
    before, elsewhere = bar.read(), other.read()

    bar.take(0.02, 0.27)
    held = bar.until(-0.05, 0.1)
    assert held["palette"] != before["palette"] and held["drawn"] != before["drawn"]
    assert bar.at.locator("span").first.inner_text().startswith("−0.05")
    assert "span" not in _query(tab) and other.read() == elsewhere  # nobody else knows yet

    bar.drop()
    query = _until_link(tab, 's.includes("typed")')
    low = float(query["low"])
    assert low == pytest.approx(-0.05, abs=2e-3) and "high" not in query
    kept = bar.until(low, 0.1)
    assert _almost(kept["palette"], held["palette"])  # what the drag showed is what stays
    tab.page.wait_for_function(  # … to the shade, once the server has spoken
        f"([a, b]) => String(({_READ})(a).palette) == String(({_READ})(b).palette)",
        arg=[bar.name, other.name],
    )
    assert other.read()["limits"] == [low, 0.1]

    tab.page.keyboard.press("z")
    _until_link(tab, '!s.includes("typed")')
    assert bar.until(-0.1, 0.1)["palette"] == before["palette"]
    assert tab.errors == []


def test_the_middle_moves_both_and_two_clicks_bring_them_back(tab: Any, address: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    tab.open(f"{address}?{urlencode({**PART, 'n': 2, 'pictures': json.dumps(['ks', 'std'])})}")
    bar = Bar(tab, "ks")
    bar.take(0.5, 0.6)
    bar.until(-0.08, 0.12)
    tab.page.keyboard.press("Escape")  # not after all
    bar.until(-0.1, 0.1)
    bar.drop()
    bar.take(0.5, 0.6).drop()
    query = _until_link(tab, 's.includes("typed")')
    low, high = float(query["low"]), float(query["high"])
    assert high - low == pytest.approx(0.2) and low == pytest.approx(-0.08, abs=2e-3)
    bar.until(low, high)
    tab.page.mouse.dblclick(*bar.point(0.5))
    _until_link(tab, '!s.includes("typed")')
    bar.until(-0.1, 0.1)

    # The uncertainty shares its limits with nobody.
    tab.press("Start").wait('[data-state="finished"]')
    spread = Bar(tab, "std")
    first, last = spread.read()["limits"]
    spread.take(0.98, 0.48)
    spread.drop()
    _until_link(tab, 's.includes("own_limits")')
    low, high = json.loads(_query(tab)["own_limits"])["std"]
    assert low == first and high == pytest.approx((first + last) / 2, rel=0.05)
    spread.until(low, high)
    assert bar.read()["limits"] == [-0.1, 0.1]
    assert tab.errors == []


@pytest.mark.slow
def test_a_bar_is_dragged_while_samples_come(tab: Any, address: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    chosen = {**PART, "n": 4000, "pictures": json.dumps(["mean", "std"])}
    tab.open(f"{address}?{urlencode(chosen)}")
    tab.press("Start").wait('[data-state="running"]:not([data-n="0"]):not([data-n="1"])')
    bar = Bar(tab, "mean")
    before = bar.read()
    assert before["limits"] == [1, 255]  # levels
    bar.take(0.98, 0.48)
    n = tab.n()
    tab.wait(f'[data-state="running"]:not([data-n="{n}"]):not([data-n="{n + 1}"])')
    assert bar.read()["palette"] != before["palette"]
    bar.drop()
    high = float(_until_link(tab, 's.includes("typed")')["high"])
    assert high == pytest.approx(0, abs=3e-3)
    tab.press("Stop").wait('[data-state="stopped"]')
    kept = bar.until(-0.1, high)
    tab.page.mouse.dblclick(*bar.point(0.5))
    assert bar.until(-0.1, 0.1)["palette"] == before["palette"] != kept["palette"]
    assert tab.errors == []
