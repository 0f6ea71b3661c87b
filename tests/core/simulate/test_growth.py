import numpy as np
import pytest
from numpy.testing import assert_allclose

from massgan_core.simulate import PLANCK, Cosmology
from massgan_core.simulate.growth import expansion, growth


@pytest.mark.parametrize("cosmology", [PLANCK, Cosmology(omega_m=0.2), Cosmology(w=-0.8)])
def test_growth_and_expansion_are_pyccl_s(cosmology):
    """pyccl has radiation, Ω_r/Ω_m a of the density: 0.2 to 0.5 % of the earliest factor."""
    for a in (0.1, 0.25, 0.5, 0.8, 1.0):
        assert_allclose(growth(cosmology, a).first, cosmology.ccl().growth_factor(a), rtol=6e-3)
        assert_allclose(expansion(cosmology, a), cosmology.ccl().h_over_h0(a), rtol=6e-3)


def test_matter_domination_has_the_closed_form():
    """Einstein–de Sitter: D = a, D₂ = −3a²/7, dD₂/dD = −6a/7."""
    flat = Cosmology(omega_m=1 - 1e-9, omega_b=0.05)
    for a in (0.05, 0.3, 1.0):
        assert_allclose(growth(flat, a), (a, -3 / 7 * a**2, -6 / 7 * a), rtol=1e-5)


def test_the_slope_is_that_of_the_curve():
    low, high = growth(PLANCK, 0.599), growth(PLANCK, 0.601)
    slope = (high.second - low.second) / (high.first - low.first)
    assert_allclose(growth(PLANCK, 0.6).slope, slope, rtol=1e-5)
    ratio = [growth(PLANCK, a).second / growth(PLANCK, a).first ** 2 for a in (0.1, 0.5, 1.0)]
    assert (np.diff(ratio) < 0).all()


@pytest.mark.parametrize("a", [0.0, -0.5, 1.1])
def test_scale_factors_out_of_range_are_refused(a):
    with pytest.raises(ValueError, match="`scale_factor` must lie in"):
        growth(PLANCK, a)
