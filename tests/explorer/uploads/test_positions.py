"""Files of positions: CSV, FITS, VOTable and lines give the same; a bad one gives a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from explorer.uploads.positions import LIMITS, run
from explorer.uploads.reading import Reading

RA, DEC = [150.1, 149.9, 150.3], [2.2, 2.5, 2.0]


@pytest.fixture
def table() -> Table:
    redshift = MaskedColumn([0.3, 0.0, 0.7], mask=[False, True, False])
    names, radius = ["One", "Two", "Three"], [1.5, 0.0, 2.0]
    return Table({"RA": RA, "Dec": DEC, "R500": radius, "Name": names, "z": redshift})


@pytest.mark.parametrize("format", ["fits", "votable", "ascii.csv"])
def test_a_table_in_any_form(table: Table, tmp_path: Path, format: str) -> None:
    path = tmp_path / "upload"
    table.write(path, format=format)
    found = run(path, "mine", LIMITS)
    np.testing.assert_allclose(found["ra"], RA)
    np.testing.assert_allclose(found["dec"], DEC)
    assert found["radius"] == [1.5, 1.0, 2.0] and found["names"] == ["One", "Two", "Three"]
    np.testing.assert_array_equal(found["redshift"], [0.3, np.nan, 0.7])


def test_sexagesimal_columns_and_plain_lines(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_text("name,ra,dec\nA,10:00:24,+02:12:00\n")
    found = run(path, "mine.csv", LIMITS)
    np.testing.assert_allclose([found["ra"][0], found["dec"][0]], [150.1, 2.2])
    path.write_text("150.1 2.2 A\n")
    assert run(path, "mine.txt", LIMITS)["names"] == ["A"]


def test_a_child_reads_it_and_leaves_nothing(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    table.write(path, format="fits")
    assert Reading("positions", path, "mine.fits", LIMITS).result()["ra"] == RA
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "mine is empty"),
        (b"SIMPLE  =  T", "mine is damaged, or holds no table"),
        (b"<VOTABLE><oops", "mine is damaged, or holds no table"),
        (b"PK\x03\x04zip", "mine is a zip archive"),
        (b"\x00\x01\x02\xff", "mine is neither FITS, VOTable nor CSV"),
        (b"name,ra\nA,1\n", "mine has no column called Dec"),
        (b"ra,dec\n" + b"1,2\n" * 5001, "mine is too large: it has 5,001 rows"),
        (b"ra,dec\n1,200\n", "Dec within"),
    ],
)
def test_a_bad_file_is_one_sentence(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said) as error:
        run(path, "mine", LIMITS)
    assert str(tmp_path) not in str(error.value) and "\n" not in str(error.value)


def test_a_votable_fetches_nothing(tmp_path: Path) -> None:
    secret, path = tmp_path / "secret", tmp_path / "upload"
    secret.write_bytes(np.array([1.0, 2.0], ">f8").tobytes())
    fields = "".join(f'<FIELD name="{name}" datatype="double"/>' for name in ("ra", "dec"))
    path.write_text(
        f'<VOTABLE version="1.3"><RESOURCE><TABLE>{fields}<DATA><BINARY>'
        f'<STREAM href="file://{secret}"/></BINARY></DATA></TABLE></RESOURCE></VOTABLE>'
    )
    with pytest.raises(ValueError, match="mine is damaged, or holds no table"):
        run(path, "mine", LIMITS)
