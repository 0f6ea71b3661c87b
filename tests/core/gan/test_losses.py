from math import log, pi, sqrt

import pytest
import torch

from massgan_core.gan import losses, reward
from massgan_core.gan.networks import build_critic

AREA = torch.ones(4, 64, 64, dtype=torch.bool)


@pytest.mark.parametrize("n", [2, 3, 8])
def test_reward_is_an_unbiased_std(n, rng):
    samples = 0.7 * torch.randn(4, n, 64, 64, generator=rng)
    # The sum over i has N terms of size σ√((N−1)/N)·√(2/π): with its factor, σ·√N/√2·…
    got = losses.deviation_reward(samples, AREA)
    want = 0.7 * n * sqrt(2 / pi) * sqrt((n - 1) / n) * sqrt(pi / (2 * n * (n - 1)))
    assert got.item() == pytest.approx(want, rel=0.02)
    assert want == pytest.approx(0.7)


def test_starting_weight_makes_true_spread_the_optimum(rng):
    """For a Gaussian posterior, L1 − β·L_SD is least at the true mean and std."""
    truth = torch.randn(4, 64, 64, generator=rng)
    noise, beta = torch.randn(4, 2, 64, 64, generator=rng), reward.starting_weight(2)

    def loss(std):
        samples = std * noise
        return losses.mean_l1(samples, truth, AREA) - beta * losses.deviation_reward(samples, AREA)

    values = {s: loss(s).item() for s in (0.0, 0.5, 0.8, 1.0, 1.25, 2.0)}
    assert min(values, key=values.get) == 1.0
    assert reward.starting_weight(2) == pytest.approx(0.326, abs=1e-3)


def test_variance_score_is_least_at_the_mean_square(rng):
    """Not at the median, however long the tail of e² is; outside the area nothing counts."""
    square = torch.exp(2 * torch.randn(4, 64, 64, generator=rng))
    want, area = square[:2].mean().item(), AREA.clone()
    area[2:], square[2:] = False, 1e9

    def score(value):
        return losses.variance_score(torch.full((4, 64, 64), value), square, area)

    values = {k: score(k * want).item() for k in (0.15, 0.5, 0.9, 1.0, 1.1, 2.0, 10.0)}
    assert min(values, key=values.get) == 1.0
    assert values[1.0] == pytest.approx(log(want) + 1)
    assert square[:2].median() < 0.2 * want


def test_fair_crps_is_least_at_the_true_posterior(rng):
    truth = torch.randn(4, 64, 64, generator=rng)
    noise = torch.randn(4, 3, 64, 64, generator=rng)
    scores = {s: losses.fair_crps(s * noise, truth, AREA).item() for s in (0.0, 0.6, 1.0, 1.6)}
    assert min(scores, key=scores.get) == 1.0


def test_crps_sees_faults_of_large_scales(rng):
    """Right pixels, wrong patches: only the block averages tell."""
    smooth = torch.randn(4, 1, 8, 8, generator=rng).repeat_interleave(8, -1)
    truth = smooth.repeat_interleave(8, -2)[:, 0]
    white = torch.randn(4, 2, 64, 64, generator=rng)
    coarse = torch.randn(4, 2, 8, 8, generator=rng)
    coarse = coarse.repeat_interleave(8, -1).repeat_interleave(8, -2)
    pixel = [losses.fair_crps(x, truth, AREA, 1).item() for x in (white, coarse)]
    every = [losses.fair_crps(x, truth, AREA).item() for x in (white, coarse)]
    assert every[0] - pixel[0] > 1.1 * (every[1] - pixel[1])


def test_crps_wants_the_power_of_every_band(rng):
    """White truth of unknown phases: samples that lack (or double) one octave score worse."""
    truth, noise = torch.randn(8, 64, 64, generator=rng), torch.randn(8, 2, 64, 64, generator=rng)
    k = torch.fft.fftfreq(64).square()
    k = torch.sqrt(k[:, None] + k)
    white = losses.fair_crps(noise, truth, AREA.repeat(2, 1, 1)).item()
    for low in (0.05, 0.1, 0.2):
        for factor in (0.3, 2.0):
            window = torch.where((k > low) & (k < 2 * low), factor, 1.0)
            coloured = torch.fft.ifft2(window * torch.fft.fft2(noise)).real
            assert losses.fair_crps(coloured, truth, AREA.repeat(2, 1, 1)).item() > white


def test_grids_begin_at_the_offset(rng):
    truth, noise = torch.randn(4, 64, 64, generator=rng), torch.randn(4, 2, 64, 64, generator=rng)
    moved = losses.fair_crps(noise, truth, AREA, offset=(8, 4))
    cropped = losses.fair_crps(noise[..., 8:, 4:], truth[:, 8:, 4:], AREA[:, 8:, 4:])
    torch.testing.assert_close(moved, cropped)


def test_error_of_the_mean_asks_nothing_of_the_spread(rng):
    truth, noise = torch.randn(4, 64, 64, generator=rng), torch.randn(4, 3, 64, 64, generator=rng)
    for spread in (0.1, 1.0, 2.0):
        got = losses.mean_square(0.5 + spread * noise, 0 * truth, AREA).item()
        assert got == pytest.approx(0.25, abs=0.06)


def test_only_the_footprint_counts(rng):
    area = AREA.clone()
    area[:, :, 32:] = False
    samples, truth = (
        torch.randn(4, 2, 64, 64, generator=rng),
        torch.randn(4, 64, 64, generator=rng),
    )
    other = torch.where(area[:, None], samples, 1e3)
    for loss in (losses.mean_l1, losses.fair_crps, losses.mean_square):
        torch.testing.assert_close(loss(samples, truth, area), loss(other, truth, area))
    torch.testing.assert_close(
        losses.deviation_reward(samples, area), losses.deviation_reward(other, area)
    )


@pytest.mark.parametrize("way", [losses._penalty_twice, losses._penalty_along])
def test_gradient_penalty_of_a_linear_critic(rng, way):
    slope = torch.randn(1, 8, 8, generator=rng)
    real, fake = torch.randn(2, 3, 1, 8, 8, generator=rng)
    between = (0.3 * real + 0.7 * fake).requires_grad_(True)
    got = way(lambda x: (x * slope).sum((1, 2, 3)), between)
    torch.testing.assert_close(got, ((slope.norm() - 1) ** 2).expand(3))


def test_gradient_penalty_pulls_the_critic_as_its_second_derivative_would(rng):
    critic = build_critic({"critic_widths": (4, 6, 8), "shuffle": 2}, 3, 16).double()
    condition = torch.randn(3, 2, 16, 16, generator=rng).double()
    real, fake = torch.randn(2, 3, 1, 16, 16, generator=rng).double()
    mix = torch.rand(3, 1, 1, 1, generator=rng).double()

    def score(x):
        return critic(x, condition)

    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    want = losses._penalty_twice(score, between)
    got = losses._penalty_along(score, between)
    torch.testing.assert_close(got, want)
    for of_got, of_want in zip(pull(got.sum(), critic), pull(want.sum(), critic), strict=True):
        torch.testing.assert_close(of_got, of_want)


def pull(loss, module):
    """Derivatives by all weights; zero where the loss does not see one."""
    weights = list(module.parameters())
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g for g, w in zip(found, weights, strict=True)]


def test_critic_loss_is_least_when_real_scores_above_fake():
    real, fake = torch.tensor([1.0, 1.0]), torch.tensor([-1.0, -1.0])
    assert losses.critic_loss(real, fake, 1e-3) < losses.critic_loss(fake, real, 1e-3)


def test_ideal_gain_is_that_of_independent_samples(rng):
    truth = torch.randn(4000, generator=rng)
    samples = torch.randn(8, 4000, generator=rng)
    one, mean = ((samples[0] - truth) ** 2).mean(), ((samples.mean(0) - truth) ** 2).mean()
    gain = reward.measured_gain(one.item(), mean.item())
    assert gain == pytest.approx(reward.ideal_gain(8), abs=0.15)
    assert reward.ideal_gain(8) == pytest.approx(2.5, abs=0.01)


def test_too_little_gain_raises_the_reward_within_bounds():
    assert reward.tuned(0.3, 1.0, 8, 0.1) > 0.3 > reward.tuned(0.3, 4.0, 8, 0.1)
    assert reward.tuned(0.01, 9.0, 8, 1.0) == 0
    assert reward.tuned(0.3, 0.0, 8, 9.0) < reward.largest_weight(2)


def test_beyond_the_largest_weight_spread_pays_without_end(rng):
    truth = torch.randn(4, 64, 64, generator=rng)
    noise = torch.randn(4, 2, 64, 64, generator=rng)

    def loss(std, beta):
        samples = std * noise
        return losses.mean_l1(samples, truth, AREA) - beta * losses.deviation_reward(samples, AREA)

    limit = reward.largest_weight(2)
    assert loss(1000.0, 1.05 * limit) < loss(100.0, 1.05 * limit) < loss(10.0, 1.05 * limit)
    assert loss(1000.0, 0.95 * limit) > loss(100.0, 0.95 * limit)


@pytest.mark.parametrize("n", [2, 3])
def test_the_gap_vanishes_for_samples_of_the_posterior(n, rng):
    """Also where the posterior is skewed."""
    both = (0.6 * torch.randn(8, n + 1, 64, 64, generator=rng)).exp()
    area = AREA.repeat(2, 1, 1)
    assert losses.spread_gap(both[:, :n], both[:, n], area).item() < 0.03
    narrow = 0.7 * (both[:, :n] - both.mean()) + both.mean()
    assert losses.spread_gap(narrow, both[:, n], area).item() > 0.1


def test_the_gap_sees_the_band_that_lacks_spread(rng):
    truth, noise = torch.randn(8, 64, 64, generator=rng), torch.randn(8, 2, 64, 64, generator=rng)
    coarse = torch.nn.functional.interpolate(
        torch.nn.functional.avg_pool2d(noise, 8), scale_factor=8, mode="bilinear"
    )
    area = AREA.repeat(2, 1, 1)
    right, wrong = (losses.spread_gap(x, truth, area).item() for x in (noise, noise - coarse))
    assert wrong > 0.02 + 5 * right


def test_the_gap_moves_the_spread_and_not_the_error(rng):
    """Its slope with respect to a common shift of all samples is nil."""
    truth = torch.randn(2, 32, 32, generator=rng)
    samples = (0.5 * torch.randn(2, 2, 32, 32, generator=rng)).requires_grad_(True)
    losses.spread_gap(samples, truth, AREA[:2, :32, :32]).backward()
    slope = samples.grad
    assert slope.sum(1).abs().max() < 1e-6 * slope.abs().max() + 1e-9
    assert (slope * samples.detach()).sum() < 0  # wider samples lower it


def test_gaussian_samples_of_a_skewed_posterior_score_best_when_too_narrow(rng):
    """What the gap is for: CRPS alone does not ask for the variance of a heavy tail."""
    truth = torch.randn(8, 128, 128, generator=rng).exp()
    truth = (truth - truth.mean()) / truth.std()
    noise, area = torch.randn(8, 4, 128, 128, generator=rng), torch.ones(8, 128, 128).bool()
    widths = (0.4, 0.55, 0.7, 0.85, 1.0)
    crps = {s: losses.fair_crps(s * noise, truth, area, 1).item() for s in widths}
    gap = {s: losses.spread_gap(s * noise, truth, area, 1).item() for s in widths}
    assert min(crps, key=crps.get) < 0.8 and min(gap, key=gap.get) == 1.0


def test_samples_that_do_not_differ_have_a_finite_gap(rng):
    truth = torch.randn(2, 32, 32, generator=rng)
    same = torch.randn(2, 1, 32, 32, generator=rng).repeat(1, 2, 1, 1).requires_grad_(True)
    gap = losses.spread_gap(same, truth, AREA[:2, :32, :32])
    gap.backward()
    assert 50 < gap.item() < 500 and same.grad.isfinite().all()


def heteroscedastic(n, rng, batch=8, side=64):
    """A map of the data, and samples of a posterior that is wider where the map is high."""
    guide = torch.randn(batch, side, side, generator=rng)
    width = 0.5 + guide.clamp_min(0)[:, None]
    noise = torch.randn(batch, n, side, side, generator=rng)
    return guide, guide[:, None] + width * noise, torch.ones(batch, side, side, dtype=torch.bool)


def test_the_gap_at_peaks_sees_what_all_pixels_drown(rng):
    guide, both, area = heteroscedastic(3, rng, 24)
    samples, truth = both[:, :2], both[:, 2]
    centre = guide[:, None]
    narrow = centre + (samples - centre) * torch.where(centre > 2, 0.7, 1.0)
    exact, wrong = (losses.peak_gap(x, truth, area, guide).item() for x in (samples, narrow))
    assert exact < 0.01 and 0.05 < wrong
    assert losses.spread_gap(narrow, truth, area, 1).item() < 0.01


def test_the_gap_at_peaks_moves_the_spread_and_counts_the_footprint_alone(rng):
    guide, both, area = heteroscedastic(3, rng, 2, 32)
    area[:, :8] = False
    samples = both[:, :2].clone().requires_grad_(True)
    losses.peak_gap(samples, both[:, 2], area, guide + 100 * ~area).backward()
    assert samples.grad[:, :, :8].abs().max() == 0 < samples.grad.abs().max()
    torch.testing.assert_close(samples.grad.sum(1), torch.zeros(2, 32, 32), atol=1e-6, rtol=0)


def test_third_moments_of_a_posterior_agree_and_those_of_shrunken_peaks_do_not(rng):
    draws = torch.randn(8, 3, 64, 64, generator=rng).exp() - 1.65
    area = torch.ones(8, 64, 64, dtype=torch.bool)
    truth = draws[:, 2]
    exact = losses.third_moment_gap(draws[:, :2], truth, area).item()
    cut = losses.third_moment_gap(draws[:, :2].clamp_max(4.0), truth, area).item()
    assert 10 * exact < cut


@pytest.mark.parametrize(("side", "bands"), [(300, 7), (256, 7), (64, 5), (8, 2), (2, 1)])
def test_small_maps_have_fewer_bands_and_every_grid_fits(side, bands, rng):
    assert losses.bands_within(7, (side, side + 9)) == bands
    assert losses.bands_within(2, (side, side)) == min(2, bands)
    maps = torch.randn(1, 3, side, side, generator=rng)
    area = torch.ones(1, side, side, dtype=torch.bool)
    last = 2 ** (bands - 1) - 1
    found = losses.fair_crps(maps[:, :2], maps[:, 2], area, bands, (last, last))
    assert bool(torch.isfinite(found))
