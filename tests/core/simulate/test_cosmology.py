import numpy as np
import pytest
from numpy.testing import assert_allclose

from massgan_core.simulate import PLANCK, Cosmology, theory_spectrum
from massgan_core.sky import Sources
from massgan_core.survey import cosmos_sources, cosmos_spectrum


def test_the_bundled_table_is_the_theory():
    ell = np.geomspace(30, 30000, 20)
    theory = theory_spectrum(cosmos_sources())
    assert_allclose(cosmos_spectrum()(ell), theory(ell), rtol=0.01)


def test_power_grows_with_sigma8_and_with_depth():
    near, far = Sources.plane(0.6), Sources.plane(1.2)
    base = theory_spectrum(near)(1000)
    assert theory_spectrum(near, Cosmology(sigma8=0.9))(1000) > base
    assert theory_spectrum(far)(1000) > 2 * base


def test_std_against_redshift_has_the_known_ratios():
    """DEFINITIONS: std κ for sources at z 0.6 / 1.0 / 1.4 goes as 0.45 : 0.76 : 1 (to 10 %)."""
    std = [theory_spectrum(Sources.plane(z)).std(0.29) for z in (0.6, 1.0, 1.4)]
    assert_allclose(np.array(std) / std[2], [0.45, 0.76, 1], rtol=0.1)


def test_distances_increase():
    chi = PLANCK.distance([0.1, 0.5, 1.0])
    assert (np.diff(chi) > 0).all() and abs(chi[2] - 3400) < 100


def test_bad_cosmologies_are_refused():
    with pytest.raises(ValueError, match="`sigma8` must be positive"):
        Cosmology(sigma8=-0.8)
    with pytest.raises(ValueError, match="`omega_b` must be smaller"):
        Cosmology(omega_b=0.4)
