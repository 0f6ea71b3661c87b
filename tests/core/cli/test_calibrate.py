"""``massgan calibrate``, and ``massgan reconstruct`` with what it made."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray
from astropy.io import fits

from massgan_core.calibrating import fields


@pytest.fixture
def few(monkeypatch):
    """Fewer maps and boxes than a guarantee takes: laws are tested elsewhere."""
    for name, value in (("LEAST_MAPS", 20), ("LEAST_BOXES", 20)):
        monkeypatch.setattr(fields, name, value)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """60 lognormal skies with pixels of 0.5′, each a box of its own."""
    from massgan_core.simulating import simulate

    path = tmp_path_factory.mktemp("maps") / "maps.zarr"
    simulate(path, n=60, side=32, pixel_scale=0.5, seed=5)
    return path


@pytest.fixture(scope="module")
def kept():
    """What the one calibration of this module wrote and printed."""
    return {}


@pytest.fixture
def calibrated(run, few, maps, tiny_checkpoint, kept):
    """A checkpoint with a calibration beside it, and what was printed."""
    beside = tiny_checkpoint.with_name("tiny.calibration.safetensors")
    if kept:
        beside.write_bytes(kept["bytes"])
        return tiny_checkpoint, kept["result"]
    # Only some maps have pixels far from every edge, and 95 % takes 19 maps there too.
    words = ["--samples", 4, "--batch", 4, "--maps", 48, "--device", "cpu"]
    result = run("calibrate", "--data", maps, "--checkpoint", tiny_checkpoint, *words)
    assert result.exit_code == 0, result.output
    kept |= {"bytes": beside.read_bytes(), "result": result}
    return tiny_checkpoint, result


def reconstruct(run, path, checkpoint, out, *words):
    """Run `reconstruct` with as many samples as were calibrated."""
    words = ["--checkpoint", checkpoint, "--samples", 4, "--device", "cpu", "--out", out, *words]
    return run("reconstruct", path, *words)


def test_coverage_is_printed_before_and_after(calibrated):
    _, result = calibrated
    numbers = r"\d+\.\d% by the samples' quantiles, \d+\.\d% ± \d+\.\d% calibrated \(12 maps"
    assert len(re.findall(numbers, result.stdout)) == 2
    assert "Coverage at 68.0% on other fields" in result.stdout
    assert "residual on other fields: 48 maps of 48 boxes, 4 samples each." in result.stdout
    assert "does not say which simulation boxes" in result.stdout
    assert "own grid is not calibrated: its pixels are 0.29′, not 0.5′" in result.stdout
    assert "tiny.calibration.safetensors" in result.stdout.splitlines()[-1]
    assert "Calibrating" not in result.stderr  # the bar is for terminals


def test_the_interval_is_calibrated_and_says_how(run, calibrated, shear_fits, tmp_path):
    path, out = shear_fits(), tmp_path / "out.fits"
    result = reconstruct(run, path, calibrated[0], out, "--level", 0.68)
    assert result.exit_code == 0, result.output
    promise = "coverage of a pixel: 68 % over simulated skies like the training ones"
    assert f"LOW and HIGH: {promise}." in result.stdout
    with fits.open(out) as hdus:
        head = hdus[0].header
        want = {"CALIB": True, "CALMETH": "residual", "LEVEL": 0.68}
        want |= {"CALMAPS": 48, "CALBOXES": 48, "CALSAMP": 4}
        assert {key: head[key] for key in want} == want
        assert promise in str(head["COMMENT"]).replace("\n", "")
        assert "not calibrated" not in str(head["COMMENT"]) + str(head.get("HISTORY"))
        low, high, mean, std = (hdus[n].data.astype(float) for n in ("LOW", "HIGH", "MEAN", "STD"))
        inside = hdus["FOOTPRT"].data == 1
        for name in ("LOW", "HIGH"):
            assert hdus[name].header["CALIB"] is True
            assert promise in str(hdus[name].header["COMMENT"]).replace("\n", "")
    np.testing.assert_allclose(((low + high) / 2)[inside], mean[inside], atol=1e-5)
    factor = ((high - low) / 2 / std)[inside]
    # 3 bins of noise, 3 of distance: one factor each, of a network that knows nothing.
    assert 2 <= len(np.unique(factor.round(2))) <= 9 and factor.min() > 2


def test_a_dataset_says_the_same(run, calibrated, shear_fits, tmp_path):
    path, out = shear_fits(), tmp_path / "out.nc"
    assert reconstruct(run, path, calibrated[0], out, "--level", 0.68).exit_code == 0
    with xarray.open_dataset(out, engine="h5netcdf") as dataset:
        assert dataset.attrs["calibrated"] == 1 and dataset.attrs["interval_method"] == "residual"
        assert "68 % over simulated skies" in dataset.attrs["promise"]
        assert "68 % over simulated skies" in dataset["low"].attrs["long_name"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--level", 0.9], "level 0.9 is none of those calibrated, 0.68, 0.95"),
        (["--samples", 3], "3 samples were drawn, calibrated with 4 or more"),
        (["--zs", 0.6], "the mean redshift of the sources is 0.6"),
    ],
)
def test_without_its_conditions_there_is_no_claim(
    run, calibrated, shear_fits, tmp_path, words, reason
):
    path, out = shear_fits(), tmp_path / "out.fits"
    result = reconstruct(run, path, calibrated[0], out, *words, "--save-samples")
    assert result.exit_code == 0, result.output
    assert f"not calibrated: {reason}" in result.stdout
    with fits.open(out) as hdus:
        head = hdus[0].header
        assert head["CALIB"] is False and "CALMETH" not in head
        assert f"not calibrated: {reason}" in str(head["HISTORY"]).replace("\n", "")
        level = head["LEVEL"]
        want = np.quantile(hdus["SAMPLES"].data, [(1 - level) / 2, (1 + level) / 2], axis=0)
        np.testing.assert_allclose(hdus["LOW"].data, want[0], atol=1e-5)
        np.testing.assert_allclose(hdus["HIGH"].data, want[1], atol=1e-5)


def test_methods_and_checkpoints_without_one_say_so(run, shear_fits, tiny_checkpoint, tmp_path):
    path = shear_fits()
    result = reconstruct(run, path, tiny_checkpoint, tmp_path / "a.fits")
    assert "not calibrated: checkpoint" in result.stdout and result.stderr == ""
    assert run("reconstruct", path, "--method", "wiener", "--samples", 2,
               "--out", tmp_path / "b.fits").exit_code == 0  # fmt: skip
    for name, words in (("a", "massgan calibrate makes one"), ("b", "wiener has no calibration")):
        head = fits.getheader(tmp_path / f"{name}.fits")
        assert head["CALIB"] is False
        assert words in str(head["HISTORY"]).replace("\n", "")


def test_another_checkpoint_s_calibration_is_one_warning(run, calibrated, shear_fits, tmp_path):
    from massgan_core.gan import checkpoint

    path, weights = shear_fits(), calibrated[0]
    checkpoint.annotate(weights, evaluation={"r": 0.5})  # the digest is another now
    result = reconstruct(run, path, weights, tmp_path / "a.fits")
    assert result.exit_code == 0
    assert re.fullmatch(r"Warning: [^\n]*calibrates checkpoint [^\n]*\n", result.stderr)
    assert fits.getheader(tmp_path / "a.fits")["CALIB"] is False
    beside = weights.with_name("tiny.calibration.safetensors")
    asked = reconstruct(run, path, weights, tmp_path / "b.fits", "--calibration", beside)
    assert asked.exit_code == 2 and "calibrates checkpoint" in asked.stderr
    assert not (tmp_path / "b.fits").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--maps", 100], "100 are wanted: simulate more boxes"),
        (["--per-box", 7], "`per_box` must lie between 1 and 5, got 7"),
        (["--method", "guess"], "`method` must be one of residual, cqr, rcps, got 'guess'"),
        (["--level", 1.5], "`levels` must lie between 0 and 1"),
        (["--fields", "survey", "--maps", 20], "own grid: its pixels are 0.29′, not 0.5′"),
        (["--method", "rcps", "--maps", 20], "takes at least 48 boxes, got 20"),
        (["--checkpoint", "nothing"], "unknown checkpoint 'nothing'"),
        (["--data", "nothing.zarr"], "nothing.zarr: there is no map store here"),
        (["--out", "no/such/folder.safetensors"], "the folder no/such does not exist"),
    ],
)
def test_bad_input_is_one_sentence(run, few, maps, tiny_checkpoint, tmp_path, words, sentence):
    before = sorted(tmp_path.iterdir())
    first = ["--data", maps, "--checkpoint", tiny_checkpoint, "--device", "cpu"]
    result = run("calibrate", *first, *words)
    assert result.exit_code == 2 and sentence in result.stderr, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_too_few_maps_for_a_guarantee_are_refused(run, maps, tiny_checkpoint):
    result = run("calibrate", "--data", maps, "--checkpoint", tiny_checkpoint, "--maps", 50)
    assert result.exit_code == 2 and "`maps` must be at least 100" in result.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--level", 0], "--level must lie between 0 and 1"),
        (["--method", "wiener", "--calibration", "a"], "--calibration belongs to a trained"),
        (["--calibration", "nothing.safetensors"], "there is no calibration here"),
    ],
)
def test_reconstruct_refuses_what_cannot_be(run, shear_fits, tmp_path, words, sentence):
    result = run("reconstruct", shear_fits(), *words, "--out", tmp_path / "out.fits")
    assert result.exit_code == 2 and sentence in result.stderr
    assert not (tmp_path / "out.fits").exists()
