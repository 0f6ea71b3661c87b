import pytest
import torch

from massgan_core.sky import Grid, ShearOperator, reduced_shear


def real(batch, shape, rng):
    return torch.randn((*batch, *shape), generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("batch", [(), (3,)])
@pytest.mark.parametrize("shape", [(15, 15), (16, 16), (12, 17)])
def test_adjoint(batch, shape, rng):
    lens, kappa = ShearOperator(shape), real(batch, shape, rng)
    gamma = torch.complex(real(batch, shape, rng), real(batch, shape, rng))
    left = (lens(kappa).conj() * gamma).sum().real
    torch.testing.assert_close(left, (kappa * lens.adjoint(gamma)).sum())


@pytest.mark.parametrize("shape", [(15, 15), (16, 16), (12, 17)])
def test_kaiser_squires_inverts_up_to_the_mean(shape, rng):
    lens, kappa = ShearOperator(shape), real((2,), shape, rng)
    want = kappa - kappa.mean((-2, -1), keepdim=True)
    torch.testing.assert_close(lens.inverse(lens(kappa)), want)


def test_rotated_shear_has_no_e_mode(rng):
    lens, kappa = ShearOperator((16, 16)), real((), (16, 16), rng)
    modes = lens.modes(1j * lens(kappa))
    torch.testing.assert_close(modes.real, torch.zeros_like(kappa), atol=1e-12, rtol=0)
    torch.testing.assert_close(modes.imag, kappa - kappa.mean())


def test_shear_is_tangential_round_a_mass():
    """γ1 < 0 right of a mass (stretched along y), > 0 above it; γ2 < 0 along y = x."""
    kappa = torch.zeros(65, 65)
    kappa[32, 32] = 1.0
    gamma = ShearOperator((65, 65))(kappa)
    assert gamma[32, 37].real < 0 < gamma[37, 32].real
    assert gamma[36, 36].imag < 0 < gamma[36, 28].imag


def test_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"must end in shape \(8, 8\), got \(9, 9\)"):
        ShearOperator((8, 8))(torch.zeros(9, 9))


def test_reduced_shear_grows_with_kappa():
    gamma = torch.full((2,), 0.1 + 0.05j)
    g = reduced_shear(gamma, torch.tensor([0.0, 0.2]))
    torch.testing.assert_close(g, torch.tensor([0.1 + 0.05j, 0.125 + 0.0625j]))


def test_kernel_does_not_depend_on_the_pixel_scale():
    a, b = (ShearOperator(Grid((8, 8), s)) for s in (0.1, 2.0))
    like = torch.zeros(8, 8)
    assert torch.equal(a.kernel(like), b.kernel(like))
