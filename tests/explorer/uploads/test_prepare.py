"""What an upload gives is what `open_field` gives, bit for bit, and is said before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import massgan_core as mg
from explorer.uploads.limits import LIMITS
from explorer.uploads.parcel import unpack
from explorer.uploads.prepare import run
from massgan_core.survey import gridding


@pytest.fixture(autouse=True)
def lone_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` lowers a limit of the library in its own process, here in ours."""
    monkeypatch.setattr(gridding, "MOST_PIXELS", gridding.MOST_PIXELS)


def check_same(field: mg.ShearField, other: mg.ShearField) -> None:
    """Every bit of two fields, and where their pixels lie on the sky."""
    for name in (f.name for f in fields(mg.ShearField)):
        one, two = getattr(field, name), getattr(other, name)
        if isinstance(two, torch.Tensor):
            assert one.dtype == two.dtype, name
            torch.testing.assert_close(one, two, rtol=0, atol=0, equal_nan=True, msg=name)
        elif name not in ("grid", "sources"):
            assert one == two, name
    assert (field.sources is None) == (other.sources is None)
    if other.sources is not None:
        for name in ("redshift", "density"):
            np.testing.assert_array_equal(
                getattr(field.sources, name), getattr(other.sources, name)
            )
    assert (field.grid.shape, field.grid.pixel_scale) == (other.grid.shape, other.grid.pixel_scale)
    assert (field.grid.wcs is None) == (other.grid.wcs is None)
    if other.grid.wcs is not None:
        pixels = np.array([0.0, 3.25, 17.0]), np.array([0.0, 11.5, 4.0])
        for grid in (field.grid, other.grid):
            assert grid.wcs.wcs.ctype[0] == "RA---TAN"
        np.testing.assert_array_equal(
            field.grid.pixel_to_sky(*pixels), other.grid.pixel_to_sky(*pixels)
        )


def prepared(path: Path, name: str = "mine.csv", **call: Any) -> tuple[mg.ShearField, dict]:
    answer = run(path, name, LIMITS, call=call)
    return unpack(path.with_name(answer["parcel"])), answer


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"pixel_scale": 0.5, "flip_e2": True},
        {"ellipticity": "distortion", "center": [150.1, 2.2], "size": [4.0, 3.0]},
        {"size": 2.0, "flip_e1": True},
    ],
)
def test_a_catalogue_is_opened_as_the_library_opens_it(
    csv: Callable, rows: np.ndarray, call: dict
) -> None:
    rows[:, 2:4] *= 0.6  # no distortion beyond 1
    path = csv(rows)
    field, answer = prepared(path, **call)
    tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in call.items()}
    other = mg.open_field(path, **tuples)
    check_same(field, other)
    height, width = other.grid.shape
    counted = f"{int(other.counts.sum()):,} galaxies → {width} × {height} pixels of "
    assert answer["does"].startswith(counted)
    assert answer["orientation"] == mg.orientation_check(other).sentence


def test_a_column_of_redshifts_is_kept_to_the_last_digit(
    csv: Callable, rows: np.ndarray, np_rng: np.random.Generator
) -> None:
    redshift = np_rng.gamma(3, 0.3, len(rows))
    path = csv(np.c_[rows, redshift], "A,D,x,y,w,zb")
    columns = {"ra": "A", "dec": "D", "e1": "x", "e2": "y", "weight": "", "z": "zb"}
    field, answer = prepared(path, columns=columns)
    check_same(field, mg.open_field(path, columns=columns))
    assert field.sources is not None and not any("redshifts" in note for note in answer["notes"])


@pytest.mark.parametrize("sky", [True, False])
def test_a_shear_field_is_opened_as_the_library_opens_it(
    tmp_path: Path, small_field: mg.ShearField, sky: bool
) -> None:
    grid = small_field.grid if sky else mg.Grid(small_field.grid.shape, 1.0)
    sources = mg.Sources([0.1, 0.4, 1.3], [1.0, 3.0, 0.7])
    path = tmp_path / "mine.fits"
    mg.write_shear_fits(replace(small_field, grid=grid, sources=sources), path)
    field, answer = prepared(path, "mine.fits", flip_e1=True)
    check_same(field, mg.open_field(path, flip_e1=True))
    assert "33 × 24 pixels of 1′" in answer["does"]
    assert answer["does"].endswith("nowhere on the sky." if not sky else "Dec 2.20°.")


def test_the_name_is_the_person_s_and_not_the_stored_one(
    tmp_path: Path, csv: Callable, rows: np.ndarray, small_field: mg.ShearField
) -> None:
    stored = csv(rows).rename(tmp_path / "upload-0123")
    field, answer = prepared(stored, "my stars.csv")
    assert field.name == "my stars.csv"
    stored.unlink()
    mg.write_shear_fits(small_field, stored)
    from astropy.io import fits

    with fits.open(stored, mode="update") as hdus:
        del hdus[0].header["OBJECT"]
    field, second = prepared(stored, "deep.fits")
    assert field.name == "deep" and field.notes["file"] == "deep.fits"
    assert "upload-0123" not in str([answer["notes"], second["notes"], answer["does"]])


def test_what_is_left_out_and_assumed_is_said(csv: Callable, rows: np.ndarray) -> None:
    rows[:12, 2] = np.nan
    _, answer = prepared(csv(rows))
    left_out, observed, redshifts = answer["notes"]
    assert left_out.startswith("left out 12 of 400 rows with numbers that are not finite")
    assert observed.startswith("Observed: ") and "COSMOS galaxies are assumed" in redshifts
    assert answer["does"].startswith("388 galaxies → ")


def test_ellipticities_beyond_reason_are_doubted(csv: Callable, rows: np.ndarray) -> None:
    rows[:, 2] = np.linspace(-3, 3, len(rows))
    _, answer = prepared(csv(rows))
    assert any("are e1 and e2 read from the right columns?" in note for note in answer["notes"])


def test_a_wrong_sign_of_e2_is_told_in_words_of_the_page(tmp_path: Path) -> None:
    sky = mg.simulated("lognormal", seed=1, depth=1000.0, mask="none").crop(0, 0, (120, 120))
    path = tmp_path / "mine.fits"
    mg.write_shear_fits(replace(sky, gamma=sky.gamma.conj().resolve_conj()), path)
    _, answer = prepared(path, "mine.fits")
    assert answer["suspicious"] and answer["orientation"].endswith("try turning the sign of e2")
    _, answer = prepared(path, "mine.fits", flip_e2=True)
    assert not answer["suspicious"]


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"dec": "ra", "ra": "dec"}, "`dec` must lie within ±90 degrees"),
        ({"z": "ra"}, "`z` must hold redshifts, its mean is 150"),
        ({"e1": "ra"}, "holds no usable galaxy among 400 rows"),
        ({"e1": "nothing"}, r"has no column for e1 \('nothing'\)"),
        ({"weight": "e1"}, None),
    ],
)
def test_a_mapping_that_makes_no_sense(
    csv: Callable, rows: np.ndarray, columns: dict, says: str | None
) -> None:
    usual = {"ra": "ra", "dec": "dec", "e1": "e1", "e2": "e2", "weight": "weight"}
    path = csv(rows)
    if says is None:  # half the weights are negative: a library's rule, and said in numbers
        assert prepared(path, columns={**usual, **columns})[0].notes["galaxies"] < 250
        return
    with pytest.raises(ValueError, match=says):
        prepared(path, columns={**usual, **columns})


def test_nothing_but_nan_is_a_sentence(csv: Callable, rows: np.ndarray) -> None:
    rows[:, 2:4] = np.nan
    with pytest.raises(ValueError, match="holds no usable galaxy among 400 rows"):
        prepared(csv(rows))


def test_more_pixels_than_a_page_can_show(csv: Callable, rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="the limit is 2048 on a side"):
        prepared(csv(rows), pixel_scale=0.002)
