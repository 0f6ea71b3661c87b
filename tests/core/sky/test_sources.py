import numpy as np
import pytest

from massgan_core.sky import Sources


def test_normalised_and_stretched():
    sources = Sources(np.linspace(0, 2, 201), np.ones(201) * 7)
    assert np.trapezoid(sources.density, sources.redshift) == pytest.approx(1)
    assert sources.mean == pytest.approx(1.0)
    assert sources.stretched(0.5).mean == pytest.approx(0.5)
    assert Sources.plane(1.2).mean == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("z", "n"), [([1, 2], [0, 0]), ([2, 1], [1, 1]), ([-1, 1], [1, 1]), ([1, 2], [1, -1])]
)
def test_bad_tables_are_refused(z, n):
    with pytest.raises(ValueError, match="must be"):
        Sources(z, n)


def test_reads_two_columns_with_or_without_a_header(tmp_path):
    path = tmp_path / "nz.csv"
    path.write_text("z,n\n0.0,1\n0.1,3\n0.2,1\n")
    assert Sources.read(str(path)).mean == pytest.approx(0.15)
    path.write_text("z n\nspam eggs\n")
    with pytest.raises(ValueError, match="two columns of numbers"):
        Sources.read(str(path))
