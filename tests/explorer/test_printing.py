"""The printed page: every map that is shown, in its colours and limits, at print size."""

from __future__ import annotations

import io
import re
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from matplotlib.colors import to_rgba_array

import massgan_core as mg
from explorer import printing
from explorer.elements.colors import palette
from explorer.printing import DPI, Panel
from explorer.store import circles


@pytest.fixture
def summary(small_field: Any) -> Any:
    *_, last = mg.stream(mg.sampler("wiener", small_field), small_field, 3, 2, seed=4)
    return last


@pytest.fixture
def panels(summary: Any) -> list[Panel]:
    signed, spread = (palette(kind, "diverging", "light") for kind in ("kappa", "spread"))
    mean = Panel(summary.mean.numpy(), (-0.1, 0.1), "Mean", "of 3 samples", "κ", signed, True)
    std = Panel(summary.std.numpy(), (0.0, 0.07), "Uncertainty", "", "std of κ", spread, False)
    return [mean, std]


def test_a_page_has_every_map_with_its_limits_and_colours(
    panels: list[Panel], summary: Any
) -> None:
    for count in (1, 4, 5):
        page = printing._page((panels * 5)[:count], summary, None)
        drawn = [axes.get_images()[0] for axes in page.figure.axes if axes.get_images()]
        assert len(drawn) == count
        for image, panel in zip(drawn, panels * 5, strict=False):
            assert image.get_clim() == panel.limits
            shown = image.get_array().compressed()
            area = summary.field.footprint.numpy()
            np.testing.assert_array_equal(shown, panel.image[area])
            np.testing.assert_allclose(image.get_cmap()([0, 100, 254]), _rgba(panel.colors))
        for axes in page.figure.axes:
            box = axes.get_position()
            assert 0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1


def _rgba(colors: list[str]) -> np.ndarray:
    return to_rgba_array([colors[at] for at in (0, 100, 254)])


def test_the_svg_says_in_words_what_made_it(panels: list[Panel], summary: Any) -> None:
    svg = printing.picture("svg", panels, summary, None).decode()
    assert svg.startswith("<?xml")
    title = re.search(r"<dc:title>(.*?)</dc:title>", svg)[1]
    assert title == "small 3 samples  ·  wiener, seed 4"
    about = re.search(r"<dc:description>(.*?)</dc:description>", svg, re.S)[1]
    assert f"MassGAN {mg.__version__}" in about and "Circles" not in about


def test_the_png_is_of_print_size(panels: list[Panel], summary: Any) -> None:
    image = matplotlib.image.imread(io.BytesIO(printing.picture("png", panels, summary, None)))
    width = printing._page(panels, summary, None).width
    assert image.shape[1] == pytest.approx(DPI * width, abs=1)
    assert DPI == 300 and np.ptp(image[..., :3]) > 0.9


def test_circles_are_those_of_the_field() -> None:
    field = mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))
    (one,) = mg.stream(mg.sampler("wiener", field), field, 1, 1)
    colors = palette("kappa", "diverging", "light")
    panel = Panel(one.mean.numpy(), (-0.1, 0.1), "Mean", "", "κ", colors, True)
    svg = printing.picture("svg", [panel], one, circles(field)).decode()
    assert "Circles: clusters" in svg
    page = printing._page([panel], one, mg.clusters())
    (marks,) = page.figure.axes[0].collections
    assert 3 < len(marks.get_paths()) <= len(circles(field).name)


def test_without_a_map_there_is_a_sentence(summary: Any) -> None:
    with pytest.raises(ValueError, match="no map is shown"):
        printing.picture("png", [], summary, None)
