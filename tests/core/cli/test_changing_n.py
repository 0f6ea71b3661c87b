"""``massgan changing-n``: a page and its table, or one sentence and neither."""

from __future__ import annotations

import csv
import re

import pytest
import torch

import massgan_core as mg
from massgan_core.evaluate.convergence import RunningConvergence, drawn

WIENER = ("--method", "wiener")


@pytest.fixture
def with_truth(tmp_path):
    """Shear-field FITS with a KAPPA, one for each seed."""

    def write(seed: int):
        from massgan_core.sky import Grid, ShearField, ShearOperator, gaussian_field, generator

        grid = Grid((24, 32), 0.5)
        kappa = gaussian_field(mg.cosmos_spectrum(), grid, generator(seed))
        noise = torch.complex(*torch.randn((2, 24, 32), generator=generator(seed + 99)))
        sigma, mask = torch.full((24, 32), 0.1), torch.ones(24, 32, dtype=torch.bool)
        gamma = ShearOperator(grid)(kappa) + 0.1 * noise
        field = ShearField(grid, gamma, sigma, mask, kappa, name=f"sky {seed}")
        return mg.write_shear_fits(field, tmp_path / f"sky{seed}.fits")

    return write


def table_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_page_and_table_are_those_of_the_samples(run, with_truth, tmp_path):
    paths, out = [with_truth(1), with_truth(2)], tmp_path / "page.png"
    words = ["--samples", 6, "--batch", 4, "--seed", 9, "--out", out]
    result = run("changing-n", *paths, *WIENER, *words)
    assert result.exit_code == 0, result.output
    assert out.read_bytes()[:4] == b"\x89PNG"
    rows = table_of(tmp_path / "page.csv")
    assert [row["n"] for row in rows] == ["1", "2", "4", "6"]
    squares, likeness = [], []
    for k, path in enumerate(paths):
        field = mg.open_field(path)
        running = RunningConvergence(field.truth, field.footprint)
        for part in drawn(mg.sampler("wiener", field), field, 6, 4, seed=9 + k):
            running = running.update(part)
        scores = running.table()[1]
        squares.append(scores["mean_square"])
        likeness.append(scores["r"])
    rmse = torch.stack(squares).mean(0).sqrt()
    assert [float(row["rmse"]) for row in rows] == pytest.approx(rmse.tolist(), rel=1e-5)
    r = torch.stack(likeness).mean(0)
    assert [float(row["r"]) for row in rows] == pytest.approx(r.tolist(), rel=1e-5)
    assert {row["boxes"] for row in rows} == {"2"} and float(rows[-1]["gain_error"]) > 0
    assert f"gains {float(rows[-1]['gain']):.2f} dB" in result.stdout


def test_one_sky_given_twice_is_one_box(run, with_truth, tmp_path):
    path, out = with_truth(1), tmp_path / "page.svg"
    assert run("changing-n", path, path, *WIENER, "--samples", 2, "--out", out).exit_code == 0
    rows = table_of(tmp_path / "page.csv")
    assert {row["boxes"] for row in rows} == {"1"} and {row["gain_error"] for row in rows} == {""}
    assert {row["fields"] for row in rows} == {"2"}


def test_a_range_of_skies_is_that_many():
    from massgan_core.cli.changing_n import _given

    found = _given("lognormal:3-5")
    assert [one.box for one in found] == ["lognormal 3", "lognormal 4", "lognormal 5"]
    assert _given("nfw")[0].box == "nfw 0"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["cosmos"], "cosmos has no truth to hold the samples against: give a shear-field FITS"),
        ([], "give INPUT or --data TEST.zarr"),
        (["cosmos", "--data", "a.zarr"], "give INPUT or --data TEST.zarr"),
        (["--data", "nowhere.zarr"], "there is no map store here"),
        (["--data", "nowhere.zarr", "--fields", 0], "--fields must be at least 1, got 0"),
        (["cosmos", "--method", "ks"], "--method must be one of gan, wiener, score"),
        (["cosmos", "--samples", 1], "--samples must be at least 2, got 1"),
        (["nowhere.fits"], "there is no file 'nowhere.fits'"),
        (["nfw:9-2"], "must be nfw, nfw:SEED or nfw:FIRST-LAST"),
    ],
)
def test_bad_input_is_one_sentence_and_no_file(run, tmp_path, words, sentence):
    result = run("changing-n", *WIENER, *words, "--out", tmp_path / "page.png")
    assert result.exit_code == 2, result.output
    assert re.fullmatch(rf"Error: [^\n]*{re.escape(sentence)}[^\n]*\n", result.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_stands_there_is_not_replaced(run, with_truth, tmp_path):
    (tmp_path / "page.csv").write_text("mine")
    words = [with_truth(1), *WIENER, "--samples", 2, "--out", tmp_path / "page.png"]
    result = run("changing-n", *words)
    assert result.exit_code == 2 and "page.csv exists" in result.stderr
    assert (tmp_path / "page.csv").read_text() == "mine" and not (tmp_path / "page.png").exists()
    assert run("changing-n", *words, "--overwrite").exit_code == 0
    assert len(table_of(tmp_path / "page.csv")) == 2


def test_maps_of_a_store_come_evenly_from_their_boxes(run, tmp_path, monkeypatch):
    """Seen by a small survey here, so that the maps may be small."""
    from massgan_core.evaluating import fields
    from massgan_core.simulate import PLANCK

    cosmology = {k: getattr(PLANCK, k) for k in ("omega_m", "omega_b", "h", "sigma8", "n_s", "w")}
    sources = mg.cosmos_sources()
    maps = mg.MapStore.create(
        tmp_path / "maps.zarr",
        {"box": [1, 1, 1, 2], "seed": [0, 1, 2, 3], **cosmology},
        shape=(32, 32),
        pixel_scale=0.29,
        kind="lognormal",
        sources=[{"redshift": sources.redshift, "density": sources.density, "sigma_kappa": 0.02}],
        settings={"seed": 0},
    )
    for i in range(len(maps)):
        maps.write(i, 0.02 * torch.randn(32, 32, generator=torch.Generator().manual_seed(i)))
    small = mg.simulated("gaussian", mask="none", side=16)
    monkeypatch.setattr(fields, "cosmos", lambda: small)
    out = tmp_path / "page.png"
    words = ["--data", tmp_path / "maps.zarr", "--fields", 3, "--samples", 2, "--out", out]
    result = run("changing-n", *WIENER, *words)
    assert result.exit_code == 0, result.output
    last = table_of(tmp_path / "page.csv")[-1]
    assert (last["fields"], last["boxes"]) == ("3", "2")
