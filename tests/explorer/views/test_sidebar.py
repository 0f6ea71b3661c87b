"""Widgets and choices are the same thing."""

from __future__ import annotations

import panel as pn
import param
import pytest

from explorer import Explorer
from explorer.state import KINDS, State
from explorer.views.sidebar import COSMOS_DEPTH, KIND_WORDS, Sidebar


@pytest.fixture
def sidebar() -> Sidebar:
    return Sidebar(Explorer(source="simulated", sampler="wiener"))


def test_depth_knows_the_real_noise_and_any_number(sidebar: Sidebar) -> None:
    assert sidebar.depth.value == COSMOS_DEPTH and sidebar.state.depth is None
    sidebar.depth.value = 30.0
    assert sidebar.state.depth == 30.0
    sidebar.state.depth = 47.0
    assert sidebar.depth.value == 47.0 and 47.0 in sidebar.depth.options.values()
    sidebar.state.depth = None
    assert sidebar.depth.value == COSMOS_DEPTH


def test_only_what_applies_is_shown(sidebar: Sidebar) -> None:
    assert sidebar.simulated.visible and not sidebar.whole.visible
    sidebar.state.param.update(source="cosmos", region=(150.1, 2.2, 10.0, 10.0))
    assert not sidebar.simulated.visible and sidebar.whole.visible
    sidebar.whole.param.trigger("clicks")
    assert sidebar.state.region is None and not sidebar.whole.visible


def test_only_maps_that_can_be_are_offered(sidebar: Sidebar) -> None:
    chosen = list(sidebar.state.pictures)

    def offered() -> set[str]:
        return set(sidebar.pictures.options.values())

    assert "truth" in offered() and "low" not in offered()
    sidebar.state.source = "cosmos"
    assert not {"truth", "residual"} & offered() and "truth" not in sidebar.pictures.value
    # What is not offered keeps its mark.
    assert sidebar.state.pictures == chosen
    sidebar.pictures.value = ["mean", "snr"]
    assert set(sidebar.state.pictures) == {"truth", "mean", "snr"}
    sidebar.state.source = "simulated"
    assert set(sidebar.pictures.value) == {"truth", "mean", "snr"}


def test_an_upload_is_asked_for_where_no_file_was_given() -> None:
    sidebar = Sidebar(Explorer(source="file", sampler="wiener"))
    assert sidebar.upload.layout.visible and not sidebar.file.visible
    sidebar.state.source = "cosmos"
    assert not sidebar.upload.layout.visible
    given = Sidebar(Explorer(inputs=["folder/mine.fits"], sampler="wiener"))
    assert given.file.visible and not given.upload.layout.visible
    assert list(given.file.options) == ["mine.fits", "Another file …"]
    given.file.value = None
    assert given.state.file is None and given.upload.layout.visible and given.file.visible


def test_every_kind_is_explained(sidebar: Sidebar) -> None:
    assert set(KIND_WORDS) == set(KINDS)
    for kind in KINDS:
        sidebar.state.kind = kind
        assert KIND_WORDS[kind] in sidebar.kind_words.object


def test_every_widget_sets_its_choice(sidebar: Sidebar) -> None:
    widgets = [w for w in sidebar.layout.select(pn.widgets.Widget) if hasattr(w, "value")]
    touched: set[str] = set()
    sidebar.state.param.watch(
        lambda *events: touched.update(e.name for e in events), State.names()
    )
    for widget in widgets:
        if isinstance(widget, pn.widgets.Select | pn.widgets.RadioButtonGroup):
            others = [v for v in _values(widget) if v != widget.value]
            if others:
                widget.value = others[0]
        elif isinstance(widget, pn.widgets.CheckBoxGroup):
            widget.value = _values(widget)[:2]
        elif isinstance(widget, pn.widgets.Checkbox):
            widget.value = not widget.value
        elif isinstance(widget, pn.widgets.FloatSlider):
            with param.edit_constant(widget):  # as the browser does when the mouse lets go
                widget.param.update(value=widget.end, value_throttled=widget.end)
        elif isinstance(widget, pn.widgets.IntInput):
            widget.value += 1
    expected = {"source", "kind", "depth", "outline", "sky_seed", "n", "seed", "batch"}
    assert (
        expected
        | {*("limit", "smoothing", "shared", "clusters", "colors", "pictures", "threshold")}
        <= touched
    )


def _values(widget: pn.widgets.Widget) -> list:
    options = widget.options
    return list(options.values()) if isinstance(options, dict) else list(options)
