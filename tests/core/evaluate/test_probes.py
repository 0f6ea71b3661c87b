from dataclasses import replace

import pytest
import torch

from massgan_core.evaluate import by_level, levels, pearson
from massgan_core.evaluate.probes import (
    closest_pair,
    latent_share,
    leak_probe,
    local_depth,
    slope_sums,
    std_variation,
    zero_point,
)
from massgan_core.mapping import KaiserSquires
from massgan_core.sky import Draws, Grid, ShearField, ShearOperator, smooth

MAPS = 20


class Reads:
    """White samples plus what `read` takes from the field."""

    def __init__(self, read):
        self.read = read

    def sample(self, field, n, generator=None):
        return Draws.of(generator).normal(n, field.grid.shape) + self.read(field)


HONEST = Reads(lambda field: field.gamma.real + field.weight)


def test_what_does_not_leak_does_not_move(gaussian, small_field):
    for sampler in (gaussian.sampler, KaiserSquires(), HONEST):
        moved = leak_probe(sampler, small_field)
        assert len(moved) == 4 and set(moved.values()) == {0.0}


def test_a_field_without_truth_or_mask_is_probed_for_the_rest(small_field):
    real = replace(small_field, kappa=None)
    assert leak_probe(HONEST, real)["the true κ"] == 0
    peeking = Reads(lambda f: 0.0 if f.kappa is None else f.kappa)
    assert leak_probe(peeking, real)["the true κ"] > 0.1
    whole = replace(
        small_field,
        sigma=torch.full_like(small_field.sigma, 0.1),
        mask=torch.ones_like(small_field.mask),
    )
    assert list(leak_probe(HONEST, whole)) == ["repeat", "the true κ"]


@pytest.mark.parametrize(
    "read",
    [
        lambda field: field.kappa,
        lambda field: field.kappa.mean(),
        lambda field: torch.where(field.mask, 0.0, ShearOperator(field.grid)(field.kappa).real),
    ],
    ids=["truth", "its mean", "its shear behind the mask"],
)
def test_a_sampler_that_reads_the_truth_is_seen(read, small_field):
    moved = leak_probe(Reads(read), small_field)
    assert moved.pop("the true κ") > 0.1
    assert set(moved.values()) == {0.0}


def test_a_sampler_that_is_not_repeatable_is_seen(small_field, rng):
    noisy = Reads(lambda field: torch.randn(field.grid.shape, generator=rng))
    assert leak_probe(noisy, small_field)["repeat"] > 0.1


def test_nan_is_the_worst_leak(small_field):
    nan = Reads(lambda field: torch.where(field.kappa.abs().max() < 0.9, 0.0, torch.nan))
    assert leak_probe(nan, small_field)["the true κ"] == torch.inf


def whole_sky(small_field, rng):
    shape = small_field.grid.shape
    kappa = torch.randn(shape, generator=rng)
    return ShearOperator(small_field.grid)(kappa)


def test_a_step_that_leaks_before_there_is_a_field_is_seen(small_field, rng):
    """Kaiser–Squires before masking carries noise-free shear from outside into the mask."""
    shear, grid = whole_sky(small_field, rng), small_field.grid

    def observe(gamma, *, first):
        gamma = gamma if first else torch.where(small_field.mask, gamma, 0)
        wide = torch.complex(smooth(gamma.real, grid, 2.0), smooth(gamma.imag, grid, 2.0))
        return replace(small_field, gamma=wide)

    name = "shear that was not observed"
    for first in (True, False):
        moved = leak_probe(
            HONEST,
            small_field,
            shear=shear,
            observe=lambda g, first=first: observe(g, first=first),
        )
        assert (moved[name] > 0.01) == first
        assert moved["repeat"] == 0


def test_shear_outside_the_crop_is_probed(small_field, rng):
    shear, grid = whole_sky(small_field, rng), small_field.grid
    whole = replace(small_field, gamma=shear)
    hidden = torch.ones(grid.shape, dtype=torch.bool)
    hidden[4:20, 6:22] = ~whole.mask[4:20, 6:22]
    field = whole.crop(4, 6, (16, 16))

    def cut(gamma):
        return replace(whole, gamma=gamma).crop(4, 6, (16, 16))

    def smoothed_then_cut(gamma):
        gamma = torch.where(whole.mask, gamma, 0)
        return cut(torch.complex(smooth(gamma.real, grid, 1.0), smooth(gamma.imag, grid, 1.0)))

    name = "shear that was not observed"
    assert leak_probe(HONEST, field, shear=shear, hidden=hidden, observe=cut)[name] == 0
    leaks = leak_probe(HONEST, field, shear=shear, hidden=hidden, observe=smoothed_then_cut)
    assert leaks[name] > 0.01
    with pytest.raises(ValueError, match=r"`hidden` must have the shape of the shear \(24, 33\)"):
        leak_probe(HONEST, field, shear=shear, observe=cut)


def toy(rng, n=16, share=0.7, std=1.0, scale=1.0):
    """Truth, mean, var and samples of fields with posterior N(centre, share·std²)."""
    shape = (MAPS, 30, 30)
    area = (torch.rand(30, 30, generator=rng) > 0.2).expand(shape)
    centre = (1 - share) ** 0.5 * torch.randn(shape, generator=rng)
    truth = centre + share**0.5 * std * torch.randn(shape, generator=rng)
    samples = scale * centre + share**0.5 * std * torch.randn(n, *shape, generator=rng)
    return truth, samples.mean(0), samples.var(0), samples, area


@pytest.mark.parametrize("n", [3, 16])
def test_the_truth_rises_with_the_mean_of_exact_samples(n, rng):
    for scale in (0.7, 1.0, 2.0):
        truth, mean, var, _, area = toy(rng, n, scale=scale)
        cross, power = slope_sums(mean, var, truth + 7, area, n)
        assert cross.shape == (MAPS,)
        assert cross.sum() / power.sum() == pytest.approx(1 / scale, rel=0.12)


def test_errors_of_the_mean_flatten_the_slope(rng):
    truth, mean, var, _, area = toy(rng)
    wrong = mean + 0.3**0.5 * torch.randn(30, 30, generator=rng)
    cross, power = slope_sums(wrong, var, truth, area, 16)
    assert cross.sum() / power.sum() == pytest.approx(0.5, rel=0.15)


def test_variation_of_std_is_free_of_sampling_noise(rng):
    tilt = 0.8 + 0.4 * torch.arange(30) / 29
    for std, expected in ((1.0, 0.0), (tilt, float(tilt.std() / tilt.mean()))):
        _, _, _, samples, area = toy(rng, 12, std=std)
        halves = [samples[k::2].std(0) for k in (0, 1)]
        square = std_variation(*halves, area)
        assert square.shape == (MAPS,)
        assert square.mean() == pytest.approx(expected**2, abs=2e-3)
        assert std_variation(halves[0], halves[0], area).mean() > 0.08  # noise of 6 samples


def test_a_copied_zero_point_is_seen(rng):
    kappa, other = torch.randn(2, 300, 1, 1, generator=rng)
    area = (torch.rand(10, 10, generator=rng) > 0.3).expand(300, -1, -1)
    fields = torch.randn(300, 10, 10, generator=rng)
    for mean, expected in ((kappa, 0.0), (0 * kappa, 1.0), (other, 2**0.5)):
        error, unit = zero_point(mean + 0 * fields, kappa + 0.01 * fields, area)
        assert (error.sum() / unit.sum()).sqrt() == pytest.approx(expected, abs=0.2)
    error, unit = zero_point(kappa + fields, kappa + fields, ~area)
    assert error.sum() == 0 and unit.min() > 0


def test_the_share_of_latents_is_what_the_data_leave(rng):
    truth, mean, var, _, area = toy(rng, 64, share=0.7)
    assert latent_share(mean, var, area).mean() == pytest.approx(0.7**0.5, abs=0.02)
    r = pearson(mean, truth, area).mean().item()
    assert latent_share(mean, var, area).mean() == pytest.approx((1 - r**2) ** 0.5, abs=0.03)
    assert latent_share(mean, torch.zeros_like(var), area).max() == 0


def test_samples_that_repeat_are_close(rng):
    samples, area = torch.randn(10, 30, 30, generator=rng), torch.ones(30, 30, dtype=torch.bool)
    assert closest_pair(samples, area) > 0.9
    samples[7] = samples[2]
    assert closest_pair(samples, area) < 1e-6
    samples[7] = torch.where(area, samples[2], 0) + 0.1 * samples[7]
    assert closest_pair(5 + samples, area) < 0.3
    assert closest_pair(samples[:1].expand(4, -1, -1), area).isnan()


def test_depth_is_what_was_observed_around():
    grid, mask = Grid((40, 50), 0.5), torch.ones(40, 50, dtype=torch.bool)
    mask[18:23, 10:15] = False
    sigma = torch.full((40, 50), 0.2)
    sigma[:, 30:] = 0.1
    gamma = torch.zeros(40, 50, dtype=torch.complex64)
    depth = local_depth(ShearField(grid, gamma, sigma, mask), 1.0)
    assert depth[20, 45] == pytest.approx(100, rel=0.02)
    assert depth[5, 15] == pytest.approx(25, rel=0.02)
    assert depth[20, 12] < 15  # in the hole
    assert depth[20, 49] == pytest.approx(60, rel=0.05)  # half a pixel inside the edge
    assert depth[0, 0] == pytest.approx(25 * 0.36, rel=0.05) and depth.min() > 0


def test_levels_of_depth_show_a_std_that_does_not_know_it(gaussian):
    maps, area = gaussian.fields, gaussian.area
    sums = {"own": [], "even": []}
    for index, field in enumerate(maps):
        samples = gaussian.sampler.sample(field, 21, Draws(index))
        var, level = samples.var(0), levels(local_depth(field), area, 3)
        flat = torch.full_like(var, float(var[area].mean()))
        for name, of in (("own", var), ("even", flat)):
            sums[name].append(
                torch.stack(by_level(samples.mean(0), of, field.kappa, area, level, 21, 3))
            )
    own, even = (torch.stack(sums[k]).sum(0) for k in ("own", "even"))
    assert ((own[0] / own[1]).sqrt() - 1).abs().max() < 0.06
    ratio = (even[0] / even[1]).sqrt()
    assert ratio[0] < 0.95 and ratio[2] > 1.1
