"""``massgan reconstruct``: contracts of the output, whatever the method."""

from __future__ import annotations

import re
import signal

import numpy as np
import pytest
import torch
import xarray
from astropy.io import fits
from astropy.wcs import WCS

import massgan_core as mg


def samples_of(path):
    with fits.open(path) as hdus:
        return hdus["SAMPLES"].data.astype("f4"), hdus["STD"].data.astype("f4")


def test_every_method_writes_the_contract_s_hdus(run, shear_fits, method, tmp_path):
    out = tmp_path / "out.fits"
    result = run("reconstruct", shear_fits(), *method, "--samples", 4, "--out", out)
    assert result.exit_code == 0, result.output
    with fits.open(out) as hdus:
        names = {hdu.name for hdu in hdus[1:]}
        want = {"MEAN", "STD", "SNR", "KS", "KS_B", "LOW", "HIGH", "MASK", "FOOTPRT"}
        assert want <= names and ("PROB" in names) == (method[1] != "ks")
        assert hdus[0].header["METHOD"] == method[1] and hdus[0].header["CALIB"] is False
        inside = hdus["FOOTPRT"].data == 1
        for name in want:
            assert hdus[name].data.shape == (40, 56)
            assert np.isfinite(hdus[name].data[inside]).all(), name
        assert (hdus["STD"].data > 0).all() and hdus["MASK"].data.sum() == 40 * 56 - 8 * 14


def test_the_output_is_what_the_stream_gives(run, shear_fits, tmp_path):
    path, out = shear_fits(), tmp_path / "out.fits"
    run("reconstruct", path, "--method", "wiener", "--samples", 5, "--batch", 2, "--seed", 9,
        "--save-samples", "--out", out)  # fmt: skip
    field = mg.open_field(path)
    *_, summary = mg.stream(mg.sampler("wiener", field), field, n=5, batch=2, seed=9)
    with fits.open(out) as hdus:
        np.testing.assert_array_equal(hdus["MEAN"].data, summary.mean)
        np.testing.assert_array_equal(hdus["STD"].data, summary.std)
        np.testing.assert_array_equal(hdus["SAMPLES"].data, summary.samples)
        assert (hdus[0].header["NSAMP"], hdus[0].header["SEED"]) == (5, 9)


def test_kaiser_squires_is_the_map_with_its_propagated_noise(run, shear_fits, tmp_path):
    path, out = shear_fits(), tmp_path / "out.fits"
    result = run("reconstruct", path, "--method", "ks", "--out", out)
    field, maker = mg.open_field(path), mg.KaiserSquires()
    with fits.open(out) as hdus:
        np.testing.assert_array_equal(hdus["MEAN"].data, hdus["KS"].data)
        np.testing.assert_array_equal(hdus["STD"].data, maker.std(field))
        offset = hdus["MEAN"].data - maker.map(field).numpy()
        assert np.ptp(offset) < 1e-6  # but for the footprint mean
        assert "shape noise" in str(hdus["STD"].header["COMMENT"])
    assert "propagated shape noise" in result.stdout


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    run, shear_fits, method, tmp_path
):
    path = shear_fits()
    outs = [tmp_path / f"{name}.fits" for name in "abc"]
    for out, seed in zip(outs, (4, 4, 5), strict=True):
        words = [*method, "--samples", 3, "--batch", 2, "--seed", seed]
        assert run("reconstruct", path, *words, "--out", out).exit_code == 0
    a, b, c = (out.read_bytes() for out in outs)
    assert a == b
    means = [fits.getdata(out, "MEAN") for out in outs]
    assert np.array_equal(means[0], means[2]) == (method[1] == "ks")


def test_two_processes_agree_bit_for_bit(start, shear_fits, tmp_path):
    path, outs = shear_fits(), [tmp_path / "a.fits", tmp_path / "b.fits"]
    words = ["reconstruct", path, "--method", "wiener", "--samples", 3, "--out"]
    for out in outs:
        child = start(*words, out)
        assert child.communicate() and child.returncode == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("name", ["wiener", "gan"])
def test_the_set_of_samples_does_not_depend_on_the_batch(
    run, shear_fits, request, tmp_path, name, batch
):
    method = request.getfixturevalue("gan") if name == "gan" else ["--method", name]
    path, draws = shear_fits(), {}
    for b in (2, batch):
        out = tmp_path / f"{b}.fits"
        words = [*method, "--samples", 4, "--batch", b, "--save-samples", "--out", out]
        assert run("reconstruct", path, *words).exit_code == 0
        draws[b] = samples_of(out)
    (first, std), (second, _) = draws[2], draws[batch]
    rms = np.sqrt(((first - second) ** 2).mean((1, 2)))
    assert (rms <= 1e-3 * np.sqrt((std**2).mean())).all()
    assert np.sqrt(((first[0] - second[1]) ** 2).mean()) > 1e-2 * std.mean()


@pytest.mark.parametrize("garbage", [1e6, np.nan, np.inf])
def test_shear_outside_the_mask_never_matters(run, shear_fits, method, tmp_path, garbage):
    bytes_ = []
    for folder, value in (("clean", 0.0), ("dirty", garbage)):
        path, out = shear_fits(name=f"{folder}/f.fits", garbage=value), tmp_path / f"{folder}.fits"
        words = [*method, "--samples", 2, "--batch", 2, "--save-samples"]
        words = words if method[1] != "ks" else method
        assert run("reconstruct", path, *words, "--out", out).exit_code == 0
        bytes_.append(out.read_bytes())
    assert bytes_[0] == bytes_[1]


@pytest.mark.parametrize("shape", [(48, 48), (47, 31), (20, 64)])
def test_the_wcs_and_the_shape_are_the_input_s(run, shear_fits, method, tmp_path, shape):
    path, out = shear_fits(shape=shape), tmp_path / "out.fits"
    assert run("reconstruct", path, *method, "--samples", 2, "--out", out).exit_code == 0
    old, new = (WCS(fits.getheader(p, n)) for p, n in ((path, "GAMMA1"), (out, "MEAN")))
    x, y = np.array([0, shape[1] - 1.0, 3.5]), np.array([0, shape[0] - 1.0, 9.0])
    np.testing.assert_allclose(
        new.all_pix2world(x, y, 0), old.all_pix2world(x, y, 0), rtol=0, atol=1e-11
    )
    assert fits.getdata(out, "MEAN").shape == shape


@pytest.mark.parametrize(("suffix", "engine"), [(".zarr", "zarr"), (".nc", "h5netcdf")])
def test_datasets_hold_what_the_fits_holds(run, shear_fits, tmp_path, suffix, engine):
    path, plain, out = shear_fits(), tmp_path / "out.fits", tmp_path / f"out{suffix}"
    words = ["--method", "wiener", "--samples", 3, "--save-samples", "--out"]
    for target in (plain, out):
        assert run("reconstruct", path, *words, target).exit_code == 0
    with fits.open(plain) as hdus, xarray.open_dataset(out, engine=engine) as dataset:
        for name in ("MEAN", "STD", "LOW", "PROB", "KS", "SAMPLES", "MASK"):
            np.testing.assert_array_equal(dataset[name.lower()], hdus[name].data)
        assert dataset["mean"].dims == ("y", "x") and "ra" in dataset.coords
        assert dataset.attrs["seed"] == hdus[0].header["SEED"]


def test_threshold_and_smoothing_reach_the_output(run, shear_fits, tmp_path):
    path, parts = shear_fits(), {}
    for threshold, smoothing in ((0.0, 1.0), (0.02, 1.0), (0.02, 2.0)):
        out = tmp_path / f"{threshold}-{smoothing}.fits"
        words = ["--threshold", threshold, "--prob-smoothing", smoothing, "--out", out]
        run("reconstruct", path, "--method", "wiener", "--samples", 8, *words)
        header = fits.getheader(out, "PROB")
        assert (header["PROBTHR"], header["PROBSMO"]) == (threshold, smoothing)
        parts[threshold, smoothing] = np.nanmean(fits.getdata(out, "PROB"))
    assert parts[0.0, 1.0] > parts[0.02, 1.0] > parts[0.02, 2.0]


def test_the_orientation_is_printed_for_both_signs(run, shear_fits, tmp_path):
    result = run("reconstruct", shear_fits(), "--method", "ks", "--out", tmp_path / "a.fits")
    assert re.search(r"E variance \S+, B \S+ .*e2 flipped E \S+, B \S+", result.stdout)


def test_a_wrong_sign_of_e2_is_warned_about_and_can_be_turned(run, tmp_path):
    words = ["reconstruct", "cosmos", "--method", "ks", "--pixel-scale", 1]
    wrong = run(*words, "--flip-e2", "--out", tmp_path / "wrong.fits")
    assert wrong.exit_code == 0 and wrong.stderr.count("\n") == 1
    assert wrong.stderr.startswith("Warning: ") and "--flip-e2" in wrong.stderr
    right = run(*words, "--out", tmp_path / "right.fits")
    assert right.exit_code == 0 and right.stderr == ""


def test_one_warning_outside_the_domain(run, shear_fits, catalogue, tiny_checkpoint, tmp_path):
    words = ["--checkpoint", tiny_checkpoint, "--samples", 2]
    inside = run("reconstruct", shear_fits(), *words, "--out", tmp_path / "in.fits")
    assert inside.exit_code == 0 and inside.stderr == ""
    outside = run("reconstruct", catalogue(), *words, "--out", tmp_path / "out.fits")
    assert outside.exit_code == 0
    assert re.fullmatch(r"Warning: .*outside the domain.*pixel scale[^\n]*\n", outside.stderr)
    headers = [fits.getheader(tmp_path / name) for name in ("in.fits", "out.fits")]
    assert [h["INDOMAIN"] for h in headers] == [True, False]
    assert "pixel scale" in str(headers[1]["HISTORY"]) and headers[1]["CALIB"] is False
    assert headers[0]["CKPT"] == "tiny" and re.fullmatch("[0-9a-f]{12}", headers[0]["CKPTDIG"])


def test_the_bar_is_for_terminals_and_the_speed_for_all(run, shear_fits, tmp_path):
    words = ["--method", "wiener", "--samples", 6, "--out", tmp_path / "out.fits"]
    result = run("reconstruct", shear_fits(), *words)
    assert result.stderr == ""
    assert re.search(r"6 wiener samples, 56 × 40 pixels of 0\.5′, in .* samples/s", result.stdout)


def test_the_bar_counts_samples(monkeypatch, shear_fits):
    import tqdm

    from massgan_core.cli.reconstruct import draw

    steps = []

    class Bar(tqdm.tqdm):
        def update(self, n=1):
            steps.append((n, self.total))

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    field = mg.open_field(shear_fits())
    summary = draw(mg.sampler("wiener", field), field, 5, 2, seed=0, keep=3)
    assert steps == [(2, 5), (2, 5), (1, 5)]
    assert (summary.n, len(summary.samples)) == (5, 3)


def test_a_batch_too_large_for_the_device_is_said(shear_fits):
    from massgan_core.cli.reconstruct import draw

    class Greedy:
        def sample(self, field, n, generator=None):
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ValueError, match="--batch 8 does not fit into the memory of cpu"):
        draw(Greedy(), mg.open_field(shear_fits()), 8, 8, seed=0, keep=1)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 128 + signal.SIGTERM)]
)
def test_a_signal_while_sampling_leaves_nothing(start, shear_fits, tmp_path, number, code):
    path = shear_fits()
    words = ["--method", "wiener", "--samples", 10**7, "--batch", 1, "--out", "out.fits"]
    child = start("reconstruct", path, *words, cwd=tmp_path)
    assert child.stdout.readline().startswith("aperture mass")  # the field is read
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == code and "Traceback" not in err and out == ""
    assert err == ("Stopped.\n" if number == signal.SIGINT else "")
    assert [p.name for p in tmp_path.iterdir()] == ["field.fits"]


def test_ctrl_c_while_writing_leaves_nothing(run, shear_fits, tmp_path, monkeypatch):
    def half(self, name, **_):
        name.write_bytes(b"SIMPLE  =")
        raise KeyboardInterrupt

    path = shear_fits()
    monkeypatch.setattr(fits.HDUList, "writeto", half)
    result = run("reconstruct", path, "--method", "ks", "--out", tmp_path / "out.fits")
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")
    assert [p.name for p in tmp_path.iterdir()] == ["field.fits"]
