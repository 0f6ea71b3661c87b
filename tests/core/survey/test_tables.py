"""Named columns from FITS, CSV and Parquet, and what is said when they are not there."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from astropy.table import Table

from massgan_core.survey import Catalog
from massgan_core.survey.tables import choose, file_kind, read_columns

ROWS = {
    "RA": np.array([10.0, 10.1, 10.2]),
    "Dec": np.array([-5.0, -5.1, -5.2]),
    "g1": np.array([0.1, -0.2, 0.3], np.float32),
    "E2": np.array([0.2, 0.1, -0.3], np.float32),
    "W": np.array([1, 2, 3]),
}


def as_fits(rows: dict, path: Path) -> None:
    Table(rows).write(path, format="fits")


def as_csv(rows: dict, path: Path) -> None:
    pa.csv.write_csv(pa.table(rows), path)


def as_parquet(rows: dict, path: Path) -> None:
    pa.parquet.write_table(pa.table(rows), path)


WRITERS = [as_fits, as_csv, as_parquet]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_same_catalogue(write: Callable, tmp_path: Path) -> None:
    path = tmp_path / "galaxies"  # known by its contents, whatever its name
    write(ROWS, path)
    catalog = Catalog.read(path)
    for key, name in {"ra": "RA", "dec": "Dec", "e1": "g1", "e2": "E2", "weight": "W"}.items():
        np.testing.assert_allclose(getattr(catalog, key), ROWS[name], rtol=1e-6)
        assert getattr(catalog, key).dtype.isnative


@pytest.mark.parametrize("write", WRITERS)
def test_a_missing_column_is_named_with_those_there_are(write: Callable, tmp_path: Path) -> None:
    path = tmp_path / "galaxies"
    write({key: value for key, value in ROWS.items() if key not in ("E2", "W")}, path)
    with pytest.raises(ValueError, match=r"no column for e2, weight; it holds RA, Dec, g1:"):
        read_columns(path)


@pytest.mark.parametrize("write", WRITERS)
def test_a_column_of_words_is_refused(write: Callable, tmp_path: Path) -> None:
    path = tmp_path / "galaxies"
    write({**ROWS, "E2": np.array(["a", "b", "c"])}, path)
    with pytest.raises(ValueError, match="column 'E2' of .* must hold"):
        read_columns(path)


@pytest.mark.parametrize(
    "columns",
    [
        "ra=Dec, dec=RA,e1=E2,e2=g1,weight=",
        {"RA": "dec", "DEC": "RA", "e1": "E2", "e2": "g1", "weight": None},
    ],
)
def test_given_names_win_over_the_usual_ones(columns: object, tmp_path: Path) -> None:
    path = tmp_path / "galaxies.parquet"
    as_parquet(ROWS, path)
    found = read_columns(path, columns)
    np.testing.assert_array_equal(found["ra"], ROWS["Dec"])
    np.testing.assert_array_equal(found["e1"], ROWS["E2"])
    assert "weight" not in found
    np.testing.assert_array_equal(Catalog(**found).weight, 1)


def test_corrections_are_found_by_their_exact_names() -> None:
    usual = ["ra", "dec", "e1", "e2", "w"]
    chosen = choose([*usual, "m", "r", "c1", "Z"], {})
    assert chosen["m"] == "m" and chosen["c1"] == "c1"
    assert "R" not in chosen and "z" not in chosen  # an r magnitude is no response
    assert choose([*usual, "R", "z"], {"R": "", "z": ""}).keys() == set(chosen) - {"m", "c1"}
    assert choose([*usual, "resp"], {"R": "resp"})["R"] == "resp"


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ("ra:RA", "must read 'ra=RA,dec=DEC"),
        ("right=RA", "`columns` knows ra, dec, e1"),
        ("e1=ellip", r"no column for e1 \('ellip'\)"),
        ("m=bias", r"no column for m \('bias'\)"),
    ],
)
def test_bad_columns_get_one_sentence(columns: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "galaxies.csv"
    as_csv(ROWS, path)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_columns(path, columns)
    assert "\n" not in str(caught.value)


def test_empty_cells_are_not_a_number(tmp_path: Path) -> None:
    path = tmp_path / "galaxies.csv"
    path.write_text("# ra, dec, e1, e2, w\n1,2,0.1,0.2,1\n1.1,2,,0.2,1\n")
    with pytest.warns(UserWarning, match="left out 1 of 2 rows"):
        assert len(Catalog.read(path)) == 1


def test_compressed_tables_open(tmp_path: Path) -> None:
    as_csv(ROWS, tmp_path / "plain.csv")
    path = tmp_path / "galaxies.csv.gz"
    path.write_bytes(gzip.compress((tmp_path / "plain.csv").read_bytes()))
    assert len(Catalog.read(path)) == 3
    as_fits(ROWS, tmp_path / "plain.fits")
    path = tmp_path / "galaxies.fits.gz"
    path.write_bytes(gzip.compress((tmp_path / "plain.fits").read_bytes()))
    assert file_kind(path) == "fits"
    assert len(Catalog.read(path)) == 3


def test_damaged_files_get_one_sentence(tmp_path: Path) -> None:
    as_parquet(ROWS, tmp_path / "whole.parquet")
    as_fits(ROWS, tmp_path / "whole.fits")
    contents = {
        "empty": b"",
        "noise": bytes(range(256)) * 8,
        "half.parquet": (tmp_path / "whole.parquet").read_bytes()[:200],
        "header.fits": (tmp_path / "whole.fits").read_bytes()[:3000],
        "data.fits": (tmp_path / "whole.fits").read_bytes()[:5800],
        "half.fits": (tmp_path / "whole.fits").read_bytes()[: 2880 * 2],
        "start.fits": (tmp_path / "whole.fits").read_bytes()[:100],
        "half.gz": gzip.compress(b"ra,dec\n")[:12],
    }
    for name, content in contents.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ValueError, match=name) as caught:
            read_columns(path)
        assert "\n" not in str(caught.value)


def test_a_folder_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a folder"):
        read_columns(tmp_path)


def test_a_fits_of_images_is_no_catalogue(tmp_path: Path) -> None:
    from astropy.io import fits

    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((3, 3))).writeto(path)
    with pytest.raises(ValueError, match="must hold a table of galaxies, got HDUs PRIMARY"):
        read_columns(path)


def test_the_table_with_the_galaxies_is_taken(tmp_path: Path) -> None:
    from astropy.io import fits

    path = tmp_path / "two.fits"
    other = fits.BinTableHDU(Table({"ra": [1.0], "mag": [2.0]}), name="STARS")
    fits.HDUList([fits.PrimaryHDU(), other, fits.BinTableHDU(Table(ROWS))]).writeto(path)
    assert len(Catalog.read(path)) == 3


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "galaxies.csv"
    path.write_text("ra,ra,dec,e1,e2,weight\n1,1,1,0.1,0.1,1\n")
    with pytest.raises(ValueError, match="holds more than one column 'ra'"):
        read_columns(path)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "galaxies.csv"
    path.write_text("ra,dec,e1,e2,weight\n")
    with pytest.raises(ValueError, match="galaxies.csv holds no galaxies"):
        Catalog.read(path)
