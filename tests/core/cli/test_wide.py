"""``massgan reconstruct --dask``: what is a wide survey, what it is told, what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray


@pytest.fixture
def catalogue(tmp_path, np_rng):
    """A CSV of galaxies over `width` degrees of RA."""

    def make(width: float, n: int = 600):
        path = tmp_path / f"{width:g}.csv"
        ra, dec = 150 + np_rng.uniform(-0.5, 0.5, n) * width, np_rng.uniform(0, 0.5, n)
        e1, e2 = np_rng.normal(0, 0.3, (2, n))
        table = np.stack([ra, dec, e1, e2, np.ones(n)], axis=1)
        np.savetxt(path, table, delimiter=",", header="ra,dec,e1,e2,weight", comments="")
        return path

    return make


def test_a_survey_is_made_and_told(run, catalogue, cluster, tmp_path):
    out = tmp_path / "out.zarr"
    words = ["--method", "ks", "--pixel-scale", 1, "--patch", 40, "--margin", 5, "--out", out]
    result = run("reconstruct", catalogue(0.7), "--dask", cluster.scheduler_address, *words)
    assert result.exit_code == 0, result.output
    table = xarray.open_zarr(out, group="patches")
    assert f"600 galaxies in {len(table['patch'])} patches." in result.output
    assert result.output.endswith(f"Wrote {out}.\n")
    again = run("reconstruct", catalogue(0.7), "--dask", cluster.scheduler_address, *words)
    assert again.exit_code == 2 and "exists" in again.stderr


@pytest.mark.parametrize(
    ("width", "words", "sentence"),
    [
        (0.5, ["--patch", 40], "--patch belong to patches of a wide survey: give --dask"),
        (0.5, ["--healpix", 64, "--margin", 2], "--margin, --healpix belong to patches"),
        (0.5, ["--dask", "nowhere"], "got 'nowhere'"),
        (0.5, ["--dask", "local", "--center", "150,2"], "--center belong to single fields"),
        (0.5, ["--dask", "local", "--method", "sparse"], "one of gan, wiener, ks"),
        # Too wide for one field: without being told to, patches of this machine's workers.
        (40, ["--method", "score"], "one of gan, wiener, ks"),
    ],
)
def test_what_cannot_be_is_one_sentence(run, catalogue, tmp_path, width, words, sentence):
    path, out = catalogue(width), tmp_path / "out.zarr"
    result = run("reconstruct", path, *words, "--out", out)
    assert result.exit_code == 2 and sentence in result.stderr, result.output
    told = (
        "The galaxies fit into no one field[^\n]+\n" if width == 40 else ""
    ) + "Error: [^\n]+\n"
    assert re.fullmatch(told, result.stderr)
    assert list(tmp_path.iterdir()) == [path]


def test_a_wide_survey_is_a_zarr_store(run, catalogue, tmp_path):
    result = run("reconstruct", catalogue(0.5), "--dask", "local", "--out", tmp_path / "out.fits")
    assert result.exit_code == 2 and "written as a .zarr store" in result.stderr
