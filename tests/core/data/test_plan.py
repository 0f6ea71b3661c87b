import numpy as np
import pytest

from massgan_core.data.plan import COLUMNS, check_same_start, make_columns

COSMOLOGY = {"omega_m": 0.3, "omega_b": 0.05, "h": 0.7, "sigma8": 0.8, "n_s": 0.96}


def plan(n=4, **columns):
    return COSMOLOGY | {"box": np.arange(n) // 2, "seed": np.arange(n)} | columns


def test_one_number_serves_all_rows_and_the_rest_has_defaults():
    columns = make_columns(plan(), tables=1)
    assert set(columns) == set(COLUMNS) and {len(c) for c in columns.values()} == {4}
    assert columns["w"].tolist() == [-1.0] * 4 and columns["sources"].tolist() == [0] * 4
    assert all(columns[name].dtype == dtype for name, dtype in COLUMNS.items())


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"sigma_8": 0.8}, "unknown column 'sigma_8'"),
        ({"seed": [1, 2]}, "columns must be of equal length"),
        ({"seed": [0.5, 1, 2, 3]}, "column `seed` must be a list of whole numbers"),
        ({"seed": [2**70, 1, 2, 3]}, "column `seed` must be a list of whole numbers"),
        ({"h": [0.7, np.nan, 0.7, 0.7]}, "column `h` must be a list of finite numbers"),
        ({"h": ["a"] * 4}, "column `h` must be a list of finite numbers"),
        ({"sources": [0, 1, 2, 0]}, r"`sources` must number one of 2 n\(z\) tables, got 2"),
        ({"seed": [0, 0, 2, 3]}, r"row 1 of the plan repeats row 0 \(box 0, seed 0\)"),
    ],
)
def test_unusable_plans_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        make_columns(plan(**columns), tables=2)


def test_a_column_may_not_be_missing():
    rows = plan()
    del rows["box"]
    with pytest.raises(ValueError, match="needs a column `box`"):
        make_columns(rows, tables=1)


def test_one_box_may_be_seen_with_two_source_tables_or_cosmologies():
    once = {"seed": [7, 7], "box": [1, 1]}
    assert make_columns(plan(2, **once, sources=[0, 1]), tables=2)["sources"].tolist() == [0, 1]
    found = make_columns(plan(2, **once, sigma8=[0.8, 0.9]), tables=1)["sigma8"]
    assert found.tolist() == pytest.approx([0.8, 0.9])


def test_plans_are_compared_over_their_common_start():
    short, long = (make_columns(plan(n), tables=1) for n in (2, 6))
    check_same_start(short, long)
    check_same_start(long, short)
    long["sigma8"][1] = 0.9
    with pytest.raises(ValueError, match=r"row 1 of the plan has sigma8 0\.9, the store has 0\.8"):
        check_same_start(short, long)
