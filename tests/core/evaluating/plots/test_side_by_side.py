"""Maps in a row: each the very data, κ on one scale, a standard deviation from zero."""

from __future__ import annotations

import numpy as np
import pytest

import massgan_core as mg
from massgan_core.evaluating.plots.side_by_side import MOST


@pytest.fixture
def maps(small_field):
    kappa = small_field.truth
    return {"truth": kappa, "half": 0.5 * kappa, "spread": kappa.abs()}


def test_each_map_is_drawn_under_its_name_inside_the_footprint(small_field, maps, titled, pixels):
    axes = titled(mg.side_by_side(small_field, maps))
    area = small_field.footprint.numpy()
    assert list(axes) == list(maps)
    for name, image in maps.items():
        shown = pixels(axes[name])
        np.testing.assert_array_equal(shown[area], image.numpy()[area])
        assert np.isnan(shown[~area]).all()


def test_maps_with_a_sign_share_one_scale_about_zero_and_others_begin_at_it(
    small_field, maps, titled
):
    axes = titled(mg.side_by_side(small_field, maps))
    first, second, spread = (axes[name].images[0].get_clim() for name in maps)
    assert first == second and first[0] == -first[1] < 0
    assert spread[0] == 0 < spread[1]


def test_a_map_alone_and_maps_without_a_sign_alone(small_field, maps):
    for names in (["truth"], ["spread"]):
        page = mg.side_by_side(small_field, {name: maps[name] for name in names})
        assert len(page.figure.axes) == 2  # the map and its colour bar


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_no_words_overlap_or_leave_the_page(small_field, number, overlaps):
    maps = {f"map number {k}": small_field.truth for k in range(number)}
    assert overlaps(mg.side_by_side(small_field, maps, title="A row of maps")) == ([], [])


def test_a_notebook_is_given_a_picture_of_the_whole_page(small_field, maps):
    page = mg.side_by_side(small_field, maps)
    picture = page._repr_png_()
    assert picture.startswith(b"\x89PNG")
    wide = int.from_bytes(picture[16:20], "big")
    assert wide == pytest.approx(100 * page.width, abs=1)


@pytest.mark.parametrize("number", [0, MOST + 1])
def test_too_few_or_too_many_maps_are_refused(small_field, number):
    maps = {str(k): small_field.truth for k in range(number)}
    with pytest.raises(ValueError, match=f"1 to {MOST} maps, got {number}"):
        mg.side_by_side(small_field, maps)


def test_a_map_of_another_shape_is_named(small_field):
    maps = {"whole": small_field.truth, "part": small_field.truth[:5]}
    with pytest.raises(ValueError, match=r"'part' must have .* got \(5, 33\)"):
        mg.side_by_side(small_field, maps)


def test_without_matplotlib_it_says_what_to_install(small_field, maps, monkeypatch):
    from massgan_core.evaluating.plots import page

    monkeypatch.setattr(page, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'massgan\[plot\]'"):
        mg.side_by_side(small_field, maps)
