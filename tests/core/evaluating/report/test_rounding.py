"""Numbers keep what their error leaves."""

import pytest

from massgan_core.evaluating.report.rounding import rounded


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        (0.895232, 0.0112015, "0.895 ± 0.011"),
        (0.559856, 0.0375035, "0.56 ± 0.04"),
        (33.0072, 0.485472, "33.0 ± 0.5"),
        (1.0, 0.0961, "1.00 ± 0.10"),
        (1234.0, 123.0, "1230 ± 120"),
        (-0.00001, 0.01, "0.000 ± 0.010"),
        (2.94191, None, "2.94"),
        (2.94191, 0.0, "2.94"),
        (2.94191, float("nan"), "2.94"),
        (64, None, "64"),
        (9.6e-16, None, "0"),
        (0.00123456, None, "0.00123"),
        (None, 0.1, ""),
        (float("nan"), None, ""),
    ],
)
def test_digits(value, error, said):
    assert rounded(value, error) == said


@pytest.mark.parametrize("power", range(-5, 4))
@pytest.mark.parametrize("first", [1.0, 2.3, 3.54, 3.56, 9.4, 9.6])
def test_nothing_is_lost_that_the_error_could_tell(first, power):
    error = first * 10.0**power
    value, behind = (float(x) for x in rounded(5.4321 * error, error).split(" ± "))
    assert abs(value - 5.4321 * error) <= 0.5 * error
    assert behind == pytest.approx(error, rel=0.15)
