r"""The Wiener posterior is exact for Gaussian skies; these tests hold it to that."""

from dataclasses import replace

import pytest
import torch

from massgan_core.mapping import Wiener
from massgan_core.posterior import stream
from massgan_core.sky import (
    Draws,
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    Stopped,
    gaussian_field,
    generator,
    remove_mean,
    shape_noise,
    smooth,
)

POWER = PowerSpectrum([10.0, 100.0, 1e3, 1e4, 1e5], [1.5e-9, 4e-9, 8e-10, 1e-11, 5e-14])


def sky(side, seed, factor=4, sigma=0.12, scale=1.0, holes=True):
    """A masked, unevenly noisy field cut from a Gaussian sky `factor` times larger."""
    large, key = Grid((factor * side, factor * side), scale), generator(77, seed)
    kappa = gaussian_field(POWER, large, key)
    gamma = ShearOperator(large)(kappa)
    part = slice(side, 2 * side) if factor > 1 else slice(None)
    noise = sigma * (0.7 + 0.6 * torch.rand(side, side, generator=key))
    mask = torch.ones(side, side, dtype=torch.bool)
    if holes:
        mask[side // 8 : side // 4, side // 3 : side // 2] = False
        mask &= torch.rand(side, side, generator=key) > 0.1
    else:
        noise = torch.full_like(noise, sigma)
    seen = gamma[part, part] + shape_noise(noise, key)
    return ShearField(Grid((side, side), scale), seen, noise, mask, kappa[part, part])


def test_full_periodic_field_has_the_textbook_filter():
    field = sky(45, 0, factor=1, holes=False)
    wiener = Wiener(POWER, padded=False, tolerance=1e-6).map(field)
    c_ell = POWER.on(field.grid)
    gain = c_ell / (c_ell + 0.12**2 * field.grid.pixel_area)
    modes = torch.fft.fft2(ShearOperator(field.grid).inverse(field.gamma))
    want = torch.fft.ifft2(gain.float() * modes).real
    torch.testing.assert_close(wiener, want, rtol=0, atol=1e-5 * want.abs().max().item())


def test_solution_satisfies_the_normal_equations():
    """S⁻¹κ̂ = Aᵀ N⁻¹ (γ − Aκ̂), tested against a random direction."""
    field = sky(33, 3, factor=1)
    kappa = Wiener(POWER, padded=False, tolerance=1e-6).map(field)
    lens, weight = ShearOperator(field.grid), field.weight**2
    right = lens.adjoint(weight * (field.gamma - lens(kappa)))
    prior = (POWER.on(field.grid) / field.grid.pixel_area).float()
    back = torch.fft.ifft2(prior * torch.fft.fft2(right)).real
    torch.testing.assert_close(back, kappa, rtol=0, atol=1e-4 * kappa.abs().max().item())


def test_spread_is_the_error_per_pixel_smoothed_and_near_the_edge():
    """DEFINITIONS: 1.00 ± 0.03 per pixel, 1.00 ± 0.07 after 4′ smoothing, edges too."""
    maps, n, wiener = 24, 12, Wiener(POWER)
    edge = torch.ones(64, 64, dtype=torch.bool)
    edge[4:-4, 4:-4] = False  # outer 10 % of each side, together
    pixel, broad = torch.zeros(2, 2), torch.zeros(2, 2)
    for i in range(maps):
        field = sky(64, i)
        samples = list(stream(wiener, field, n, n, seed=i))[-1].samples
        full = torch.ones(64, 64, dtype=torch.bool)
        samples = remove_mean(samples, full)
        truth = remove_mean(field.kappa, full)
        wide = smooth(samples, field.grid, 4.0, mask=full.expand_as(samples))
        true_wide = smooth(truth, field.grid, 4.0, mask=full)
        for total, x, y in ((pixel, samples, truth), (broad, wide, true_wide)):
            error, var = (x.mean(0) - y) ** 2, x.var(0) * (1 + 1 / n)
            for k, area in enumerate((full, edge)):
                total[0, k] += var[area].mean()
                total[1, k] += error[area].mean()
    pixel, broad = (torch.sqrt(t[0] / t[1]) for t in (pixel, broad))
    assert (pixel - 1).abs().max() < 0.03, pixel
    assert (broad - 1).abs().max() < 0.07, broad


def test_sample_mean_converges_to_the_map(small_field):
    wiener = Wiener(POWER)
    n = 256
    summary = list(stream(wiener, small_field, n, 32))[-1]
    map_ = remove_mean(wiener.map(small_field), small_field.footprint)
    error = ((summary.mean - map_) / summary.std)[small_field.footprint]
    assert (error**2).mean().sqrt() < 1.3 / n**0.5


def test_samples_do_not_depend_on_the_batch(small_field):
    wiener = Wiener(POWER)
    runs = [list(stream(wiener, small_field, 6, b, seed=4))[-1] for b in (1, 4)]
    spread = runs[1].std.mean()
    rms = ((runs[0].samples - runs[1].samples) ** 2).mean().sqrt()
    assert rms <= 1e-3 * spread


def test_shear_outside_the_mask_changes_nothing(small_field):
    gamma = torch.where(small_field.mask, small_field.gamma, 1e6 + 0j)
    poisoned, wiener = replace(small_field, gamma=gamma), Wiener(POWER)
    assert torch.equal(wiener.map(poisoned), wiener.map(small_field))
    assert torch.equal(wiener.sample(poisoned, 2, 1), wiener.sample(small_field, 2, 1))


def test_without_data_the_posterior_is_the_prior(small_field):
    blind = replace(small_field, sigma=torch.full_like(small_field.sigma, 1e4))
    samples = Wiener(POWER).sample(blind, 400, 0)
    torch.testing.assert_close(samples.std(), torch.tensor(POWER.std(1.0, 64)), rtol=0.15, atol=0)


def test_running_out_of_iterations_is_said(small_field):
    with pytest.raises(ValueError, match="did not reach a residual"):
        Wiener(POWER, max_iterations=1).map(small_field)


def test_a_stop_on_the_way_leaves_the_same_draws_to_come():
    """It is asked while the system is solved, not only between samples."""
    field, asked, draws = sky(33, 3), [], Draws(5)
    with pytest.raises(Stopped):
        Wiener(POWER, stop=lambda: asked.append(1) or len(asked) > 6).sample(field, 2, draws)
    assert len(asked) == 7
    assert torch.equal(Wiener(POWER).sample(field, 2, draws), Wiener(POWER).sample(field, 2, 5))
