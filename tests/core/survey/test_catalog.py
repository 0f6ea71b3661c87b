"""Laws of a catalogue: what is left out, flips, distortions."""

from __future__ import annotations

import numpy as np
import pytest

from massgan_core.survey import Catalog


def columns(n: int = 8) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "ra": rng.uniform(149, 151, n),
        "dec": rng.uniform(1, 3, n),
        "e1": rng.normal(0, 0.3, n),
        "e2": rng.normal(0, 0.3, n),
        "weight": rng.uniform(0.5, 1, n),
    }


@pytest.mark.parametrize(
    ("key", "bad"),
    [("ra", np.nan), ("dec", np.inf), ("e1", np.nan), ("e2", -99.0), ("weight", np.nan)],
)
def test_rows_that_cannot_be_used_are_left_out_and_counted(key: str, bad: float) -> None:
    rows = columns()
    kept = np.delete(np.arange(8.0), [1, 4])
    rows["m"] = np.arange(8.0)
    rows[key][[1, 4]] = bad
    with pytest.warns(UserWarning, match="left out 2 of 8 rows"):
        catalog = Catalog(**rows)
    assert len(catalog) == 6
    np.testing.assert_array_equal(catalog.m, kept)


def test_galaxies_without_weight_are_left_out() -> None:
    rows = columns()
    rows["weight"][:3] = 0, -1, 0
    assert len(Catalog(**rows)) == 5


def test_a_missing_redshift_costs_no_galaxy() -> None:
    catalog = Catalog(**columns(), z=np.array([0.5, 0.7, np.nan, 1.0, 1.1, np.nan, 1.2, 2.0]))
    assert len(catalog) == 8
    assert catalog.sources().mean == pytest.approx(
        np.average(
            catalog.z[np.isfinite(catalog.z)], weights=catalog.weight[np.isfinite(catalog.z)]
        ),
        abs=0.05,
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"e1": np.full(8, np.nan)}, "no usable galaxy among 8 rows"),
        ({"weight": np.zeros(8)}, "no usable galaxy among 8 rows"),
        ({"e2": np.zeros(7)}, "`e2` must have a value for each of 8 galaxies, got 7"),
        ({"dec": np.full(8, 91.0)}, "`dec` must lie within ±90 degrees, got 91"),
        ({"R": np.full(8, 23.1)}, "`R` must be a shear response of order 1"),
        ({"m": np.full(8, -1.2)}, "`m` must be a small multiplicative bias"),
        ({"e1": np.array(list("abcdefgh"))}, "`e1` must hold numbers"),
        ({key: np.zeros(0) for key in columns()}, "holds no galaxies"),
    ],
)
def test_bad_columns_get_one_sentence(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Catalog(**{**columns(), **change})


def test_magnitudes_are_not_redshifts() -> None:
    with pytest.raises(ValueError, match="`z` must hold redshifts"):
        Catalog(**columns(), z=np.full(8, 24.0)).sources()


def test_flips_turn_the_component_and_its_bias() -> None:
    catalog = Catalog(**columns(), c2=np.full(8, 0.01))
    turned = catalog.flipped(e2=True)
    e1, e2 = catalog.corrected()
    np.testing.assert_allclose(turned.corrected(), (e1, -e2))
    np.testing.assert_array_equal(turned.flipped(e2=True).e2, catalog.e2)


def test_distortion_of_an_ellipse_becomes_its_shear() -> None:
    rows = columns()
    ratio = np.linspace(0.2, 1, 8)  # b/a
    angle = np.exp(2j * np.linspace(0, 3, 8))
    distortion = (1 - ratio**2) / (1 + ratio**2) * angle
    rows["e1"], rows["e2"] = distortion.real, distortion.imag
    shear = Catalog(**rows).from_distortion()
    np.testing.assert_allclose(shear.e1 + 1j * shear.e2, (1 - ratio) / (1 + ratio) * angle)


def test_distortions_no_ellipse_has_are_left_out() -> None:
    rows = columns()
    rows["e1"][2] = 1.2
    catalog = Catalog(**rows)
    with pytest.warns(UserWarning, match="1 of 8 galaxies with a distortion ≥ 1"):
        assert len(catalog.from_distortion()) == 7
    rows["e1"][:] = 1.5
    with pytest.raises(ValueError, match="every distortion is ≥ 1"):
        Catalog(**rows).from_distortion()


def test_scatter_is_that_of_the_definition() -> None:
    catalog = Catalog(**columns())
    w2 = catalog.weight**2
    expected = np.sqrt((w2 * (catalog.e1**2 + catalog.e2**2)).sum() / (2 * w2.sum()))
    assert catalog.scatter == pytest.approx(expected)


def test_the_arrays_given_are_neither_kept_nor_changed() -> None:
    rows = columns()
    catalog = Catalog(**rows)
    rows["e1"][0] = 7
    assert catalog.e1[0] != 7
    with pytest.raises(ValueError, match="read-only"):
        catalog.e1[0] = 7
