"""Runs that are stopped, resumed, extended, shared out, refused, or out of disk."""

import errno
import sys
from collections import Counter
from dataclasses import asdict, replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from massgan_core.data import MapStore
from massgan_core.simulate import PLANCK, boxes, kappa_tng
from massgan_core.simulating import simulate
from massgan_core.simulating_plan import TNG
from massgan_core.sky import Sources

SIDE = 12
NEAR, FAR = Sources.plane(0.3), Sources.plane(1.0)
SUITE = {"sigma8": (0.7, 0.9), "omega_m": (0.25, 0.35)}


def run(out, n=5, **settings):
    return simulate(out, **({"n": n, "side": SIDE, "sources": FAR, "per_box": 2} | settings))


def maps(out):
    """Every map of a store as it lies on disk, by its row."""
    return {p.name: p.read_bytes() for p in (out / "kappa").iterdir() if p.name[0] == "c"}


def stopping(after):
    """A `watch` that stops the run once so many maps are there."""

    def watch(now):
        if now.maps >= after:
            raise KeyboardInterrupt

    return watch


@pytest.fixture
def nbody(monkeypatch):
    """A box small enough to simulate in a moment; settings of a run that uses it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # waking others would be most of the work
    small = replace(boxes.PRESETS["tiny"], particles=8, mesh=16, depth=0.4, early=1, finest=4.0)
    monkeypatch.setitem(boxes.PRESETS, "tiny", small)
    yield {"kind": "nbody", "preset": "tiny", "sources": NEAR}
    torch.set_num_threads(before)


@pytest.fixture
def ktng(monkeypatch, tmp_path_factory):
    """Files of κTNG with few pixels: boxes 3 (two runs) and 8; settings of a run on them."""
    size, root = 30, tmp_path_factory.mktemp("ktng")
    rng = np.random.default_rng(1)
    for name in ("LP003/run001", "LP003/run002", "LP008/run001"):
        folder = root / name
        folder.mkdir(parents=True)
        mark = np.array([size], "<i4").tobytes()
        for number in range(1, 41):
            data = (0.02 * rng.standard_normal((size, size))).astype("<f8").tobytes()
            (folder / f"kappa{number:02d}.dat").write_bytes(mark + data + mark)
    monkeypatch.setattr(kappa_tng, "KappaTNG", partial(kappa_tng.KappaTNG, side=size))
    return {"kind": "ktng", "root": root, "pixel_scale": 10.0, "per_box": None}


@pytest.fixture(params=["lognormal", "nbody", "ktng"])
def kind(request):
    """Settings of each kind of run in turn, on a suite and on several n(z) where it can be."""
    chosen = {} if request.param == "lognormal" else request.getfixturevalue(request.param)
    chosen = {"kind": request.param, "stretch": [1.0, 0.8]} | chosen
    return chosen if request.param == "ktng" else chosen | {"prior": SUITE}


# Laws of every kind


def test_a_stopped_run_resumes_to_the_same_bytes(kind, tmp_path):
    whole = run(tmp_path / "whole.zarr", 5, **kind)
    assert whole.written == 5 and whole.before == 0
    out = tmp_path / "stopped.zarr"
    for after in (1, 4):
        with pytest.raises(KeyboardInterrupt):
            run(out, 5, watch=stopping(after), **kind)
    resumed = run(out, 5, **kind)
    assert 0 < resumed.written < 5 and resumed.written + resumed.before == 5
    assert maps(out) == maps(whole.store.path)
    assert run(out, 5, **kind).written == 0


def test_an_extended_run_is_the_longer_run(kind, tmp_path):
    whole = run(tmp_path / "whole.zarr", 5, **kind).store
    out = tmp_path / "grown.zarr"
    assert [run(out, n, **kind).written for n in (3, 4, 2, 5)] == [3, 1, 0, 1]
    grown = MapStore.open(out)
    assert maps(out) == maps(whole.path)
    for name in ("box", "seed", "sources", "sigma8", "omega_m", "tiled"):
        np.testing.assert_array_equal(grown.rows(name), whole.rows(name))
    assert whole.rows("sources").tolist() == [0, 1, 0, 1, 0]


def test_maps_have_zero_mean_and_all_differ(kind, tmp_path):
    store = run(tmp_path / "a.zarr", 4, dtype="float32", **kind).store
    kappa = store.read(range(4))
    assert kappa.shape == (4, 2 * SIDE, 2 * SIDE) and store.dtype == "float32"
    assert kappa.mean((1, 2)).abs().max() < 1e-6 and (kappa.std((1, 2)) > 1e-5).all()
    assert len(set(maps(store.path).values())) == 4
    other = run(tmp_path / "b.zarr", 4, dtype="float32", seed=1, **kind).store
    assert not set(maps(store.path).values()) & set(maps(other.path).values())


def test_other_settings_are_refused_and_change_nothing(kind, tmp_path):
    out = tmp_path / "a.zarr"
    run(out, 3, **kind)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    for change, message in [
        ({"seed": 9}, "begun with settings.seed 0, not 9"),
        ({"dtype": "float32"}, "begun with dtype 'float16', not 'float32'"),
        ({"stretch": [1.0, 0.7]}, "begun with other sources"),
        ({"side": 10}, "begun with other shape|begun with shape"),
    ]:
        with pytest.raises(ValueError, match=message):
            run(out, 6, **(kind | change))
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_progress_only_grows(kind, tmp_path):
    seen = []
    run(tmp_path / "a.zarr", 5, watch=seen.append, **kind)
    for name in ("maps", "boxes", "share"):
        values = [getattr(now, name) for now in seen]
        assert values == sorted(values) and values[0] == 0
    assert (seen[-1].maps, seen[-1].total, seen[-1].boxes) == (5, 5, seen[-1].all_boxes)
    assert seen[-1].share == pytest.approx(1.0)
    assert seen[-1].all_boxes == (3 if kind["kind"] == "nbody" else 0)


# Plans


def test_a_lognormal_map_is_a_box_of_its_own(tmp_path):
    outcome = run(tmp_path / "a.zarr", 6, prior=SUITE)
    store = outcome.store
    assert store.boxes() == list(range(6)) and outcome.boxes == 6
    sigma8 = store.rows("sigma8").reshape(3, 2)
    assert (sigma8[:, 0] == sigma8[:, 1]).all() and len(set(sigma8[:, 0])) == 3
    assert (0.7 <= sigma8).all() and (sigma8 <= 0.9).all()


def test_lognormal_maps_have_the_amplitude_of_their_cosmology_and_depth(tmp_path):
    """std of κ grows with σ8 and depth; each n(z) has its own σ_κ at the fiducial cosmology."""
    low, high = (
        run(tmp_path / f"{s}.zarr", 12, side=30, stretch=[0.5, 1.0], cosmology=c).store
        for s, c in enumerate((replace(PLANCK, sigma8=0.6), replace(PLANCK, sigma8=1.0)))
    )
    assert low.scales == high.scales and low.scales[0] < 0.6 * low.scales[1]
    for store, ratio in ((low, 0.65), (high, 1.35)):
        for number, scale in enumerate(store.scales):
            std = store.read(store.where(sources=number)).std()
            assert float(std) / scale == pytest.approx(ratio, rel=0.2)


def test_nbody_maps_share_boxes_of_one_cosmology(nbody, tmp_path):
    out = tmp_path / "a.zarr"
    outcome = run(out, 5, prior=SUITE, planes=tmp_path / "planes", **nbody)
    assert outcome.store.rows("box").tolist() == [0, 0, 1, 1, 2] and outcome.boxes == 3
    cards = [boxes.read_card(tmp_path / "planes" / f"box_{b:05d}") for b in range(3)]
    assert len({card["seed"] for card in cards}) == 3
    for row, box in enumerate([0, 0, 1, 1, 2]):
        for name, value in cards[box]["cosmology"].items():
            assert outcome.store.rows(name)[row] == value


def test_ktng_boxes_are_the_numbers_of_the_light_cones(ktng, tmp_path):
    store = run(tmp_path / "a.zarr", 20, **ktng).store
    assert set(store.rows("box")) == {3, 8}
    assert {name: store.rows(name)[0] for name in asdict(TNG)} == asdict(TNG)
    some = run(tmp_path / "b.zarr", 5, boxes=[8], **ktng).store
    assert set(some.rows("box")) == {8}
    with pytest.raises(ValueError, match="begun with settings.realisations '3 from LP003_run001"):
        run(tmp_path / "a.zarr", 30, boxes=[8], **ktng)


def test_ktng_reads_only_as_deep_as_its_planes(ktng, tmp_path):
    with pytest.warns(UserWarning, match="at redshift 2.57, but 43% of the sources lie beyond"):
        run(tmp_path / "a.zarr", 1, **(ktng | {"sources": Sources([2, 3], [1, 1])}))
    with pytest.raises(ValueError, match="100% of the sources lie beyond"):
        run(tmp_path / "b.zarr", 1, **(ktng | {"sources": Sources.plane(3.5)}))
    assert not (tmp_path / "b.zarr").exists()


# Planes


def test_planes_go_when_their_box_has_given_all_its_maps(nbody, tmp_path):
    out, planes = tmp_path / "a.zarr", tmp_path / "a.zarr.planes"
    run(out, 3, **nbody)
    assert [p.name for p in planes.iterdir()] == ["box_00001"]  # one map is still to come
    run(out, 4, **nbody)
    assert not planes.exists()
    run(tmp_path / "b.zarr", 4, planes=tmp_path / "kept", **nbody)
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_kept_planes_serve_another_store_and_refuse_another_run(nbody, tmp_path, monkeypatch):
    shared = nbody | {"planes": tmp_path / "kept"}
    run(tmp_path / "a.zarr", 2, **shared)
    monkeypatch.setattr(boxes, "_simulate", None)  # any box simulated from here on fails
    run(tmp_path / "b.zarr", 2, stretch=[0.9], **shared)
    with pytest.raises(ValueError, match="box_00000 holds planes of another box"):
        run(tmp_path / "c.zarr", 2, seed=5, **shared)


def test_a_box_stopped_half_way_leaves_no_planes(nbody, tmp_path):
    out = tmp_path / "a.zarr"

    def watch(now):
        if 0.3 < now.share < 0.6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(out, 2, watch=watch, **nbody)
    assert not (tmp_path / "a.zarr.planes").exists() and MapStore.open(out).done() == []


def test_a_field_wider_than_the_box_is_told_or_refused(nbody, tmp_path):
    wide = nbody | {"pixel_scale": 36.0}
    with pytest.raises(ValueError, match="box of 64 Mpc/h repeats within the crop for .*half"):
        run(tmp_path / "a.zarr", 2, **(wide | {"side": 30}))
    with pytest.raises(ValueError, match="must end within the light cone"):
        run(tmp_path / "a.zarr", 2, **(nbody | {"sources": FAR}))
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(UserWarning, match="repeats within the crop for [2-4].%") as told:
        store = run(tmp_path / "a.zarr", 2, **wide).store
    assert len(told) == 1 and 0.2 < store.rows("tiled")[0] < 0.5


# Disks and other runs


def test_a_full_disk_is_one_sentence_and_keeps_what_was_written(tmp_path, monkeypatch):
    out, write = tmp_path / "a.zarr", MapStore.write

    def full(store, row, kappa):
        if row == 3:
            raise OSError(errno.ENOSPC, "row 3 could not be written", str(store.path))
        write(store, row, kappa)

    monkeypatch.setattr(MapStore, "write", full)
    with pytest.raises(OSError, match="no room is left") as told:
        run(out, 6)
    assert told.value.filename == str(out)
    assert "the 3 of 6 maps written remain" in told.value.strerror
    monkeypatch.setattr(MapStore, "write", write)
    assert run(out, 6).before == 3


def test_a_disk_that_planes_fill_is_the_same_sentence(nbody, tmp_path, monkeypatch):
    real, calls = boxes._paint, Counter()

    def paint(folder, *rest):
        calls["planes"] += 1
        if calls["planes"] > 12:
            raise OSError("12288 requested and 512 written")  # as numpy has it
        real(folder, *rest)

    monkeypatch.setattr(boxes, "_paint", paint)
    with pytest.raises(OSError, match="no room is left") as told:
        run(tmp_path / "a.zarr", 100, **nbody)
    assert "maps written remain" in told.value.strerror
    left = [p.name for p in tmp_path.glob("a.zarr.planes/*")]
    assert not any(name.endswith(".part") for name in left)


def test_a_store_too_large_for_the_disk_is_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5000))
    with pytest.raises(OSError, match=r"100 maps take 0\.1 MB, the disk has 0\.0 MB left"):
        run(tmp_path / "a.zarr", 100)
    assert list(tmp_path.iterdir()) == []


def test_boxes_too_large_for_the_machine_are_not_begun(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sysconf", lambda name: 1 << 12)
    with pytest.raises(ValueError, match="preset 'small' needs 1 GB for each of 3 workers"):
        run(tmp_path / "a.zarr", 2, kind="nbody", workers=3)
    assert list(tmp_path.iterdir()) == []


def test_two_runs_do_not_fill_one_store_at_once(tmp_path):
    out = tmp_path / "a.zarr"

    def watch(now):
        with pytest.raises(ValueError, match="is being filled by another run"):
            run(out, 4)

    assert run(out, 4, watch=watch).written == 4


def test_settings_of_another_kind_are_refused(tmp_path):
    for settings, message in [
        ({"kind": "sphere"}, "`kind` must be one of lognormal, nbody, ktng, got 'sphere'"),
        ({"kind": "ktng", "root": tmp_path}, "`per_box` is not for ktng maps"),
        ({"kind": "ktng", "per_box": None}, "need `root`"),
        ({"kind": "ktng", "per_box": None, "root": tmp_path, "prior": SUITE}, "of TNG300"),
        ({"preset": "tiny"}, "`preset` is not for lognormal maps"),
        ({"planes": tmp_path}, "`planes` is not for lognormal maps"),
        ({"boxes": [1]}, "`boxes` is not for lognormal maps"),
        ({"per_box": 0}, "`per_box` must be at least 1"),
        ({"n": 0}, "`n` must be at least 1"),
        ({"workers": 2, "dask": "tcp://127.0.0.1:9"}, "`workers` or `dask`, not both"),
        ({"stretch": []}, "`stretch` must be distinct factors"),
        ({"stretch": [1.0, 1.0]}, "`stretch` must be distinct factors"),
    ]:
        with pytest.raises(ValueError, match=message):
            run(tmp_path / "a.zarr", **settings)
    assert list(tmp_path.iterdir()) == []


# Workers


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A run in this process that the others are to equal."""
    out = tmp_path_factory.mktemp("alone") / "a.zarr"
    return maps(run(out, 6, prior=SUITE).store.path)


def test_two_processes_write_the_same_bytes(alone, tmp_path):
    threads = torch.get_num_threads()
    assert run(tmp_path / "a.zarr", 6, prior=SUITE, workers=2).written == 6
    assert maps(tmp_path / "a.zarr") == alone and torch.get_num_threads() == threads


def test_a_dask_cluster_writes_the_same_bytes(alone, cluster, tmp_path):
    out, scheduler = tmp_path / "a.zarr", tmp_path / "scheduler.json"
    assert run(out, 4, prior=SUITE, dask=cluster.scheduler_address).written == 4
    with cluster.get_client() as client:
        client.write_scheduler_file(scheduler)
    assert run(out, 6, prior=SUITE, dask=str(scheduler)).written == 2
    assert maps(out) == alone


def test_errors_of_a_dask_worker_are_the_same_sentence(cluster, tmp_path, monkeypatch):
    def full(store, row, kappa):
        raise OSError(errno.ENOSPC, "row 0 could not be written", str(store.path))

    monkeypatch.setattr(MapStore, "write", full)
    with pytest.raises(OSError, match="no room is left.*the 0 of 2 maps"):
        run(tmp_path / "a.zarr", 2, dask=cluster.scheduler_address)


def test_a_scheduler_that_does_not_answer_is_told_before_anything_is_written(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("massgan_core.simulating_workers._PATIENCE", "0.2s")
    for address, error in (("tcp://127.0.0.1:1", OSError), ("nowhere", ValueError)):
        with pytest.raises(error):
            run(tmp_path / "a.zarr", dask=address)
    assert list(tmp_path.iterdir()) == []


def test_without_distributed_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"pip install 'massgan\[cluster\]'"):
        run(tmp_path / "a.zarr", dask="tcp://127.0.0.1:1")
    assert list(tmp_path.iterdir()) == []
