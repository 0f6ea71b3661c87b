"""The suffix decides; what cannot be written is refused before any work."""

from __future__ import annotations

import sys

import pytest
from astropy.io import fits

from massgan_core.export import check_output, write


@pytest.mark.parametrize("name", ["out.txt", "out", "out.fits.gz", "out.FITS", ".fits"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in \.fits, \.zarr, \.nc, got"):
        check_output(tmp_path / name)


@pytest.mark.parametrize(("suffix", "library"), [(".zarr", "zarr"), (".nc", "h5netcdf")])
def test_a_missing_library_names_its_extra(tmp_path, monkeypatch, suffix, library):
    # The package hands on a function of the module's name: reach the module itself.
    module = sys.modules["massgan_core.export.write"]
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=rf"need {library}: pip install 'massgan\[storage\]'"):
        check_output(tmp_path / f"out{suffix}")
    assert check_output(tmp_path / "out.fits") == tmp_path / "out.fits"


def test_a_folder_cannot_become_a_file_nor_a_file_a_store(tmp_path):
    (tmp_path / "a.fits").mkdir()
    (tmp_path / "a.zarr").write_text("text")
    for name, kind in (("a.fits", "folder"), ("a.zarr", "file")):
        with pytest.raises(FileExistsError, match=f"is a {kind}"):
            check_output(tmp_path / name, overwrite=True)


def test_asking_leaves_no_trace(tmp_path):
    check_output(tmp_path / "out.fits")
    assert list(tmp_path.iterdir()) == []


def test_fits_is_chosen_by_suffix(wiener, tmp_path):
    path = write(wiener, str(tmp_path / "out.fits"))
    with fits.open(path) as hdus:
        assert "SAMPLES" not in hdus and "MEAN" in hdus
