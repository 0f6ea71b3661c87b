"""``massgan simulate``: a store of maps, its progress, and one sentence for bad input."""

from __future__ import annotations

import re
import signal
import time

import numpy as np
import pytest

from massgan_core.data import MapStore

FEW = ("--n", 3, "--side", 8, "--zs", 1)


@pytest.fixture
def refused(run, tmp_path):
    """Run ``simulate`` on bad input; check exit code, sentence and folder; the sentence."""

    def go(*words: object, out: object = None) -> str:
        out = out or tmp_path / "out.zarr"
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        folders = sorted(p for p in tmp_path.rglob("*") if p.is_dir())
        result = run("simulate", out, *FEW, *words)
        assert result.exit_code == 2 and result.stdout == "", result.output
        assert re.fullmatch(r"(Warning: [^\n]+\n)?Error: [^\n]+\n", result.stderr)
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
        assert sorted(p for p in tmp_path.rglob("*") if p.is_dir()) == folders
        return result.stderr.splitlines()[-1]

    return go


def kappa(path):
    return {p.name: p.read_bytes() for p in (path / "kappa").iterdir() if p.name[0] == "c"}


def test_a_store_is_begun_gone_on_with_and_extended(run, tmp_path):
    out = tmp_path / "out.zarr"
    first = run("simulate", out, *FEW)
    assert first.exit_code == 0 and first.stderr == ""
    assert re.fullmatch(
        rf"Wrote 3 maps from 3 boxes to {re.escape(str(out))} \(16 × 16 pixels of 0\.29′, "
        r"float16, [\d.]+ s, [\d.]+ maps/s\)\.\n",
        first.stdout,
    )
    assert run("simulate", out, *FEW).stdout == f"All 3 maps are in {out} already.\n"
    more = run("simulate", out, *FEW, "--n", 4)
    assert re.match(r"Wrote 1 map from 1 box to .* \(3 were there, ", more.stdout)
    assert len(MapStore.open(out).done()) == 4


def test_options_become_columns(run, tmp_path):
    out, table = tmp_path / "out.zarr", tmp_path / "nz.txt"
    table.write_text("z,count\n0.5,1\n0.7,3\n0.9,2\n")
    words = ["--nz", table, "--stretch", "1,1.5", "--w", "-1.1:-0.9", "--omega-m", "0.3"]
    words += ["--n-s", "0.95", "--per-box", 1, "--seed", -7, "--dtype", "float32"]
    result = run("simulate", out, "--n", 4, "--side", 8, *words)
    assert result.exit_code == 0, result.output
    store = MapStore.open(out)
    assert store.dtype == "float32" and store.settings["seed"] == -7
    assert store.settings["cosmology"]["w"] == [-1.1, -0.9]
    np.testing.assert_array_equal(store.rows("sources"), [0, 1, 0, 1])
    np.testing.assert_allclose([s.mean for s in store.sources], [0.83, 1.25], atol=0.03)
    assert len(set(store.rows("w"))) == 4 and (abs(store.rows("w") + 1) <= 0.1).all()
    assert set(store.rows("omega_m")) == {0.3} and set(store.rows("n_s")) == {0.95}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--kind", "sphere"], "`kind` must be one of lognormal, nbody, ktng, got 'sphere'"),
        (["--n", "0"], "`n` must be at least 1, got 0"),
        (["--side", "0"], "`side` must be at least 1, got 0"),
        (["--workers", "0"], "`workers` must be at least 1, got 0"),
        (["--per-box", "-2"], "`per_box` must be at least 1, got -2"),
        (["--pixel-scale", "nan"], "`pixel_scale` must be positive"),
        (["--dtype", "int8"], "`dtype` must be one of float16, float32"),
        (["--device", "tpu"], "`device` must be auto, cpu"),
        (["--zs", "-1"], "`redshift` of the sources must exceed"),
        (["--zs", "nan"], "`redshift` of the sources must exceed"),
        (["--nz", "nz.txt"], "give --nz or --zs, not both"),
        (["--stretch", "1,x"], "--stretch must be numbers"),
        (["--stretch", "-1"], "`stretch` must be distinct factors > 0"),
        (["--sigma8", "high"], "--sigma8 must be a number or a range LOW:HIGH, got 'high'"),
        (["--sigma8", "0.6:0.8:1"], "--sigma8 must be a number or a range"),
        (["--sigma8", "1.0:0.6"], "`sigma8` must run from low to high"),
        (["--omega-m", "-0.3"], "`omega_m` must be positive"),
        (["--h", "67.7"], "`h` must lie within 0.5 and 1.0, got 67.7"),
        (["--w", "-5:-1"], "`w` must lie within -2.0 and -0.5, got -5.0"),
        (["--n-s", "nan"], "--n-s must be a number or a range"),
        (["--preset", "tiny"], "`preset` is not for lognormal maps"),
        (["--kind", "nbody", "--preset", "vast"], "`preset` must be one of tiny, small"),
        (["--kind", "nbody", "--zs", "9"], "must end within the light cone"),
        (["--kind", "nbody", "--preset", "tiny", "--side", "800"], "more than half"),
        (["--kind", "ktng"], "ktng maps need `root`"),
        (["--kind", "ktng", "--root", "gone"], "`root` must be the folder that holds LP001"),
        (["--kind", "ktng", "--root", ".", "--h", "0.7"], "`cosmology` is not for ktng maps"),
        (["--boxes", "5-2"], "--boxes must be whole numbers like 1,2,5-9, got '5-2'"),
        (["--dask", "tcp://127.0.0.1:9", "--workers", "2"], "`workers` or `dask`, not both"),
        (["--dask", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_one_sentence_and_no_store(refused, words, text):
    assert text in refused(*words)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (b"-0.8 1\n0.2 2\n1.2 1\n", "`redshift` must be non-negative and increasing"),
        (b"0.5 -1\n1.5 2\n", "`density` must be non-negative"),
        (b"0.5 1\n", "must hold at least two rows"),
        (b"hello\nworld\n", "two columns of numbers"),
        (b"\xff\xfe\x00\x01", "must be a text file of two columns"),
        (None, "nz.txt: No such file"),
    ],
)
def test_bad_source_redshifts_are_one_sentence(run, tmp_path, table, text):
    path = tmp_path / "nz.txt"
    if table is not None:
        path.write_bytes(table)
    result = run("simulate", tmp_path / "out.zarr", "--n", 2, "--side", 8, "--nz", path)
    assert result.exit_code == 2 and text in result.stderr
    assert result.stderr.count("\n") == 1 and not (tmp_path / "out.zarr").exists()


def test_places_that_cannot_be_written(refused, run, tmp_path):
    assert "does not exist" in refused(out=tmp_path / "gone" / "out.zarr")
    (tmp_path / "mine.txt").write_text("mine")
    assert "is not a map store" in refused(out=tmp_path / "mine.txt")
    (tmp_path / "folder").mkdir()
    assert "is not a map store" in refused(out=tmp_path / "folder")


def test_a_store_of_other_settings_or_damaged_is_left_as_it_is(refused, run, tmp_path):
    out = tmp_path / "out.zarr"
    assert run("simulate", out, *FEW).exit_code == 0
    assert "was begun with settings.seed 0, not 1" in refused("--seed", 1)
    assert "was begun with other sources" in refused("--zs", 0.8)
    assert "cosmology.sigma8 0.81, not [0.6, 1.0]" in refused("--sigma8", "0.6:1.0")
    assert "was begun with kind 'lognormal', not 'nbody'" in refused("--kind", "nbody")
    (out / "zarr.json").write_text("{")
    assert "is not a map store, or its zarr.json is damaged" in refused()


def test_ktng_from_its_files(run, tmp_path):
    """Whole maps of 1024² pixels, on the few source planes that one redshift needs."""
    from massgan_core.simulate.kappa_tng import plane_weights
    from massgan_core.sky import Sources

    rng, mark = np.random.default_rng(2), np.array([1024], "<i4").tobytes()
    data = mark + (0.02 * rng.standard_normal((1024, 1024))).tobytes() + mark
    folder = tmp_path / "ktng" / "LP005" / "run001"
    folder.mkdir(parents=True)
    for number in np.flatnonzero(plane_weights(Sources.plane(1.0))[0]) + 1:
        (folder / f"kappa{number:02d}.dat").write_bytes(data)
    words = ["--kind", "ktng", "--root", tmp_path / "ktng", "--boxes", "5"]
    result = run("simulate", tmp_path / "out.zarr", *FEW, *words)
    assert result.exit_code == 0 and "Wrote 3 maps from 1 box to" in result.stdout
    assert set(MapStore.open(tmp_path / "out.zarr").rows("box")) == {5}
    assert (
        "`boxes` must be some of"
        in run("simulate", tmp_path / "b.zarr", *FEW, *words[:-1], "4-6").stderr
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["INT", "TERM"])
def test_a_stopped_run_says_how_to_go_on_and_does(run, start, tmp_path, number):
    out, words = tmp_path / "out.zarr", ("--side", 8, "--zs", 1)
    child = start("simulate", out, "--n", 5000, *words)
    while not any(p.name[0] == "c" for p in (out / "kappa").glob("c*")):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(number)
    stdout, stderr = child.communicate(timeout=60)
    assert child.returncode == 128 + number and stdout == ""
    there = len(MapStore.open(out).done())
    assert f"{there} of 5000 maps are in {out}; the same command goes on.\n" in stderr
    assert re.fullmatch(r"[^\n]+\n(Stopped\.\n)?", stderr) and 0 < there < 5000
    n = min(there + 20, 200)
    for path in (out, tmp_path / "whole.zarr"):
        assert run("simulate", path, "--n", n, *words).exit_code == 0
    whole = kappa(tmp_path / "whole.zarr")
    assert {name: data for name, data in kappa(out).items() if name in whole} == whole


def test_progress_shows_where_somebody_watches(run, tmp_path, monkeypatch):
    import tqdm

    class Watched(tqdm.tqdm):
        def __init__(self, **settings: object) -> None:
            super().__init__(**settings | {"disable": False, "mininterval": 0})

    monkeypatch.setattr(tqdm, "tqdm", Watched)
    result = run("simulate", tmp_path / "out.zarr", *FEW)
    assert re.search(r"2 of 3 maps  67%\|.*\| 00:0\d gone, 00:0\d left", result.stderr)
    assert "3 of 3 maps 100%" in result.stderr
