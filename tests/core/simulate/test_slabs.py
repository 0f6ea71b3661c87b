import numpy as np
import pytest
from numpy.testing import assert_allclose

from massgan_core.simulate import PLANCK, Cosmology, theory_spectrum
from massgan_core.simulate.slabs import HUBBLE, Slabs
from massgan_core.sky import Sources
from massgan_core.survey import cosmos_sources

SLABS = Slabs(PLANCK, 100.0, 3.0)


def test_slabs_fill_the_light_cone():
    assert_allclose(np.diff(SLABS.distance), 100.0)
    assert SLABS.reach >= 3.0
    assert float(PLANCK.distance(SLABS.reach)) * PLANCK.h == pytest.approx(100.0 * len(SLABS))
    z = SLABS.redshift(SLABS.distance)
    assert (np.diff(z) > 0).all()
    assert_allclose(SLABS.scale_factor, 1 / (1 + z))


@pytest.mark.parametrize("cosmology", [PLANCK, Cosmology(omega_m=0.25)])
def test_weights_of_a_source_plane_are_the_lensing_kernel(cosmology):
    """3 H₀² Ω_m / 2c² · χ (χ_s − χ)/χ_s / a, per slab."""
    slabs = Slabs(cosmology, 50.0, 2.0)
    chi = slabs.distance
    source = float(cosmology.distance(1.0)) * cosmology.h
    lever = np.clip(1 - chi / source, 0, None)
    want = 1.5 * cosmology.omega_m / HUBBLE**2 * chi / slabs.scale_factor * lever * 50.0
    got = slabs.weights(Sources.plane(1.0))
    whole = abs(chi - source) > 50.0  # but for the slab that holds the sources
    assert_allclose(got[whole], want[whole], rtol=0.01, atol=0.003 * want.max())


def test_limber_over_the_slabs_is_pyccl_s_spectrum():
    """C_ℓ = Σ w² P(ℓ/χ) / (χ² t), the sum over slabs of what they lens."""
    slabs, sources = Slabs(PLANCK, 25.0, 4.6), cosmos_sources()
    chi, weight = slabs.distance, slabs.weights(sources)
    for ell in (500.0, 3000.0):
        power = [
            PLANCK.ccl().nonlin_matter_power(ell / x * PLANCK.h, a) * PLANCK.h**3
            for x, a in zip(chi, slabs.scale_factor, strict=True)
        ]
        total = (weight**2 * power / chi**2).sum() / 25.0
        assert_allclose(total, theory_spectrum(sources)(ell), rtol=0.02)


def test_sources_behind_the_light_cone_are_refused():
    with pytest.raises(ValueError, match="n\\(z\\) must end within the light cone, which reaches"):
        SLABS.weights(Sources.plane(3.5))
    assert Slabs(PLANCK, 100.0, 4.6).weights(cosmos_sources()).sum() > 0


def test_tiling_is_the_weight_where_the_field_is_wider_than_the_box():
    sources = Sources.plane(1.5)
    angle = np.deg2rad(1.45)
    assert SLABS.tiled(sources, angle, 1e6) == 0
    assert SLABS.tiled(sources, angle, 1e-6) == 1
    shares = [SLABS.tiled(sources, angle, side) for side in (20.0, 40.0, 60.0)]
    assert (np.diff(shares) < 0).all()
    # Half a slab of tolerance: the share beyond χ = box/angle of a 40 Mpc/h box.
    far = SLABS.distance > 40.0 / angle
    weight = SLABS.weights(sources)
    assert shares[1] == pytest.approx(weight[far].sum() / weight.sum())
