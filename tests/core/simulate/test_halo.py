import pytest
import torch

from massgan_core.mapping import KaiserSquires
from massgan_core.simulate import NFW, mock, nfw_field
from massgan_core.sky import Grid, ShearOperator, Sources

SOURCES = Sources.plane(1.0)


def test_shear_and_convergence_belong_together():
    """The analytic γ is A κ, up to the edges of a large field."""
    grid = Grid((600, 600), 0.3)
    kappa, gamma = NFW().lens(grid, SOURCES, position=(2.0, -3.0))
    part = slice(250, 350)
    difference = (ShearOperator(grid)(kappa) - gamma)[part, part].abs()
    assert difference.median() < 0.01 * gamma[part, part].abs().median()


def test_mean_convergence_gives_the_shear():
    """γ_t = κ̄ − κ, with κ̄ summed over pixels."""
    grid = Grid((401, 401), 0.1)
    kappa, gamma = NFW().lens(grid, SOURCES)
    y, x = (torch.arange(401) - 200.0).mul(0.1)[:, None], (torch.arange(401) - 200.0).mul(0.1)
    theta = torch.sqrt(x**2 + y**2)
    phase = torch.complex(x.expand(401, 401), y.expand(401, 401)) ** 2 / theta.clamp_min(1e-6) ** 2
    tangential = -(gamma * phase.conj()).real
    for radius in (5.0, 10.0):
        ring = (theta - radius).abs() < 0.06
        inside = kappa[theta < radius].mean()
        torch.testing.assert_close(
            tangential[ring].mean(), inside - kappa[ring].mean(), rtol=0.02, atol=0
        )


def test_heavier_and_better_placed_haloes_lens_more():
    peak = [h.lens(Grid((9, 9)), SOURCES)[0].max() for h in (NFW(1e14), NFW(1e15))]
    assert peak[0] < peak[1]
    behind = NFW(redshift=2.0).lens(Grid((9, 9)), SOURCES)[0]
    assert behind.abs().max() < 1e-6


def test_a_halo_up_right_is_found_up_right():
    """Sign and orientation of the whole chain: x to the right, y up."""
    grid = Grid((120, 120), 0.5)
    kappa, gamma = nfw_field(grid, position=(12.0, 6.0))
    field = mock(kappa, gamma, grid, depth=100.0, seed=1)
    peak = KaiserSquires(2.0).map(field).flatten().argmax().item()
    x, y = grid.pixel_to_plane(peak % 120, peak // 120)
    assert abs(x - 12) < 1.5 and abs(y - 6) < 1.5


def test_bad_haloes_are_refused():
    with pytest.raises(ValueError, match="`mass` must be positive"):
        NFW(mass=-1.0)
