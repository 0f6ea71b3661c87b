"""What is said of samples: of exact ones, that they are; of others, what is wrong with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import massgan_core as mg
from explorer.diagnostics import LEAST_RANKED, MARGIN, WIDTH, diagnose
from massgan_core.evaluate import chi_square, windowed_power
from massgan_core.evaluate.coverage import RunningRanks
from massgan_core.sky import ShearField, gaussian_field, generator, shape_noise
from massgan_core.sky.spectrum import band_edges, nyquist

POWER = mg.PowerSpectrum([10.0, 100.0, 1e3, 1e4, 1e5], [1.5e-9, 4e-9, 8e-10, 1e-11, 5e-14])
SIDE, FIELDS, N = 32, 16, 32
GRID, LARGE = mg.Grid((SIDE, SIDE), 1.0), mg.Grid((4 * SIDE, 4 * SIDE), 1.0)


def field(seed: int) -> ShearField:
    """A part of a Gaussian sky, with holes."""
    key, part = generator(11, seed), slice(SIDE, 2 * SIDE)
    kappa = gaussian_field(POWER, LARGE, key)
    sigma = torch.full((SIDE, SIDE), 0.05)
    shear = mg.ShearOperator(LARGE)(kappa)[part, part] + shape_noise(sigma, key)
    mask = torch.ones(SIDE, SIDE, dtype=torch.bool)
    mask[4:10, 6:14] = False
    return ShearField(GRID, shear, sigma, mask, kappa[part, part])


def drawn(one: ShearField, n: int, seed: int = 0, factor: float = 1.0) -> mg.Summary:
    """Samples of its exact posterior, or with `factor` times the spread."""
    sampler = mg.Wiener(POWER)

    class Spread:
        name = "wiener"

        def sample(self, field: ShearField, n: int, generator: Any = None) -> torch.Tensor:
            exact = sampler.sample(field, n, generator)
            return exact if factor == 1 else centre + factor * (exact - centre)

    centre = None if factor == 1 else sampler.map(one)
    *_, last = mg.stream(Spread(), one, n, 16, seed=seed)
    return last


@pytest.fixture(scope="module")
def exact() -> list:
    """The diagnoses of exact samples of many fields."""
    return [diagnose(drawn(field(i), N, seed=i)) for i in range(FIELDS)]


def mean_of(found: list, pick: Any) -> np.ndarray:
    return np.mean([pick(one) for one in found], 0)


def test_exact_samples_pass_every_check(exact: list) -> None:
    # Ranks even, intervals right, on average over fields.
    assert mean_of(exact, lambda d: d.ranks.share) == pytest.approx(1, abs=0.15)
    level = exact[0].ranks.level
    assert mean_of(exact, lambda d: d.ranks.covered) == pytest.approx(level, abs=0.03)
    # The grey bands hold as many as they say: 95 % of bins of fields.
    inside = [
        (d.ranks.share >= d.ranks.even.low) & (d.ranks.share <= d.ranks.even.high) for d in exact
    ]
    assert 0.88 <= np.mean(inside) <= 0.99
    # Averaging gains what it should.
    square = mean_of(exact, lambda d: np.square(d.growth.rmse))
    gain = 10 * np.log10(square[0] / square)
    assert gain == pytest.approx(exact[0].growth.ideal, abs=0.25)
    assert mean_of(exact, lambda d: d.spread_skill) == pytest.approx(1, abs=0.07)
    # The shear is missed by noise alone.
    error = exact[0].shear.error / FIELDS**0.5
    assert mean_of(exact, lambda d: d.shear.mean) == pytest.approx(1, abs=4 * error)
    # A sample has the power of the truth, the mean has less.
    true = mean_of(exact, lambda d: d.spectrum.truth)
    power = mean_of(exact, lambda d: d.spectrum.samples.middle) / true
    assert power[6:] == pytest.approx(1, abs=0.15)
    lost = mean_of(exact, lambda d: d.spectrum.mean) / true
    assert (lost[6:] < 0.8).all()
    samples, mean, truth = mean_of(exact, lambda d: d.values.std)
    assert samples == pytest.approx(truth, rel=0.06) and mean < 0.97 * truth


@pytest.mark.parametrize(("factor", "sign"), [(0.6, 1), (1.6, -1)])
def test_a_wrong_spread_is_seen(factor: float, sign: int) -> None:
    found = [diagnose(drawn(field(i), N, seed=i, factor=factor)) for i in range(4)]
    ends = mean_of(found, lambda d: d.ranks.share[[0, -1]]).mean()
    assert sign * (ends - 1) > 0.3
    level = found[0].ranks.level
    off = mean_of(found, lambda d: d.ranks.covered) - level
    assert (sign * off[2:] < -0.05).all()
    assert mean_of(found, lambda d: d.spread_skill) == pytest.approx(factor, rel=0.15)
    assert sign * mean_of(found, lambda d: d.growth.ideal[-1] - d.growth.gain[-1]) > 0.5


def test_the_numbers_are_the_librarys() -> None:
    one = field(3)
    summary = drawn(one, N)
    found = diagnose(summary)
    area, samples = one.footprint, summary.samples
    assert found.n == N and found.ranks.n == N - 1
    counts = RunningRanks(one.truth).update(samples[: N - 1]).counts(area)
    share = counts.unflatten(-1, (16, -1)).sum(-1) * 16 / area.sum()
    np.testing.assert_allclose(found.ranks.share, share)
    edges = band_edges(2 * nyquist(1.0) / SIDE, nyquist(1.0), 14)
    there = np.isfinite(windowed_power(one.truth, GRID, area, edges).numpy())
    for line, image in (("truth", one.truth), ("mean", summary.mean)):
        power = windowed_power(image, GRID, area, edges).numpy()[there]
        scaled = power * found.spectrum.ell**2 / (2 * np.pi)
        np.testing.assert_allclose(getattr(found.spectrum, line), scaled)
    expected = chi_square(samples, one, margin=MARGIN, linear=True)
    assert found.shear.mean == pytest.approx(expected.mean().item())
    assert found.shear.share.sum() == pytest.approx(1)
    soft = mg.smooth(one.truth, GRID, WIDTH, mask=area)[area]
    assert found.values.std[2] == pytest.approx(soft.std(unbiased=False).item(), rel=1e-5)


def test_without_a_truth_nothing_is_said_of_it() -> None:
    real = replace(field(0), kappa=None)
    found = diagnose(drawn(real, 6))
    assert found.growth is None and found.ranks is None and found.spread_skill is None
    assert found.spectrum.truth is None and found.values.truth is None
    assert found.shear.truth is None and found.values.std[2] is None
    assert found.spectrum.model is found.spectrum.theory
    assert found.settling.n == [2, 4, 6]


def test_ranks_need_a_sample_for_each_bin() -> None:
    few, enough = (diagnose(drawn(field(0), n)) for n in (LEAST_RANKED - 1, LEAST_RANKED))
    assert few.ranks is None and few.growth is not None
    assert enough.ranks.n == LEAST_RANKED - 1


def test_one_sample_says_nothing_and_unwanted_work_ends() -> None:
    assert diagnose(drawn(field(0), 1)) is None
    asked = []

    def twice() -> bool:
        asked.append(None)
        return len(asked) < 3

    assert diagnose(drawn(field(0), 4), twice) is None and len(asked) == 3


def test_the_shear_is_taken_as_the_sampler_takes_it(small_field: Any) -> None:
    *_, wiener = mg.stream(mg.sampler("wiener", small_field), small_field, 4, 2)
    score, gan = (replace(wiener, provenance={"sampler": name}) for name in ("score", "gan"))
    linear, same, reduced = (diagnose(summary).shear.mean for summary in (wiener, score, gan))
    assert linear == same != reduced
