"""A, B and A − B in one place: each takes its arrays, and each hover knows all three."""

from __future__ import annotations

import numpy as np
from bokeh.models import HoverTool

from explorer.elements.colors import palette
from explorer.elements.compare_map import NAMES, CompareMap
from explorer.elements.sky import Sky
from massgan_core.sky import Grid

GRID = Grid((6, 7), 0.5)


def test_pictures_and_notes_arrive(np_rng: np.random.Generator) -> None:
    made, image = CompareMap(Sky()), np_rng.normal(size=(6, 7)).astype(np.float32)
    colors = palette("kappa", "diverging", "light")
    made.paint("light", dict.fromkeys(NAMES, colors), clusters=True)
    made.send("first", GRID, image, (-1, 1), exact=True)
    made.send("second", GRID, None, (0, 1), exact=True, note="Not yet")
    np.testing.assert_array_equal(made.maps["first"].source.data["image"][0], image)
    assert made.maps["second"].note == "Not yet" and made.maps["first"].note == ""


def test_all_move_with_the_sky_and_hover_over_one_tells_of_three() -> None:
    sky = Sky()
    made = CompareMap(sky)
    for one in made.maps.values():
        assert one.figure.x_range is sky.x_range and one.figure.y_range is sky.y_range
        (hover,) = (
            tool for tool in one.figure.select(HoverTool) if "@image" in (tool.formatters or {})
        )
        assert [label for label, _ in hover.tooltips] == ["A", "B", "A − B", "RA", "Dec"]
        told = [hover.formatters[key] for key in ("@image", "$sx", "$sy")]
        assert [f.args["source"] for f in told] == [made.maps[name].source for name in NAMES]
