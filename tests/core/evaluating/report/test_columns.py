"""The list of columns that all tables share."""

from massgan_core.evaluating.report.columns import COLUMNS, best, rows, shown

BY_KEY = {c.key: c for c in COLUMNS}


def test_keys_are_different():
    assert len(BY_KEY) == len(COLUMNS)


def test_lists_are_read_where_their_axis_says(found):
    table = found["sets"]["test"]["methods"]["wiener"]
    assert BY_KEY["completeness_snr3"].of(table) == (0.6, 0.012)
    assert BY_KEY["calibrated_95"].of(table) == (0.94, 0.012)
    assert BY_KEY["coverage_95"].of(table) == (None, None)
    assert BY_KEY["worst_rank"].of(table) == (1.2, 0.012)
    assert BY_KEY["gain_ideal"].of(table)[0] == 2.73


def test_the_best_is_high_low_or_near_its_goal(found):
    tables = found["sets"]["test"]["methods"]
    assert best(BY_KEY["r"], tables) == {"my_gan"}
    assert best(BY_KEY["rmse"], tables) == {"my_gan"}
    assert best(BY_KEY["spread_skill"], tables) == {"my_gan"}
    assert best(BY_KEY["purity_snr3"], tables) == set(tables)  # all alike
    assert best(BY_KEY["fields"], tables) == set()
    assert best(BY_KEY["spread_skill"], {"wiener": tables["wiener"]}) == set()


def test_a_table_of_nothing_has_no_value(found):
    for column in COLUMNS:
        value, error = column.of({})
        assert value in (None, 0)
        assert error is None
    assert [c.key for c in shown({"none": {}})] == ["faults"]


def test_rows_keep_their_order(found):
    assert [(r.set, r.method) for r in rows(found)] == [
        ("test", name) for name in ("ks", "wiener", "my_gan")
    ]
