"""Stores that are killed, filled by many, extended, damaged, foreign, or out of disk."""

import errno
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from massgan_core.data import MapStore
from massgan_core.sky import generator

SHAPE = (12, 10)
NZ = {"redshift": [0.1, 1.0, 2.0], "density": [0.0, 1.0, 0.5], "sigma_kappa": 0.02}
FACTS = {
    "shape": SHAPE,
    "pixel_scale": 0.29,
    "kind": "nbody",
    "sources": [NZ],
    "settings": {"preset": "small", "mesh": {"side": 128}},
}

#: A worker: fills what is missing of the store at argv[1], in the order of argv[2]; it dies
#: by SIGKILL between writing and renaming its argv[3]-th map.
WORKER = """
import os, signal, sys, torch
from massgan_core.data import MapStore
from massgan_core.sky import generator
store, step, last = MapStore.open(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
replace, count = os.replace, 0
def dying(*args, **kwargs):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(*args, **kwargs)
os.replace = dying
for row in store.missing()[::step]:
    store.write(row, 0.1 * torch.randn(12, 10, generator=generator(int(store.rows("seed")[row]))))
"""


def rows(n, **columns):
    cosmology = {"omega_m": 0.3, "omega_b": 0.05, "h": 0.7, "sigma8": 0.8, "n_s": 0.96}
    return cosmology | {"box": np.arange(n) // 2, "seed": np.arange(n)} | columns


def kappa(seed):
    return 0.1 * torch.randn(SHAPE, generator=generator(seed))


def made(path, n=6, done=(), **facts):
    store = MapStore.create(path, rows(n), **(FACTS | facts))
    for row in done:
        store.write(row, kappa(row))
    return store


def fill(store):
    for row in store.missing():
        store.write(row, kappa(int(store.rows("seed")[row])))


def contents(path):
    """Every file of a store, less what a killed writer may leave behind."""
    files = (p for p in Path(path).rglob("*") if p.is_file() and p.suffix != ".partial")
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


def start(path, step=1, last=0):
    command = [sys.executable, "-W", "error", "-c", WORKER, str(path), str(step), str(last)]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})


def alter(path, place, byte=None):
    """Flip a bit of a file, or cut it there."""
    data = bytearray(path.read_bytes())
    if byte is None:
        del data[place:]
    else:
        data[place] ^= byte
    path.write_bytes(data)


@pytest.mark.parametrize(("dtype", "error"), [("float16", 1e-4), ("float32", 0.0)])
def test_what_is_written_is_read(tmp_path, dtype, error):
    store = made(tmp_path / "a.zarr", done=(4, 1), dtype=dtype)
    assert store.done() == [1, 4] and store.missing() == [0, 2, 3, 5]
    again = MapStore.open(tmp_path / "a.zarr")
    have, want = again.read([4, 1]), torch.stack([kappa(4), kappa(1)])
    assert have.dtype == torch.float32 and (have - want).abs().max() <= error
    assert again.read([1], torch.float16).dtype == torch.float16
    assert again.read([]).shape == (0, *SHAPE)
    facts = (again.shape, again.pixel_scale, again.kind, again.dtype, again.settings)
    assert facts == (SHAPE, 0.29, "nbody", dtype, FACTS["settings"])
    assert again.scales == [0.02] and 1.0 < again.sources[0].mean < 1.4


def test_rows_are_chosen_by_their_columns(tmp_path):
    store = MapStore.create(tmp_path / "a", rows(6, w=[-1, -1, -0.9, -1, -1, -1]), **FACTS)
    assert store.boxes() == [0, 1, 2] and store.rows("seed").tolist() == list(range(6))
    assert store.where(box=[0, 2]) == [0, 1, 4, 5] and store.where(box=1, w=-1) == [3]
    with pytest.raises(ValueError, match="unknown column 'mass'"):
        store.where(mass=1)


def test_no_box_is_in_two_parts(tmp_path):
    store = made(tmp_path / "a", n=60)
    parts = store.split({"train": 0.8, "calibrate": 0.1, "test": 0.1}, seed=1)
    assert sorted(sum(parts.values(), [])) == list(range(60))
    boxes = [set(store.rows("box")[part].tolist()) for part in parts.values()]
    assert sum(len(b) for b in boxes) == 30 and all(boxes)
    # Nor does a box change sides when the store grows.
    store.extend(rows(40, box=30 + np.arange(40) // 2, seed=100 + np.arange(40)))
    grown = store.split({"train": 0.8, "calibrate": 0.1, "test": 0.1}, seed=1)
    assert all(set(parts[name]) <= set(grown[name]) for name in parts)


def test_a_run_killed_in_the_middle_of_a_map_resumes_bit_for_bit(tmp_path):
    whole = made(tmp_path / "whole.zarr", n=8)
    fill(whole)
    made(tmp_path / "killed.zarr", n=8)
    assert start(tmp_path / "killed.zarr", last=4).wait() == -signal.SIGKILL
    store = MapStore.plan(tmp_path / "killed.zarr", rows(8), **FACTS)
    assert store.done() == [0, 1, 2]
    assert len(list((store.path / "kappa").glob("*.partial"))) == 1
    fill(store)
    assert store.missing() == []
    assert contents(store.path) == contents(whole.path)


def test_two_processes_fill_one_store(tmp_path):
    whole = made(tmp_path / "whole.zarr", n=24)
    fill(whole)
    store = made(tmp_path / "both.zarr", n=24)
    workers = [start(store.path), start(store.path, step=-1)]  # they meet, and overlap
    assert [w.wait() for w in workers] == [0, 0]
    assert store.missing() == [] and contents(store.path) == contents(whole.path)


def test_a_plan_is_made_resumed_and_extended_by_one_call(tmp_path):
    path = tmp_path / "a.zarr"
    MapStore.plan(path, rows(4), **FACTS).write(2, kappa(2))
    store = MapStore.plan(path, rows(9), **FACTS)
    assert len(store) == 9 and store.missing() == [0, 1, 3, 4, 5, 6, 7, 8]
    assert len(MapStore.plan(path, rows(5), **FACTS)) == 9  # already planned for more
    fill(store)
    assert contents(path) == contents_of_whole(tmp_path, 9)


def contents_of_whole(tmp_path, n):
    store = made(tmp_path / "whole.zarr", n=n)
    fill(store)
    return contents(store.path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "lognormal"}, "begun with kind 'nbody', not 'lognormal'"),
        ({"pixel_scale": 0.3}, r"begun with pixel_scale 0\.29, not 0\.3"),
        ({"shape": (12, 12)}, r"begun with shape \[12, 10\], not \[12, 12\]"),
        ({"dtype": "float32"}, "begun with dtype 'float16', not 'float32'"),
        ({"settings": {"preset": "small"}}, r"begun with settings\.mesh .* not None"),
        (
            {"settings": {"preset": "small", "mesh": {"side": 64}}},
            r"begun with settings\.mesh\.side 128, not 64",
        ),
        ({"sources": [NZ | {"sigma_kappa": 0.03}]}, "begun with other sources"),
    ],
)
def test_other_settings_do_not_extend_a_store(tmp_path, change, message):
    store = made(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match=message):
        MapStore.plan(store.path, rows(9), **(FACTS | change))
    assert len(MapStore.open(store.path)) == 6


def test_neither_other_rows_nor_the_same_ones_extend_a_store(tmp_path):
    store = made(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match="row 0 of the plan has seed 1, the store has 0"):
        MapStore.plan(store.path, rows(6, seed=1 + np.arange(6)), **FACTS)
    with pytest.raises(ValueError, match="row 6 of the plan repeats row 0"):
        store.extend(rows(2))


@pytest.mark.parametrize("stop", [0, 9, 18])
def test_an_extension_that_is_cut_short_appends_nothing(tmp_path, monkeypatch, stop):
    store = made(tmp_path / "a.zarr", done=range(6))
    before = contents(store.path)
    more = rows(20, box=10, seed=50 + np.arange(20))
    replace, count = os.replace, iter(range(100))

    def full(*args, **kwargs):
        if next(count) == stop:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return replace(*args, **kwargs)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"could not be extended \(No space left on device\)"):
        store.extend(more)
    monkeypatch.undo()
    again = MapStore.open(store.path)
    assert len(again) == 6 and again.missing() == [] and len(store) == 6
    again.extend(rows(3, box=11, seed=[7, 8, 9]))  # fewer, and others
    assert MapStore.open(store.path).rows("seed").tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    kept = {k: v for k, v in contents(store.path).items() if k.startswith("kappa/c")}
    assert kept == {k: v for k, v in before.items() if k.startswith("kappa/c")}


def test_a_full_disk_leaves_what_was_written(tmp_path, monkeypatch):
    store = made(tmp_path / "a.zarr", done=(0, 1))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"row 2 could not be written \(No space left") as caught:
        store.write(2, kappa(2))
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(store.path)
    with pytest.raises(OSError, match="the store could not be made"):
        made(tmp_path / "b.zarr")
    monkeypatch.undo()
    assert store.done() == [0, 1] and store.read([0, 1]).isfinite().all()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zarr"]
    fill(store)
    assert store.missing() == []


def test_a_write_that_ends_half_way_does_not_count(tmp_path):
    store = made(tmp_path / "a.zarr", done=(0,))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OSError, match="row 1 could not be written"):
            store.write(1, kappa(1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert store.done() == [0] and not list((store.path / "kappa").glob("*.partial"))


def test_a_damaged_map_is_named(tmp_path):
    store = made(tmp_path / "a.zarr", done=range(4))
    alter(store.path / "kappa" / "c.2.0.0", 17, byte=4)
    alter(store.path / "kappa" / "c.3.0.0", 100)
    for row in (2, 3):
        with pytest.raises(ValueError, match=rf"row {row} of .* delete its file kappa/c\.{row}"):
            store.read([0, row])
    # A cut file is no map: it is made again. Of the other the sentence says what to do.
    assert store.done() == [0, 1, 2] and store.read([0, 1]).shape[0] == 2
    (store.path / "kappa" / "c.2.0.0").unlink()
    fill(store)
    assert torch.equal(store.read([2, 3]), torch.stack([kappa(2), kappa(3)]).half().float())


def test_rows_and_maps_are_checked(tmp_path):
    store = made(tmp_path / "a.zarr")
    with pytest.raises(ValueError, match=r"row 3 of .* not simulated yet \(6 of 6 are missing"):
        store.read([3])
    for bad in (-1, 6):
        with pytest.raises(ValueError, match="has rows 0 to 5"):
            store.write(bad, kappa(0))
    with pytest.raises(ValueError, match=r"`kappa` must have shape \(12, 10\), got \(10, 12\)"):
        store.write(0, kappa(0).T)
    for value in (float("nan"), 1e6):
        with pytest.raises(ValueError, match="`kappa` must be finite in float16"):
            store.write(0, torch.full(SHAPE, value))
    store.write(0, torch.zeros(SHAPE))  # an empty sky is a map like any other
    assert store.done() == [0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "gaussian"}, "`kind` must be one of lognormal, nbody, ktng"),
        ({"dtype": "int8"}, "`dtype` must be one of float16, float32"),
        ({"sources": []}, "`sources` must hold at least one"),
        ({"sources": [NZ | {"sigma_kappa": 0}]}, "`sigma_kappa` .* must be positive"),
        ({"settings": {"a": {1}}}, "`settings` must be plain JSON values"),
        ({"pixel_scale": 0}, "`pixel_scale` must be positive"),
        ({"shape": (0, 4)}, "`shape` must be two positive"),
    ],
)
def test_bad_facts_leave_nothing_behind(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        made(tmp_path / "a.zarr", **change)
    assert not list(tmp_path.iterdir())


def test_a_store_is_not_replaced(tmp_path):
    made(tmp_path / "a.zarr", done=(0,))
    with pytest.raises(FileExistsError, match="exists; resume it or choose another path"):
        made(tmp_path / "a.zarr")
    assert MapStore.open(tmp_path / "a.zarr").done() == [0] and len(list(tmp_path.iterdir())) == 1


def test_what_is_no_store_is_refused(tmp_path):
    import zarr

    with pytest.raises(FileNotFoundError, match="there is no map store here"):
        MapStore.open(tmp_path / "nothing")
    (tmp_path / "text").write_text("no folder")
    (tmp_path / "empty").mkdir()
    zarr.create_array(tmp_path / "array", shape=(3,), dtype="f4")
    zarr.open_group(tmp_path / "old", mode="w", zarr_format=2)
    for name in ("text", "empty", "array", "old"):
        with pytest.raises(ValueError, match=f"{name} is not a map store, or its"):
            MapStore.open(tmp_path / name)
    zarr.open_group(tmp_path / "other", mode="w", attributes={"format": "cats"})
    with pytest.raises(ValueError, match="is a zarr store but holds no maps of MassGAN"):
        MapStore.open(tmp_path / "other")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"version": 1', '"version": 2', "has format version 2, this MassGAN reads 1"),
        ('"kind": "nbody",', "", "is damaged: it lacks 'kind'"),
        ('"attributes"', "", "is not a map store, or its zarr.json is damaged"),
    ],
)
def test_an_altered_or_newer_description_is_told(tmp_path, old, new, message):
    path = made(tmp_path / "a.zarr").path / "zarr.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(ValueError, match=message):
        MapStore.open(tmp_path / "a.zarr")


def test_a_damaged_column_is_named(tmp_path):
    store = made(tmp_path / "a.zarr")
    alter(store.path / "h" / "c" / "0", 9, byte=1)
    with pytest.raises(ValueError, match="its column 'h' is incomplete or altered"):
        MapStore.open(store.path)
    (store.path / "box" / "c" / "0").unlink()
    with pytest.raises(ValueError, match="its column 'box' is incomplete"):
        MapStore.open(store.path)


def test_without_zarr_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(ImportError, match=r"need zarr: pip install 'massgan\[simulate\]'"):
        MapStore.open(tmp_path)


def test_unfinished_files_of_killed_writers_are_swept(tmp_path):
    store = MapStore.create(tmp_path / "maps.zarr", rows(3), **FACTS)
    store.write(1, torch.zeros(FACTS["shape"]))
    part = store.path / "kappa" / "c.2.0.0abc.partial"
    part.write_bytes(b"half")
    store.sweep()
    assert not part.exists() and store.done() == [1]
