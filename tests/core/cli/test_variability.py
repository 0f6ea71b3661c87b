"""``massgan variability``: a page, or one sentence and nothing."""

from __future__ import annotations

import pytest

WIENER = ("--method", "wiener")


def test_a_page_of_a_file(run, shear_fits, gan, tmp_path):
    out = tmp_path / "page.png"
    path = shear_fits(shape=(24, 32))
    result = run("variability", path, *gan, "--samples", 4, "--show", 2, "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes()[:4] == b"\x89PNG" and f"Wrote {out}." in result.stdout


def test_the_same_seed_is_the_same_page_and_another_is_not(run, shear_fits, tmp_path):
    path, outs = shear_fits(shape=(24, 32)), [tmp_path / f"{n}.png" for n in "abc"]
    for out, seed in zip(outs, (4, 4, 5), strict=True):
        words = ["--samples", 3, "--show", 2, "--seed", seed, "--out", out]
        assert run("variability", path, *WIENER, *words).exit_code == 0
    a, b, c = (out.read_bytes() for out in outs)
    assert a == b and a != c


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--method", "ks"], "--method must be one of gan, wiener, score.* got 'ks'"),
        (["--samples", 1], "--samples must be at least 2, got 1"),
        (["--batch", 0], "--batch must be at least 1, got 0"),
        (["--show", 7], "--show must lie between 1 and 6, got 7"),
        (["--show", 3, "--samples", 2], "--show must lie between 1 and 2, got 3"),
        (["--checkpoint", "nobody"], "unknown checkpoint 'nobody'"),
        (["--center", "1"], "--center must be two numbers"),
    ],
)
def test_bad_choices(run, shear_fits, tmp_path, words, sentence):
    check_refused(run, tmp_path, sentence, shear_fits(shape=(8, 8)), *words)


@pytest.mark.parametrize(
    ("source", "words", "sentence"),
    [
        ("nowhere.fits", [], "there is no file 'nowhere.fits'"),
        ("lognormal:x", [], "must be lognormal, lognormal:SEED"),
        ("lognormal:0-3", [], "INPUT must be one sky, got 4"),
        ("nfw:1", ["--size", 9, "--flip-e1"], "--size, --flip-e1 are for files and cosmos"),
    ],
)
def test_bad_input(run, tmp_path, source, words, sentence):
    check_refused(run, tmp_path, sentence, source, *WIENER, *words)


@pytest.mark.parametrize("name", ["page.jpg", "page", "nowhere/page.png"])
def test_a_place_where_nothing_can_be_written(run, tmp_path, name):
    result = run("variability", "cosmos", *WIENER, "--out", tmp_path / name)
    assert result.exit_code == 2 and result.stderr.startswith("Error: ")
    assert list(tmp_path.iterdir()) == []


def check_refused(run, folder, sentence, source, *words):
    import re

    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    result = run("variability", source, *words, "--out", folder / "page.png")
    assert result.exit_code == 2, result.output
    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("Error: ")] == lines[-1:]
    assert re.search(sentence, lines[-1]), lines[-1]
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
