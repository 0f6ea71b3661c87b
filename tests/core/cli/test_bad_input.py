"""Bad input: one sentence, exit code 2, no file; legal input of unusual shape: a right result."""

from __future__ import annotations

import json
import pickle
import re

import numpy as np
import pytest
from astropy.io import fits


@pytest.fixture
def refused(run, tmp_path):
    """Run ``reconstruct`` on bad input; check exit code, sentence and folder; the sentence."""

    def go(*words: object, out: object = None) -> str:
        out = out or tmp_path / "out.fits"
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        result = run("reconstruct", *words, "--out", out)
        assert result.exit_code == 2, result.output
        lines = result.stderr.splitlines()
        errors = [line for line in lines if line.startswith("Error: ")]
        assert len(errors) == 1 and lines[-1] == errors[0]
        assert all(re.match("Error: |Warning: ", line) for line in lines)
        assert "Traceback" not in result.output
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
        return errors[0]

    return go


KS = ("--method", "ks")

# Catalogues


def test_missing_columns(refused, catalogue):
    text = refused(catalogue(names="ra,dec,shape1,shape2,weight"), *KS)
    assert re.search("no column for e1, e2.*shape1, shape2", text)


def test_columns_by_name(run, refused, catalogue, tmp_path):
    path = catalogue(names="ra,dec,shape1,shape2,weight")
    assert "nothing" in refused(path, *KS, "--columns", "e1=nothing,e2=shape2")
    good = run("reconstruct", path, *KS, "--columns", "e1=shape1,e2=shape2",
               "--out", tmp_path / "good.fits")  # fmt: skip
    assert good.exit_code == 0, good.output


def test_a_catalogue_of_nan(refused, catalogue):
    def spoil(table):
        table[:, 2] = np.nan

    text = refused(catalogue(change=spoil), *KS)
    assert re.search("finite|NaN|nan", text)


@pytest.mark.filterwarnings("default:.*left out:UserWarning")
def test_some_nan_are_left_out_and_counted(run, catalogue, tmp_path):
    def spoil(table):
        table[::100, 2] = np.nan

    out = tmp_path / "out.fits"
    result = run("reconstruct", catalogue(change=spoil), *KS, "--out", out)
    assert result.exit_code == 0 and np.isfinite(fits.getdata(out, "MEAN")).all()
    assert re.fullmatch(r"Warning: [^\n]*left out 60 of 6000 rows[^\n]*\n", result.stderr)
    assert fits.getdata(out, "NGAL").sum() == 6000 - 60


def test_no_galaxies_in_the_field(refused, catalogue):
    text = refused(catalogue(), *KS, "--center", "10,-40", "--size", 20)
    assert re.search("no galax|holds no", text)


def test_right_ascension_may_cross_zero(run, catalogue, tmp_path):
    """The field about RA 0° is the field about RA 150°, elsewhere."""
    maps = []
    for ra in (150.0, 0.0):
        path, out = catalogue(center=(ra, 2.0), name=f"{ra}.csv"), tmp_path / f"{ra}.fits"
        words = ["--pixel-scale", 0.5, "--center", f"{ra},2", "--size", 12]
        result = run("reconstruct", path, *KS, *words, "--out", out)
        assert result.exit_code == 0, result.output
        maps.append(fits.getdata(out, "MEAN"))
    assert maps[0].shape == (24, 24)
    np.testing.assert_allclose(maps[1], maps[0], atol=1e-5 * maps[0].std())


def test_right_ascension_may_cross_zero_without_a_centre(run, catalogue, tmp_path):
    out = tmp_path / "out.fits"
    path = catalogue(center=(0.0, 2.0))
    assert run("reconstruct", path, *KS, "--pixel-scale", 1, "--out", out).exit_code == 0
    assert max(fits.getdata(out, "MEAN").shape) <= 14
    assert fits.getdata(out, "NGAL").sum() == 6000


def test_declination_of_80_degrees_is_legal(run, catalogue, tmp_path):
    """Near the centre of the field nothing tells it from the equator but the turn of North."""
    maps = []
    for dec in (0.0, 80.0):
        path, out = catalogue(center=(150.0, dec), name=f"{dec}.csv"), tmp_path / f"{dec}.fits"
        words = ["--pixel-scale", 1, "--center", f"150,{dec}", "--size", 12]
        result = run("reconstruct", path, *KS, *words, "--out", out)
        assert result.exit_code == 0, result.output
        maps.append(fits.getdata(out, "MEAN"))
        assert fits.getdata(out, "NGAL").sum() == 6000
    # At δ = 80° and 6′ from the centre North turns by 0.6°, shear by 1.1° or 2 %.
    assert np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1] > 0.999
    assert not np.array_equal(maps[0], maps[1])


# Shear-field FITS


@pytest.mark.parametrize("name", ["GAMMA1", "GAMMA2", "SIGMA", "MASK"])
def test_a_missing_hdu_is_named(refused, shear_fits, name):
    assert re.search(rf"without {name}", refused(shear_fits(drop=(name,)), *KS))


def spoil_mask(images):
    images["MASK"][:] = 0


def spoil_sigma(value):
    def change(images):
        images["SIGMA"][20, 20] = value

    return change


def spoil_gamma(images):
    images["GAMMA2"][20, 20] = np.nan


def spoil_shape(images):
    images["SIGMA"] = images["SIGMA"][:, :-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (spoil_mask, "`mask` must hold at least one"),
        (spoil_sigma(0.0), "`sigma` must be positive and finite inside the mask, got 1"),
        (spoil_sigma(-0.1), "`sigma` must be positive and finite"),
        (spoil_sigma(np.nan), "`sigma` must be positive and finite"),
        (spoil_gamma, "`gamma` must be finite inside the mask"),
        (spoil_shape, "must have the shape"),
    ],
)
@pytest.mark.parametrize("name", ["ks", "wiener"])
def test_a_field_that_cannot_be_used(refused, shear_fits, change, words, name):
    assert words in refused(shear_fits(change=change), "--method", name)


def test_noise_outside_the_mask_may_be_anything(run, shear_fits, tmp_path):
    def change(images):
        images["SIGMA"][images["MASK"] == 0] = np.nan

    out = tmp_path / "out.fits"
    assert run("reconstruct", shear_fits(change=change), *KS, "--out", out).exit_code == 0
    assert np.isfinite(fits.getdata(out, "MEAN")).all()


def test_a_field_without_a_pixel_scale(refused, shear_fits):
    assert "PIXSCALE" in refused(shear_fits(wcs=False), *KS)


def test_files_that_are_no_input(refused, shear_fits, tmp_path):
    good = shear_fits().read_bytes()
    cases = {"short.fits": good[:3000], "cut.fits": good[: len(good) // 2], "empty.fits": b""}
    cases |= {"text.csv": b"hello\nworld\n", "noise.bin": bytes(range(256)) * 20}
    for name, content in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert name in refused(path, *KS)
    assert "there is no file" in refused(tmp_path / "gone.fits", *KS)
    assert "folder" in refused(tmp_path, *KS)


# Checkpoints


def write_checkpoint(path, metadata):
    import torch
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(3)}, path, metadata=metadata)


def test_bad_checkpoints(refused, shear_fits, tiny_checkpoint, tmp_path):
    field, whole = shear_fits(), tiny_checkpoint.read_bytes()
    paths = {name: tmp_path / f"{name}.safetensors" for name in "abcdefg"}
    paths["a"].write_bytes(whole[:-100])
    paths["b"].write_bytes(whole[:5])
    write_checkpoint(paths["c"], {"massgan": json.dumps({"format_version": 999})})
    write_checkpoint(paths["d"], {"format_version": "999"})
    paths["e"].write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
    paths["f"].write_bytes(pickle.dumps({"weights": [1, 2, 3]}, protocol=0))
    paths["g"].write_bytes(b"PK\x03\x04" + bytes(100))
    words = {"a": "whole", "b": "whole", "c": "format 999", "d": "not a MassGAN checkpoint"}
    words |= {"e": "pickle", "f": "safetensors", "g": "pickle"}
    for name, path in paths.items():
        text = refused(field, "--checkpoint", path)
        assert path.name in text and words[name] in text
    assert "unknown checkpoint 'nowhere'" in refused(field, "--checkpoint", "nowhere")


def test_a_header_of_128_bytes_more_is_no_pickle(run, shear_fits, tiny_checkpoint, tmp_path):
    """A .safetensors file starts with the length of its header: any byte, 0x80 too."""
    from massgan_core.gan import checkpoint, load_card
    from massgan_core.gan.checkpoint import load_weights

    card, weights = load_card(tiny_checkpoint), load_weights(tiny_checkpoint)
    path = tmp_path / "odd.safetensors"
    for _ in range(64):
        checkpoint.save(path, weights, card)
        if path.read_bytes()[0] == 0x80:
            break
        card["trained_on"] += "8 bytes."
    assert path.read_bytes()[0] == 0x80
    words = ["--checkpoint", path, "--samples", 1, "--batch", 1, "--out", tmp_path / "out.fits"]
    result = run("reconstruct", shear_fits(), *words)
    assert result.exit_code == 0, result.output


def test_a_pickle_is_never_opened(refused, shear_fits, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    path = tmp_path / "bomb.safetensors"
    path.write_bytes(pickle.dumps(Bomb()))
    refused(shear_fits(), "--checkpoint", path)
    assert not (tmp_path / "exploded").exists()


# Options


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ["--method", "magic"],
            "--method must be one of gan, wiener, sparse, ks, regression, score, got 'magic'",
        ),
        (["--method", "wiener", "--samples", "0"], "--samples must be at least 1, got 0"),
        (["--method", "wiener", "--batch", "-1"], "--batch must be at least 1, got -1"),
        (["--checkpoint", "nowhere"], "unknown checkpoint 'nowhere'"),
        ([*KS, "--device", "tpu"], "`device` must be auto, cpu"),
        ([*KS, "--save-samples"], "--method ks draws no samples"),
        ([*KS, "--threshold", "0.1"], "--method ks draws no samples"),
        (["--method", "wiener", "--threshold", "nan"], "--threshold must be finite"),
        (["--method", "wiener", "--prob-smoothing", "-1"], "--prob-smoothing ≥ 0"),
        ([*KS, "--center", "150"], "--center must be two numbers"),
        ([*KS, "--center", "10h,+2d"], "--center must be two numbers"),
        ([*KS, "--size", "1,2,3"], "--size must be one number or two"),
        ([*KS, "--size", "nan"], "--size must be one number or two"),
    ],
)
def test_options_are_refused_before_any_work(refused, monkeypatch, words, text):
    def work(*_, **__):
        raise AssertionError("the field was opened")

    monkeypatch.setattr("massgan_core.survey.open_field", work)
    assert text in refused("cosmos", *words)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("out.txt", "must end in .fits, .zarr, .nc"),
        ("nowhere/out.fits", "nowhere does not exist"),
        ("taken.fits", "exists; choose another name or pass --overwrite"),
        ("taken.fits/out.nc", "does not exist"),
    ],
)
def test_outputs_are_refused_before_any_work(refused, monkeypatch, tmp_path, name, text):
    def work(*_, **__):
        raise AssertionError("the field was opened")

    (tmp_path / "taken.fits").write_text("mine")
    monkeypatch.setattr("massgan_core.survey.open_field", work)
    assert text in refused("cosmos", *KS, out=tmp_path / name)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--ellipticity", "round"], "`ellipticity` must be one of shear, distortion"),
        (["--noise", "none"], "`noise` must be one of weighted, published"),
        (["--nz", "gone.txt"], "gone.txt"),
        (["--zs", "-1"], "`zs` must be a positive redshift"),
        (["--zs", "1", "--nz", "gone.txt"], "not both"),
        (["--pixel-scale", "0"], "pixel"),
        (["--columns", "ra"], "`columns` must read"),
        (["--size", "-3"], "size"),
    ],
)
def test_choices_about_the_field_are_refused(refused, catalogue, words, text):
    assert text in refused(catalogue(), *KS, *words)


def test_overwrite_replaces(run, shear_fits, tmp_path):
    path, out = shear_fits(), tmp_path / "out.fits"
    out.write_text("mine")
    words = ["reconstruct", path, *KS, "--out", out]
    assert run(*words).exit_code == 2 and out.read_text() == "mine"
    assert run(*words, "--overwrite").exit_code == 0
    assert fits.getheader(out)["METHOD"] == "ks"
