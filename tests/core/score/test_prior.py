"""The prior at a noise level: Wiener's denoiser, its error, and what a network adds."""

from math import inf

import pytest
import torch

from massgan_core.score.prior import ErrorRatio, Prior
from massgan_core.sky import Grid, Stopped, gaussian_field

GRID = Grid((48, 64), 1.0)


@pytest.mark.parametrize("level", [0.1, 1.0, 10.0])
def test_error_of_the_gaussian_denoiser_is_as_foretold(level, power, rng):
    prior = Prior(power, GRID)
    t = level * prior.scale
    kappa = gaussian_field(power, GRID, rng, (60,))
    noisy = kappa + t * torch.randn(kappa.shape, generator=rng)
    mean = torch.fft.irfft2(prior.denoise(torch.fft.rfft2(noisy), t), s=GRID.shape)
    rms = (mean - kappa).std()
    torch.testing.assert_close(rms, prior.error(torch.tensor([t]))[0], rtol=0.05, atol=0)
    assert rms < min(t, 1.3 * kappa.std())


def test_covariance_has_the_error_as_its_trace(power):
    prior = Prior(power, GRID)
    white = torch.fft.rfft2(torch.eye(48 * 64)[:1].unflatten(1, GRID.shape))
    spread = torch.fft.irfft2(prior.root(0.02) ** 2 * white, s=GRID.shape)[0, 0, 0]
    torch.testing.assert_close(spread.sqrt(), prior.error(torch.tensor([0.02]))[0])


def test_root_without_noise_information_is_the_prior(power):
    prior = Prior(power, GRID)
    torch.testing.assert_close(prior.root(inf) ** 2, prior.variance)
    torch.testing.assert_close(prior.root(1e3), prior.root(inf), rtol=1e-4, atol=0)
    assert prior.root(inf)[0, 0] == 0


def test_network_corrects_its_part_alone(power, network, rng):
    """Elsewhere on the padded grid the denoiser stays Gaussian."""
    prior, plain = Prior(power, GRID, network, part=(22, 30)), Prior(power, GRID)
    assert prior.part == (24, 32)
    noisy = torch.fft.rfft2(0.03 * torch.randn(2, *GRID.shape, generator=rng))
    added = prior.denoise(noisy, 0.02) - plain.denoise(noisy, 0.02)
    added = torch.fft.irfft2(added, s=GRID.shape)
    assert added[:, :24, :32].std() > 1e-4
    assert added[:, 24:].abs().max() < 1e-7 and added[..., 32:].abs().max() < 1e-7


def test_ratio_is_met_at_its_nodes_and_held_beyond():
    ratio = ErrorRatio((100.0, 1000.0), (0.1, 10.0, inf), ((1.0, 2.0), (4.0, 8.0), (3.0, 5.0)))
    ell = torch.tensor([0.0, 100.0, 1000.0, 1e5]).double()
    at = {x: ratio.on(ell, x).tolist() for x in (0.01, 0.1, 1.0, 10.0, 99.0, inf)}
    assert at[0.01] == pytest.approx([1, 1, 2, 2]) == at[0.1]
    assert at[1.0] == pytest.approx([2, 2, 4, 4])
    assert at[10.0] == pytest.approx([4, 4, 8, 8]) == at[99.0]
    assert at[inf] == pytest.approx([3, 3, 5, 5])


def test_maps_pass_the_network_alone_where_they_are_large(power, network, rng, monkeypatch):
    prior = Prior(power, GRID, network, part=(24, 32))
    noisy = torch.fft.rfft2(0.03 * torch.randn(3, *GRID.shape, generator=rng))
    whole = prior.denoise(noisy, 0.02)
    monkeypatch.setattr("massgan_core.score.prior.CALL", 24 * 32)
    asked = []
    alone = prior.denoise(noisy, 0.02, lambda: bool(asked.append(1)))
    assert len(asked) == 3
    torch.testing.assert_close(alone, whole, rtol=0, atol=1e-5 * whole.abs().max().item())
    with pytest.raises(Stopped):
        prior.denoise(noisy, 0.02, lambda: True)
