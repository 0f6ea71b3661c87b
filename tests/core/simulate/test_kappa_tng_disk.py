"""Both layouts of κTNG, written here byte by byte."""

import sys

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from massgan_core.simulate.kappa_tng_disk import PLANES, SIDE, find

N = 16  # pixels on a side of the small maps


def write_dat(root, box, run, planes, marker=None):
    """``{number: κ}`` in the old layout."""
    folder = root / f"LP{box:03d}" / f"run{run:03d}"
    folder.mkdir(parents=True)
    for number, kappa in planes.items():
        mark = np.array([len(kappa) if marker is None else marker], "<i4").tobytes()
        data = mark + kappa.astype("<f8").tobytes() + mark
        (folder / f"kappa{number:02d}.dat").write_bytes(data)
    return folder


def write_hdf5(root, box, run, planes):
    """``{number: κ}`` in the new layout, beside a group that is no plane."""
    folder = root / f"LP{box:03d}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"LP{box:03d}_run{run:03d}_maps.hdf5"
    with h5py.File(path, "w") as file:
        file.create_group("config").attrs["ng"] = N
        for number, kappa in planes.items():
            file.create_dataset(f"z{number:02d}/kappa", data=kappa)
            file.create_dataset(f"z{number:02d}/gamma1", data=0 * kappa)
    return path


@pytest.fixture
def maps(np_rng):
    return {number: np_rng.normal(0, 0.02, (N, N)) for number in (1, 23, 40)}


def test_both_layouts_give_the_same_full_size_map(tmp_path, np_rng):
    kappa = np_rng.normal(0, 0.02, (SIDE, SIDE))
    folder = write_dat(tmp_path, 7, 1, {23: kappa})
    write_hdf5(tmp_path, 7, 2, {23: kappa})
    assert (folder / "kappa23.dat").stat().st_size == 4 + 8 * 1024**2 + 4
    old, new = find(tmp_path)
    assert_array_equal(old.plane(23), kappa)
    assert_array_equal(new.plane(23), kappa)
    assert old.plane(23).flags.writeable and old.plane(23).dtype == np.float64


def test_realisations_are_found_and_sorted_by_box_and_run(tmp_path, maps):
    write_hdf5(tmp_path, 12, 3, maps)
    write_dat(tmp_path, 12, 1, maps)
    write_dat(tmp_path, 2, 100, maps)
    (tmp_path / "LP002" / "notes.txt").write_text("nothing")
    (tmp_path / "LP002" / "LP003_run001_maps.hdf5").write_bytes(b"")  # in another LP's folder
    found = find(tmp_path)
    assert [r.name for r in found] == ["LP002_run100", "LP012_run001", "LP012_run003"]
    assert [(r.box, r.run) for r in found] == [(2, 100), (12, 1), (12, 3)]


def test_a_realisation_in_both_layouts_is_one(tmp_path, maps):
    write_dat(tmp_path, 1, 1, maps)
    path = write_hdf5(tmp_path, 1, 1, maps)
    (one,) = find(tmp_path)
    assert one.path == path


@pytest.mark.parametrize("marker", [N, 8 * N**2])
def test_the_marker_is_the_side_or_the_bytes(tmp_path, maps, marker):
    write_dat(tmp_path, 1, 1, maps, marker)
    assert_array_equal(find(tmp_path)[0].plane(40, N), maps[40])


def test_single_precision_files_are_read_in_double(tmp_path, maps):
    write_hdf5(tmp_path, 1, 1, {5: maps[1].astype(np.float32)})
    assert find(tmp_path)[0].plane(5, N).dtype == np.float64


def test_missing_folders_and_files_are_named(tmp_path, maps):
    with pytest.raises(FileNotFoundError, match="`root` must be the folder that holds LP001"):
        find(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="found neither in"):
        find(tmp_path)
    write_dat(tmp_path, 1, 1, maps)
    with pytest.raises(FileNotFoundError, match=r"plane 2 is missing.*kappa02\.dat"):
        find(tmp_path)[0].plane(2, N)


def test_broken_dat_files_are_refused(tmp_path, maps):
    folder = write_dat(tmp_path, 1, 1, maps)
    (one,) = find(tmp_path)
    with pytest.raises(ValueError, match=r"must hold 8388616 bytes \(1024² .* got 2056"):
        one.plane(1)
    whole = (folder / "kappa01.dat").read_bytes()
    (folder / "kappa01.dat").write_bytes(whole[:-100])
    with pytest.raises(ValueError, match="must hold 2056 bytes .* got 1956"):
        one.plane(1, N)
    for broken in (whole[:-4] + b"\0\0\0\1", b"\0\0\0\1" + whole[4:]):
        (folder / "kappa01.dat").write_bytes(broken)
        with pytest.raises(ValueError, match="begin and end with the marker 16"):
            one.plane(1, N)
    big_endian = np.array([N], ">i4").tobytes()
    (folder / "kappa01.dat").write_bytes(big_endian + whole[4:-4] + big_endian)
    with pytest.raises(ValueError, match="got 268435456 and 268435456"):
        one.plane(1, N)
    maps[1][3, 4] = np.nan
    (folder / "kappa01.dat").write_bytes(whole[:4] + maps[1].tobytes() + whole[-4:])
    with pytest.raises(ValueError, match="κ of plane 1 must be finite"):
        one.plane(1, N)


def test_broken_hdf5_files_are_refused(tmp_path, maps):
    path = write_hdf5(tmp_path, 1, 1, maps)
    (one,) = find(tmp_path)
    with pytest.raises(ValueError, match="must hold z02/kappa, it has config, z01, z23, z40"):
        one.plane(2, N)
    with pytest.raises(ValueError, match=r"must be 1024 × 1024 pixels, got \(16, 16\)"):
        one.plane(1)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="is no whole HDF5 file"):
        one.plane(1, N)


@pytest.mark.parametrize("number", [0, PLANES + 1, -1])
def test_there_are_forty_planes(tmp_path, maps, number):
    write_dat(tmp_path, 1, 1, maps)
    with pytest.raises(ValueError, match=f"must be 1 … 40, got {number}"):
        find(tmp_path)[0].plane(number, N)


def test_without_h5py_the_extra_is_named(tmp_path, maps, monkeypatch):
    write_hdf5(tmp_path, 1, 1, maps)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"pip install 'massgan\[storage\]'"):
        find(tmp_path)[0].plane(1, N)
