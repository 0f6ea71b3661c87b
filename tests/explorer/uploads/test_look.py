"""A first look: what a file is, and every wrong file in one sentence, before it is read whole."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from astropy.io import fits

import massgan_core as mg
from explorer.uploads.limits import LIMITS, Limits
from explorer.uploads.look import run


def look(path: Path, limits: Limits = LIMITS) -> dict[str, Any]:
    return run(path, "mine", limits)


def as_parquet(rows: np.ndarray, path: Path) -> None:
    names = ["ra", "dec", "e1", "e2", "weight"]
    pa.parquet.write_table(pa.table(dict(zip(names, rows.T, strict=True))), path)


def as_fits(rows: np.ndarray, path: Path) -> None:
    names = ["ra", "dec", "e1", "e2", "weight"]
    columns = [fits.Column(n, "D", array=v) for n, v in zip(names, rows.T, strict=True)]
    fits.BinTableHDU.from_columns(columns).writeto(path)


def as_csv(rows: np.ndarray, path: Path) -> None:
    np.savetxt(path, rows, delimiter=",", header="ra,dec,e1,e2,weight", comments="")


def as_gzip(rows: np.ndarray, path: Path) -> None:
    as_csv(rows, path)
    path.write_bytes(gzip.compress(path.read_bytes()))


@pytest.mark.parametrize("write", [as_csv, as_gzip, as_parquet, as_fits])
def test_every_kind_of_catalogue_looks_the_same(
    tmp_path: Path, rows: np.ndarray, write: Callable
) -> None:
    rows[3, 2] = np.nan
    write(rows, tmp_path / "file")
    found = look(tmp_path / "file")
    (table,) = found["tables"]
    assert found["kind"] == "catalogue" and table["rows"] == len(rows)
    assert [column["name"] for column in table["columns"]] == ["ra", "dec", "e1", "e2", "weight"]
    for column, values in zip(table["columns"], rows.T, strict=True):
        assert column["numeric"]
        assert (column["low"], column["high"]) == (np.nanmin(values), np.nanmax(values))
    assert [column["bad"] for column in table["columns"]] == [0, 0, 1, 0, 0]
    assert table["first"][1] == [f"{value:.6g}" for value in rows[1]]
    assert len(table["first"]) == 5 and table["first"][3][2] == "nan"


def test_words_are_no_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("# ra, dec,name\n1,2,x\n3,,y\n")
    (table,) = look(tmp_path / "a")["tables"]
    assert [(c["name"], c["numeric"]) for c in table["columns"]] == [
        *(("ra", True), ("dec", True), ("name", False))
    ]
    assert table["columns"][1]["bad"] == 1 and table["first"][0] == ["1", "2", "…"]


def test_a_shear_field_says_its_shape(tmp_path: Path, small_field: mg.ShearField) -> None:
    mg.write_shear_fits(small_field, tmp_path / "a")
    assert look(tmp_path / "a") == {"kind": "field", "shape": list(small_field.grid.shape)}


def test_several_tables_are_all_shown(tmp_path: Path) -> None:
    one = fits.BinTableHDU.from_columns([fits.Column("x", "E", array=[1.0])])
    two = fits.BinTableHDU.from_columns(
        [fits.Column("ra", "D", array=[1.0, 2.0]), fits.Column("name", "3A", array=["a", "b"])]
    )
    fits.HDUList([fits.PrimaryHDU(), one, two]).writeto(tmp_path / "a")
    first, second = look(tmp_path / "a")["tables"]
    assert (first["rows"], second["rows"]) == (1, 2)
    assert [column["numeric"] for column in second["columns"]] == [True, False]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "mine is empty"),
        (b"PK\x03\x04" + bytes(99), "mine is a zip archive; unpack it"),
        (b"BZh9" + bytes(99), "mine is packed with bzip2"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "mine is neither FITS, Parquet nor a CSV table"),
        (b"SIMPLE  =                    T" + bytes(99), "mine is damaged"),
        (b"PAR1" + bytes(99), "Parquet"),
        (b"\x1f\x8b" + bytes(99), "mine is a damaged gzip file"),
        # The time of day in it would be in the name of the test, another one in each worker.
        (gzip.compress(b"ra,dec\n1,2\n" * 999, mtime=0)[:-20], "mine is a damaged gzip file"),
        (b"1,2,3\n4,5,6\n", "the first line of mine must name its columns"),
        (b"a,b\nx,y\n", "mine has no column of numbers"),
        (b"a,b\n1,2\n3\n", "mine is neither FITS, Parquet nor a CSV table"),
        (b"<html>\n<body>\n", "mine has no column of numbers"),
        (b"x" * 99 + b",b\n1,2\n", "a column's name may have 60 characters"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=says) as error:
        look(tmp_path / "a")
    assert "\n" not in str(error.value)


def test_a_truncated_table_is_damaged(tmp_path: Path, rows: np.ndarray) -> None:
    as_fits(rows, tmp_path / "a")
    content = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(content[:-8000])
    with pytest.raises(ValueError, match="mine is damaged"):
        look(tmp_path / "a")


def test_a_gzip_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(gzip.compress(bytes(20_000_000)))
    assert (tmp_path / "a").stat().st_size < 30_000
    with pytest.raises(ValueError, match="mine is too large: unpacked it has more than 2 MB"):
        look(tmp_path / "a", replace(LIMITS, expanded=2_000_000))
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert written < 3_000_000


def test_a_tile_compressed_bomb_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = np.zeros((2500, 2500), np.int32)
    hdus = [fits.CompImageHDU(blank, name=name) for name in ("GAMMA1", "GAMMA2", "SIGMA", "MASK")]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(tmp_path / "a")
    assert (tmp_path / "a").stat().st_size < 4 * blank.nbytes / 100
    monkeypatch.setattr(
        fits.CompImageHDU, "data", property(lambda hdu: pytest.fail("pixels were read"))
    )
    with pytest.raises(ValueError, match="too large: GAMMA1 has 2,500 × 2,500 pixels"):
        look(tmp_path / "a")
    assert look(tmp_path / "a", replace(LIMITS, side=2500))["shape"] == [2500, 2500]


def test_a_parquet_bomb_is_refused_by_its_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = pa.array(np.zeros(6_000_000, np.int8))
    pa.parquet.write_table(pa.table({"ra": column, "dec": column}), tmp_path / "a")
    assert (tmp_path / "a").stat().st_size < 12_000_000 / 200
    monkeypatch.setattr(
        pa.parquet.ParquetFile, "read", lambda file, *_: pytest.fail("rows were read")
    )
    with pytest.raises(ValueError, match="it has 6,000,000 rows, the limit is 5,000,000"):
        look(tmp_path / "a")


@pytest.mark.parametrize("write", [as_csv, as_parquet, as_fits])
@pytest.mark.parametrize(
    ("limit", "says"),
    [
        ({"rows": 399}, "400 rows, the limit is 399"),
        ({"columns": 4}, "5 columns, the limit is 4"),
        ({"cells": 1999}, "2,000 cells, the limit is 1,999"),
    ],
)
def test_counts_are_limited_whatever_the_kind(
    tmp_path: Path, rows: np.ndarray, write: Callable, limit: dict, says: str
) -> None:
    write(rows, tmp_path / "a")
    with pytest.raises(ValueError, match=f"mine is too large: it has {says}"):
        look(tmp_path / "a", replace(LIMITS, **limit))
    looser = {key: value + 1 for key, value in limit.items()}
    assert look(tmp_path / "a", replace(LIMITS, **looser))["tables"][0]["rows"] == 400


def test_a_look_needs_no_torch() -> None:
    code = "import sys, explorer.uploads.look; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
