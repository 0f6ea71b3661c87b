"""``massgan reconstruct --method``: sparse, regression and score, and which file fits which."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from astropy.io import fits

import massgan_core as mg

SHAPE = (24, 32)


@pytest.fixture
def tiny(tiny_checkpoint, tmp_path):
    """Paths of small checkpoints with random weights, one of each kind."""
    from massgan_core import score
    from massgan_core.gan import checkpoint
    from massgan_core.gan.networks import build_moments
    from massgan_core.score.checkpoint import save

    card = checkpoint.load_card(tiny_checkpoint)
    paths = {"gan": tiny_checkpoint}
    for name in ("regression", "mean", "score"):
        paths[name] = tmp_path / f"{name}.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        both = build_moments(card["network"]).state_dict()
        prior = score.LevelUNet(widths=(8, 12), bottleneck=1, embedding=8)
        torch.nn.init.normal_(prior.leave.weight, std=0.02)
    told = card | {"kind": "regression", "training": {"stage": "variance"}}
    checkpoint.save(paths["regression"], both, told | {"name": "both"})
    mean = {k.removeprefix("mean."): v for k, v in both.items() if k.startswith("mean.")}
    checkpoint.save(paths["mean"], mean, told | {"name": "mean"})
    network = {"widths": [8, 12], "shuffle": 2, "bottleneck": 1, "embedding": 8}
    save(paths["score"], prior.state_dict(), card | {"name": "prior", "network": network})
    return paths


@pytest.fixture
def words(request, tiny):
    """Options that choose the method a test names, with its checkpoint."""

    def choose(method):
        known = ["--checkpoint", tiny[method]] if method in tiny else []
        return ["--method", method, *known, "--samples", 3, "--batch", 2]

    return choose


@pytest.mark.parametrize("method", ["sparse", "regression", "score"])
def test_the_output_is_what_the_stream_gives(run, shear_fits, words, tiny, tmp_path, method):
    path, out = shear_fits(shape=SHAPE), tmp_path / "out.fits"
    result = run("reconstruct", path, *words(method), "--seed", 9, "--out", out)
    assert result.exit_code == 0, result.output
    field = mg.open_field(path)
    file = str(tiny.get(method, ""))
    sampler = mg.sampler(method, field, checkpoint=file, device="cpu")
    n = 1 if method == "sparse" else 3
    *_, summary = mg.stream(sampler, field, n=n, batch=min(n, 2), seed=9)
    with fits.open(out) as hdus:
        assert (hdus[0].header["METHOD"], hdus[0].header["NSAMP"]) == (method, n)
        np.testing.assert_array_equal(hdus["MEAN"].data, summary.mean)
        np.testing.assert_array_equal(hdus["STD"].data, summary.std)
        names = {hdu.name for hdu in hdus[1:]}
        want = {"MEAN", "STD", "SNR", "KS", "KS_B", "LOW", "HIGH", "MASK", "FOOTPRT"}
        assert names == (want | {"PROB"} if method == "score" else want)
        assert "not calibrated" in str(hdus[0].header["HISTORY"])
        if method != "sparse":
            assert (hdus["STD"].data > 0).all() and "CKPTDIG" in hdus[0].header
            assert hdus["MEAN"].data.std() > 0 and "LOW and HIGH are not" in result.stdout


def test_a_sparse_map_has_no_uncertainty(run, shear_fits, words, tmp_path):
    path, out = shear_fits(shape=SHAPE), tmp_path / "out.fits"
    result = run("reconstruct", path, *words("sparse"), "--out", out)
    assert "One sparse map" in result.stdout and "NaN" in result.stdout and result.stderr == ""
    with fits.open(out) as hdus:
        assert np.isfinite(hdus["MEAN"].data).all()
        for name in ("STD", "SNR", "LOW", "HIGH"):
            assert np.isnan(hdus[name].data).all()
            assert "no uncertainty" in str(hdus[name].header["COMMENT"])
        # Its own threshold is not that of PROB.
        assert "PROBTHR" not in hdus[0].header
        assert "sparse_threshold = 3.0" in list(hdus[0].header["HISTORY"])


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(run, shear_fits, words, tmp_path):
    path, outs = shear_fits(shape=SHAPE), [tmp_path / f"{name}.fits" for name in "abc"]
    for out, seed in zip(outs, (4, 4, 5), strict=True):
        options = [*words("regression"), "--seed", seed, "--out", out]
        assert run("reconstruct", path, *options).exit_code == 0
    a, b, c = (out.read_bytes() for out in outs)
    assert a == b and not np.array_equal(*(fits.getdata(o, "MEAN") for o in outs[1:]))


@pytest.mark.parametrize("method", ["sparse", "regression", "score"])
def test_shear_outside_the_mask_never_matters(run, shear_fits, words, tmp_path, method):
    outs = []
    for folder, value in (("clean", 0.0), ("dirty", np.nan)):
        path = shear_fits(shape=SHAPE, name=f"{folder}/f.fits", garbage=value)
        outs.append(tmp_path / f"{folder}.fits")
        assert run("reconstruct", path, *words(method), "--out", outs[-1]).exit_code == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize("option", [["--save-samples"], ["--threshold", 0.02]])
@pytest.mark.parametrize(
    ("method", "why"),
    [("sparse", "draws no samples"), ("regression", "knows pixels one by one")],
)
def test_samples_of_a_method_without_them_are_refused(
    run, shear_fits, words, tmp_path, method, why, option
):
    result = run(
        "reconstruct", shear_fits(), *words(method), *option, "--out", tmp_path / "a.fits"
    )
    assert result.exit_code == 2 and not (tmp_path / "a.fits").exists()
    assert re.fullmatch(rf"Error: --method {method} {why}[^\n]*\n", result.stderr)


@pytest.mark.parametrize(
    ("method", "file", "sentence"),
    [
        ("gan", "regression", "is of kind regression: use it with method regression, or give one"),
        ("gan", "mean", "is of kind regression: use it with method regression"),
        ("gan", "score", "is of kind score: use it with method score, or give one of kind gan"),
        ("regression", "gan", "is of kind gan: use it with method gan, or give one of kind reg"),
        ("regression", "score", "is of kind score: use it with method score"),
        ("regression", "mean", "has a mean and no variance: train one with"),
        ("score", "gan", "a checkpoint of kind 'gan', not of a learned prior"),
        ("score", "regression", "a checkpoint of kind 'regression', not of a learned prior"),
        ("score", "nothing", "unknown checkpoint"),
    ],
)
def test_a_checkpoint_of_another_method_is_one_sentence(
    run, shear_fits, tiny, tmp_path, method, file, sentence
):
    choice = ["--method", method, "--checkpoint", tiny.get(file, file)]
    result = run("reconstruct", shear_fits(), *choice, "--out", tmp_path / "a.fits")
    assert result.exit_code == 2 and not (tmp_path / "a.fits").exists()
    assert result.stderr.startswith("Error: ") and result.stderr.count("\n") == 1
    assert sentence in result.stderr


def test_steps_are_those_of_the_sampler(run, shear_fits, words, tiny, tmp_path):
    path, out = shear_fits(shape=SHAPE), tmp_path / "out.fits"
    result = run("reconstruct", path, *words("score"), "--steps", 4, "--out", out)
    assert result.exit_code == 0, result.output
    field = mg.open_field(path)
    sampler = mg.sampler("score", field, checkpoint=str(tiny["score"]), device="cpu", steps=4)
    *_, summary = mg.stream(sampler, field, n=3, batch=2)
    with fits.open(out) as hdus:
        np.testing.assert_array_equal(hdus["MEAN"].data, summary.mean)
        assert "steps = 4" in list(hdus[0].header["HISTORY"])


@pytest.mark.parametrize(
    ("method", "steps", "why"),
    [
        ("wiener", 4, "`steps` belongs to method score, wiener has none: leave it out"),
        ("gan", 4, "`steps` belongs to method score, gan has none: leave it out"),
        ("score", -1, "`steps` must be a whole number ≥ 0, got -1"),
    ],
)
@pytest.mark.parametrize("verb", ["reconstruct", "variability", "changing-n"])
def test_steps_that_cannot_be_are_refused(
    run, shear_fits, words, tmp_path, verb, method, steps, why
):
    out = tmp_path / ("a.fits" if verb == "reconstruct" else "a.png")
    source = "lognormal:0" if verb == "changing-n" else shear_fits()
    show = ["--show", 2] if verb == "variability" else []
    result = run(verb, source, *words(method), *show, "--steps", steps, "--out", out)
    assert (result.exit_code, result.stderr) == (2, f"Error: {why}\n")
    assert not out.exists()


@pytest.mark.parametrize("method", ["sparse", "score"])
def test_a_calibration_for_a_method_without_one_is_refused(
    run, shear_fits, words, tmp_path, method
):
    options = [*words(method), "--calibration", "a", "--out", tmp_path / "a.fits"]
    result = run("reconstruct", shear_fits(), *options)
    assert result.exit_code == 2 and "--calibration belongs to a trained" in result.stderr
