"""The table read back is the dictionary."""

import csv
from io import StringIO

from massgan_core.evaluating.report.columns import COLUMNS
from massgan_core.evaluating.report.to_csv import HEAD, to_csv


def read(found):
    return list(csv.DictReader(StringIO(to_csv(found))))


def test_every_row_reads_back_as_the_dictionary(found):
    rows, seen = read(found), 0
    methods = found["sets"]["test"]["methods"]
    assert [row["method"] for row in rows] == list(methods)
    for row in rows:
        table = methods[row["method"]]
        assert row["title"] == table["title"]
        assert row["digest"] == (table.get("digest") or "")
        for column in COLUMNS:
            value, error = column.of(table)
            assert (float(row[column.key]) if row[column.key] else None) == value
            if column.error:
                text = row[f"{column.key}_error"]
                assert (float(text) if text else None) == error
            seen += value is not None
    assert seen > 60


def test_the_head_does_not_depend_on_what_was_measured(found):
    found["sets"]["test"]["methods"] = {"ks": {}}
    assert tuple(read(found)[0]) == HEAD
