"""A catalogue read in parts gives every patch the galaxies, and every pixel the sums, of all."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from massgan_core.sky import Grid
from massgan_core.survey import Catalog, grid_catalog
from massgan_core.survey.batches import extent, read_batches
from massgan_core.survey.coarse import SurveySums
from massgan_core.survey.patches import Patches
from massgan_core.survey.spool import Spool

N = 4000


@pytest.fixture
def columns(np_rng):
    """Galaxies about the pole side of δ = 70°, across RA 0."""
    return {
        "ra": np.mod(np_rng.uniform(-6, 6, N), 360),
        "dec": np_rng.uniform(70, 73, N),
        "e1": np_rng.normal(0.02, 0.2, N),
        "e2": np_rng.normal(0.0, 0.2, N),
        "weight": np_rng.uniform(0.5, 1, N),
        "m": np_rng.uniform(-0.1, 0.1, N),
        "z": np_rng.uniform(0.2, 1.5, N),
    }


def parts(columns, rows):
    return [{k: v[i : i + rows] for k, v in columns.items()} for i in range(0, N, rows)]


@pytest.fixture
def patches():
    return Patches(40, 10, 1.0)


def test_each_patch_has_the_galaxies_on_its_grid_and_owns_its_share(columns, patches, tmp_path):
    spool = Spool(tmp_path / "spool")
    assert not spool.filled
    spool.fill(parts(columns, 700), patches, "test")
    assert spool.filled
    ids, counts = spool.plan()
    assert counts.sum() == N and len(ids) > 10
    whole = Catalog(**columns)
    for patch in ids[::5].tolist():
        a = grid_catalog(spool.read(patch), patches.grid(patch))
        b = grid_catalog(whole, patches.grid(patch))
        torch.testing.assert_close(a.counts, b.counts)
        torch.testing.assert_close(a.gamma, b.gamma, atol=1e-5, rtol=1e-4)
    assert {int(p.stem) for p in spool.folder.glob("*.galaxies")} == set(ids.tolist())


def test_each_pixel_middle_belongs_to_one_patch(columns, patches, np_rng):
    ids = np.unique(patches.rings.find(columns["ra"], columns["dec"]))
    grid = patches.grid(int(ids[len(ids) // 2]))
    y, x = np.indices(grid.shape)
    owner = patches.rings.find(*grid.pixel_to_sky(x, y))
    mine = int(ids[len(ids) // 2])
    np.testing.assert_array_equal(patches.owned(mine), owner == mine)
    # The margin is there on every side of the interior, and the interior is whole.
    up, left = (np.flatnonzero(patches.owned(mine).any(axis)) for axis in (1, 0))
    assert min(up[0], left[0]) >= 9
    assert grid.shape[0] - 1 - up[-1] >= 9 and grid.shape[1] - 1 - left[-1] >= 9
    window = patches.window(mine)
    assert window == (slice(up[0] - 3, up[-1] + 4), slice(left[0] - 3, left[-1] + 4))


def test_sums_of_parts_grid_like_the_catalogue(columns):
    whole, sums = Catalog(**columns), SurveySums()
    for start in range(0, N, 900):
        sums.add(whole[start : start + 900])
    sums.merge()
    grid = Grid.tan((60, 80), 6.0, center=(0.0, 71.5))
    a, b = sums.field(grid), grid_catalog(whole, grid)
    assert sums.scatter == pytest.approx(whole.scatter)
    assert a.counts.sum() == b.counts.sum()

    # Cells of 2′ may fall to the next pixel; sums over 4 × 4 pixels hardly notice.
    def wide(field, values):
        return (values * field.weight**2).reshape(15, 4, 20, 4).sum((1, 3))

    for of in (lambda f: f.gamma.real, lambda f: f.gamma.imag, lambda f: 1 + 0 * f.gamma.real):
        u, v = wide(a, of(a)).flatten().numpy(), wide(b, of(b)).flatten().numpy()
        assert np.corrcoef(u, v)[0, 1] > 0.9
    mean, other = sums.sources.mean, whole.sources().mean
    assert mean == pytest.approx(other, rel=0.01)


def test_rows_that_cannot_be_used_are_counted_and_all_such_are_an_error(
    columns, patches, tmp_path
):
    columns["e1"][:1000] = -99
    spool = Spool(tmp_path / "spool")
    with pytest.warns(UserWarning, match="left out 1000 of 4000 rows"):
        spool.fill(parts(columns, 500), patches, "test")
    assert spool.plan()[1].sum() == N - 1000
    columns["weight"][:] = 0
    with pytest.raises(ValueError, match="no usable galaxy among 4000 rows"):
        spool.fill(parts(columns, 500), patches, "test")
    assert not spool.filled


@pytest.mark.parametrize("kind", ["parquet", "csv", "fits"])
def test_batches_are_the_whole_catalogue(kind, columns, tmp_path):
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq
    from astropy.table import Table

    path = tmp_path / f"c.{kind}"
    columns = {"RA" if k == "ra" else k: v for k, v in columns.items() if k != "m"}
    columns["e1"][0] = 1  # looks like a column of whole numbers at first
    if kind == "parquet":
        pq.write_table(pa.table(columns), path, row_group_size=1500)
    elif kind == "csv":
        csv.write_csv(pa.table(columns), path)
    else:
        Table(columns).write(path)
    read = list(read_batches(path, "z=", rows=1000))
    assert len(read) > 1 and max(len(b["ra"]) for b in read) < N
    assert set(read[0]) == {"ra", "dec", "e1", "e2", "weight"}
    for key in read[0]:
        own = columns["RA" if key == "ra" else key]
        np.testing.assert_allclose(np.concatenate([b[key] for b in read]), own, rtol=1e-12)


def test_a_catalogue_without_its_columns_says_so(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("ra,dec\n1,2\n")
    with pytest.raises(ValueError, match="no column for e1, e2, weight"):
        next(read_batches(path))


@pytest.mark.parametrize("width", [0.3, 6.0, 50.0])
def test_the_extent_of_a_catalogue(width, tmp_path, np_rng):
    """Of a square about RA 0 on the equator, read in parts: its diagonal."""
    path, n = tmp_path / "c.csv", 3000
    ra, dec = np_rng.uniform(-width / 2, width / 2, (2, n))
    ra[:4], dec[:4] = width / 2 * np.array([[1, 1, -1, -1], [1, -1, 1, -1]])
    table = np.stack([np.mod(ra, 360), dec, 0 * ra, 0 * ra, 0 * ra], axis=1)
    table[7, :2] = np.nan
    np.savetxt(path, table, delimiter=",", header="ra,dec,e1,e2,weight", comments="")
    assert extent(path) == pytest.approx(width * 2**0.5, rel=0.05)
