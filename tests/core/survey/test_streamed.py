"""A catalogue read in batches makes the field that it makes in one piece."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import torch

from massgan_core.survey import batches, open_field
from massgan_core.survey import open as opening
from massgan_core.survey.outline import Outline
from massgan_core.survey.streamed import grid_file

KINDS = ("parquet", "fits", "csv")


@pytest.fixture
def columns(make_catalog: Callable) -> dict[str, np.ndarray]:
    """Some with flags or without weight, sorted by RA: batches are parts of the sky."""
    catalog = make_catalog(4000)
    names = ("ra", "dec", "e1", "e2", "weight")
    found = {k: getattr(catalog, k)[np.argsort(catalog.ra)].copy() for k in names}
    found["z"] = np.linspace(0.01, 1.7, 4000)
    found["e1"][7], found["e2"][9], found["z"][3], found["weight"][5] = -99.0, np.nan, np.nan, 0.0
    found |= {"m": np.linspace(-0.1, 0.1, 4000), "c1": np.full(4000, 0.01)}
    return found | {"R": np.linspace(0.8, 1.2, 4000)}


def written(columns: dict[str, np.ndarray], path: Path) -> Path:
    if path.suffix == ".fits":
        from astropy.table import Table

        Table(columns).write(path)
    elif path.suffix == ".csv":
        pyarrow.csv.write_csv(pa.table(columns), path)
    else:
        pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=900)
    return path


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> Callable:
    """`open_field` with any file taken for a large one, in batches of 700 rows."""

    def opened(*args: object, **options: object) -> object:
        with monkeypatch.context() as patch:
            patch.setattr(opening, "LARGE", 0)
            patch.setattr(opening, "grid_file", lambda *a, **o: grid_file(*a, **o, rows=700))
            return open_field(*args, **options)

    return opened


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"noise": "published", "size": 12.0, "flip_e2": True}])
def test_batches_make_the_same_field(
    kind: str, options: dict, columns: dict, streamed: Callable, tmp_path: Path
) -> None:
    path = written(columns, tmp_path / f"galaxies.{kind}")
    with pytest.warns(UserWarning, match="left out 2 of 4000 rows"):
        want = open_field(path, pixel_scale=0.5, **options)
    with pytest.warns(UserWarning, match="left out 3 of 4000 rows with numbers that are not"):
        field = streamed(path, pixel_scale=0.5, **options)
    assert field.grid.shape == want.grid.shape and field.name == want.name
    np.testing.assert_allclose(field.grid.wcs.wcs.crval, want.grid.wcs.wcs.crval, atol=1e-12)
    assert torch.equal(field.counts, want.counts) and field.notes == want.notes
    torch.testing.assert_close(field.gamma, want.gamma)
    torch.testing.assert_close(field.sigma, want.sigma)
    assert torch.equal(field.footprint, want.footprint)
    assert field.sources.mean == pytest.approx(want.sources.mean, rel=1e-12)


def test_distortions_are_turned_batch_by_batch(
    columns: dict, streamed: Callable, tmp_path: Path
) -> None:
    path = written(columns, tmp_path / "galaxies.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want, field = (
            f(path, pixel_scale=0.5, ellipticity="distortion") for f in (open_field, streamed)
        )
    torch.testing.assert_close(field.gamma, want.gamma)
    assert field.notes == want.notes and field.notes["from_distortion"]


def test_a_batch_is_all_that_is_read_at_once(
    columns: dict, streamed: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from massgan_core.survey import streamed as module

    read, seen = batches.read_batches, []

    def counted(*args: object, **options: object) -> object:
        for batch in read(*args, **options):
            seen.append(len(batch["ra"]))
            yield batch

    monkeypatch.setattr(module, "read_batches", counted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        streamed(written(columns, tmp_path / "galaxies.fits"))
    assert max(seen) <= 700 and sum(seen) == 2 * 4000  # for the middle, then for the sums


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        ({"weight": 0.0}, {}, "holds no usable galaxy among 4000 rows"),
        ({"ra": None}, {}, "has no column for ra"),
        ({"e1": 0.0, "e2": 0.0, "c1": 0.0}, {}, "every ellipticity is 0"),
        ({"z": 150.0}, {}, "`z` must hold redshifts, its mean is 150"),
        ({}, {"center": (10.0, 2.0), "size": 5.0}, "no galaxy of galaxies.parquet lies in the"),
    ],
)
def test_bad_files_get_the_same_sentence(
    change: dict, options: dict, sentence: str, columns: dict, streamed: Callable, tmp_path: Path
) -> None:
    for name, value in change.items():
        column = columns.pop(name)
        columns |= {} if value is None else {name: np.full_like(column, value)}
    path = written(columns, tmp_path / "galaxies.parquet")
    for opened in (open_field, streamed):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ValueError, match=sentence):
                opened(path, pixel_scale=0.5, **options)


@pytest.mark.parametrize(("ra", "dec"), [(0.02, 10.0), (123.0, 80.0), (7.0, 89.9)])
def test_few_positions_outline_all(ra: float, dec: float, make_catalog: Callable) -> None:
    catalog = make_catalog(20_000, ra=ra, dec=dec)
    whole, parts = (Outline().add(catalog.ra, catalog.dec), Outline())
    order = np.argsort(catalog.dec)
    for chosen in np.array_split(order, 7):
        parts.add(catalog.ra[chosen], catalog.dec[chosen])
    plain = Outline()
    plain.add(catalog.ra, catalog.dec)
    plain._ra, plain._dec = catalog.ra, catalog.dec  # as if all had been kept
    assert len(parts._ra) < 1500
    for found in (whole.extent(), parts.extent()):
        np.testing.assert_allclose(found[0], plain.extent()[0], atol=1e-9)
        np.testing.assert_allclose(found[1], plain.extent()[1], atol=1e-8)
    for found in (whole, parts):
        np.testing.assert_allclose(found.extent((ra, dec))[1], plain.extent((ra, dec))[1])
