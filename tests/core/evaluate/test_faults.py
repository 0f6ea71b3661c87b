"""Every planted fault is found on the exact sampler made faulty, and the exact one has none."""

from dataclasses import replace
from functools import cache
from math import sqrt

import pytest
import torch

from massgan_core.evaluate import (
    by_level,
    estimate_and_truth,
    levels,
    paired_ratio,
    pearson,
    smoothed,
    spread_and_error,
    top,
)
from massgan_core.evaluate.convergence import RunningConvergence, convergence
from massgan_core.evaluate.coverage import RunningRanks, binned_ranks, coverage
from massgan_core.evaluate.faults import FIGURES, Fault, faults, unjudged
from massgan_core.evaluate.probes import (
    closest_pair,
    latent_share,
    leak_probe,
    local_depth,
    slope_sums,
    std_variation,
    zero_point,
)
from massgan_core.evaluate.tarp import References, RunningTarp, block_means, tarp
from massgan_core.posterior import RunningMoments
from massgan_core.sky import Draws, ShearOperator, generator, remove_mean

N, BATCH = 63, 21


def measured(sampler, gaussian, number=16):
    """The figures of a sampler, one field and one batch at a time."""
    area, grid, boxes = gaussian.area, gaussian.grid, range(number)
    prior = remove_mean(gaussian.prior(16, 5), area)
    places = References.of(lambda maps: block_means(maps, grid, area, blocks=4), prior)
    rows, ranks, near, curves, latents = [], [], [], [], []
    fields = zip(gaussian.fields[:number], gaussian.turned[:number], strict=True)
    for index, (field, turned) in enumerate(fields):
        truth, draws = field.truth, Draws(index)
        seen, tests = RunningRanks(truth), RunningTarp.of(places, truth)
        curve, raw = RunningConvergence(truth, area), RunningMoments()
        halves, wide = [RunningMoments()] * 2, {w: RunningMoments() for w in (4,)}
        for _ in range(N // BATCH):
            batch = sampler.sample(field, BATCH, draws)
            raw, samples = raw.update(batch), remove_mean(batch, area)
            seen, tests, curve = (x.update(samples) for x in (seen, tests, curve))
            halves = [h.update(samples[k::2]) for k, h in enumerate(halves)]
            wide = {w: m.update(smoothed(samples, grid, w, area)) for w, m in wide.items()}
        whole, key = halves[0].merge(halves[1]), generator(9, index)
        mean, var, std = whole.mean, whole.var, whole.std
        error = (mean - truth).abs()
        exact = remove_mean(gaussian.sampler.map(field), area)
        peaks = top(halves[0].mean, area, 0.05)
        depth = levels(local_depth(field), area, 5)
        half_var = [h.var for h in halves]
        deciles = [
            by_level(mean, v, truth, area, levels(picks.sqrt(), area), N)
            for picks, v in zip(half_var, half_var[::-1], strict=True)
        ]
        turned_mean = sampler.sample(turned, 4, 0).mean(0)
        row = {
            "spread_skill": spread_and_error(mean, var, truth, area, area, N),
            "spread_skill_top": spread_and_error(mean, var, truth, area, peaks, N),
            "deciles_unselected": [sum(x) for x in zip(*deciles, strict=True)],
            "depth_levels": by_level(mean, var, truth, area, depth, N, 5),
            "slope": slope_sums(mean, var, truth, area, N),
            "peak_bias_unselected": estimate_and_truth(halves[1].mean, truth, area, peaks),
            "r_over_exact": [pearson(m, truth, area) for m in (mean, exact)],
            "b_mode_r": [pearson(turned_mean, truth, area), torch.tensor(1.0)],
            "std_error_r": [pearson(std, error, area), torch.tensor(1.0)],
            "zero_point": zero_point(raw.mean, field.kappa, area),
            "zero_point_outside": zero_point(raw.mean, field.kappa, ~area),
            "std_variation": [std_variation(*(h.std for h in halves), area), torch.tensor(1.0)],
        }
        for w, m in wide.items():
            true = smoothed(truth, grid, w, area)
            row[f"spread_skill_{w}arcmin"] = spread_and_error(m.mean, m.var, true, area, area, N)
        rows.append(row)
        ranks.append(seen.counts(area))
        near.append(tests.counts(key))
        curves.append(curve.table())
        latents.append((latent_share(mean, var, area), closest_pair(samples, area)))
    table = {"samples": N}
    for name in rows[0]:
        sums = [torch.stack([row[name][k] for row in rows]) for k in (0, 1)]
        value, error = paired_ratio(*sums, boxes)
        if "spread" in name or "zero" in name or "level" in name or "decile" in name:
            value, error = value.sqrt(), error / 2 / value.sqrt().clamp_min(1e-9)
        table[name], table[f"{name}_error"] = value.tolist(), error.tolist()
    table["peak_bias_unselected"] -= 1
    table["std_variation"] = sqrt(max(table["std_variation"], 0))
    counts = torch.stack(ranks)
    binned = binned_ranks(counts)
    relative = paired_ratio(binned, binned.mean(-1, keepdim=True).expand_as(binned), boxes)
    table["ranks"], table["ranks_error"] = (x.tolist() for x in relative)
    table["coverage"], table["coverage_error"] = (x.tolist() for x in coverage(counts, boxes))
    table["tarp"] = {"smoothed blocks": tarp(torch.stack(near), boxes).p}
    gains = convergence(curves[0][0], [t for _, t in curves], boxes, table["spread_skill"])
    table["gain"], table["gain_error"] = gains.gain[-1], gains.gain_error[-1]
    share, closest = (torch.stack(x) for x in zip(*latents, strict=True))
    table |= {"latent_share": share.mean().item(), "closest_pair": closest.min().item()}
    table["leaks"] = leak_probe(sampler, gaussian.fields[0])
    return table


class Planted:
    """A sampler with a fault: `draw(exact, field, n, draws)`."""

    def __init__(self, gaussian, draw):
        self.exact, self.draw = gaussian.sampler, draw

    def sample(self, field, n, generator=None):
        return self.draw(self.exact, field, n, Draws.of(generator))


def halved(exact, field, n, draws):
    mean = exact.map(field)
    return mean + 0.5 * (exact.sample(field, n, draws) - mean)


def collapsed(exact, field, n, draws):
    draws.take(n)
    return exact.sample(field, 1, 7).expand(n, -1, -1)


def repeating(exact, field, n, draws):
    """Twenty latents, over and over."""
    first = draws.next
    draws.take(n)
    return exact.sample(field, 20, draws.seed)[torch.arange(first, first + n) % 20]


def at_the_true_zero_point(exact, field, n, draws):
    samples = exact.sample(field, n, draws)
    if field.kappa is None:
        return samples
    return remove_mean(samples, field.footprint) + field.kappa[field.footprint].mean()


def filled_with_the_true_mean(exact, field, n, draws):
    samples = remove_mean(exact.sample(field, n, draws), field.footprint)
    if field.kappa is None:
        return samples
    return torch.where(field.footprint, samples, field.kappa[~field.footprint].mean())


def opened(field):
    """The field with noise-free shear of the true κ where it was not observed."""
    if field.kappa is None:
        return field
    shear = torch.where(field.mask, field.gamma, ShearOperator(field.grid)(field.kappa))
    sigma = torch.where(field.mask, field.sigma, 0.03)
    return replace(field, gamma=shear, sigma=sigma, mask=torch.ones_like(field.mask))


def leaking(exact, field, n, draws):
    """Sees behind the mask, and its spread knows."""
    return exact.wiener.sample(opened(field), n, draws)


def leaking_with_honest_spread(exact, field, n, draws):
    """Sees behind the mask, and scatters as if it did not."""
    rest = exact.sample(field, n, draws) - exact.map(field)
    return exact.wiener.map(opened(field)) + rest


def biased_and_inflated(exact, field, n, draws):
    """MEAN is 1.8 times too strong, and the spread makes up for it in every pixel."""
    mean = exact.map(field)
    rest = exact.sample(field, n, draws) - mean
    return 1.8 * mean + 1.11 * rest


def evenly_spread(exact, field, n, draws):
    """The right spread on average, the same in every pixel."""
    mean, std = exact.map(field), exact.std()
    flat = std[field.footprint].square().mean().sqrt() / std
    return mean + flat * (exact.sample(field, n, draws) - mean)


def spread_elsewhere(exact, field, n, draws):
    """The right values of STD, mirrored."""
    mean, std = exact.map(field), exact.std()
    return mean + std.flip(-1) / std * (exact.sample(field, n, draws) - mean)


def mixing_modes(exact, field, n, draws):
    return exact.sample(field, n, draws) + exact.map(field.rotated())


def restless(exact, field, n, draws):
    return exact.sample(field, n, draws) + 1e-4 * torch.randn(n, *field.grid.shape)


def broken(exact, field, n, draws):
    samples = exact.sample(field, n, draws)
    samples[:, 20, 20] = torch.nan
    return samples


def ignorant(exact, field, n, draws):
    """Draws from the prior, whatever was observed."""
    nothing = replace(field, sigma=torch.full_like(field.sigma, 100.0))
    return exact.wiener.sample(nothing, n, draws)


def test_exact_samples_have_no_fault(gaussian):
    table = measured(gaussian.sampler, gaussian)
    assert faults(table) == []
    assert unjudged(table) == ["spread_skill_2arcmin", "coverage_levels"]
    assert table["spread_skill"] == pytest.approx(1, abs=0.04)
    assert set(table["leaks"].values()) == {0.0} and len(table["leaks"]) == 4
    assert 0.7 < table["zero_point"] < 1.2 and table["std_variation"] > 0.08
    # Of STD that varies by 11 %, estimated by 63 samples to 9 %, with |error|.
    assert table["std_error_r"] == pytest.approx(0.11, abs=0.03)


@pytest.fixture(scope="module")
def table_of(gaussian):
    """Figures of a planted sampler on some of the fields, measured once."""
    return cache(lambda draw, number: measured(Planted(gaussian, draw), gaussian, number))


@pytest.mark.parametrize(
    ("draw", "number", "names"),
    [
        (
            halved,
            6,
            {"spread per pixel", "spread after 4′ smoothing", "ranks", "coverage", "gain"},
        ),
        (collapsed, 4, {"latents", "spread per pixel", "ranks", "coverage", "gain"}),
        (repeating, 4, {"latents"}),
        (at_the_true_zero_point, 4, {"leak", "zero point"}),
        (filled_with_the_true_mean, 4, {"leak", "zero point"}),
        (leaking, 6, {"leak", "r too high"}),
        (leaking_with_honest_spread, 6, {"leak", "r too high", "spread per pixel", "coverage"}),
        (biased_and_inflated, 16, {"biased mean", "biased peaks", "joint samples"}),
        (evenly_spread, 16, {"constant STD", "depth"}),
        (spread_elsewhere, 8, {"misplaced STD", "depth", "deciles"}),
        (mixing_modes, 6, {"B mode"}),
        (restless, 2, {"repeat"}),
        (ignorant, 6, {"r too low"}),
    ],
)
def test_planted_faults_are_found(draw, number, names, table_of):
    found = faults(table_of(draw, number))
    assert names <= {fault.name for fault in found}, [str(f) for f in found]


def test_what_one_figure_hides_another_shows(table_of):
    """A leak that is owned up to, and a bias with the spread to match, have spread/skill 1."""
    for draw, number in ((leaking, 6), (biased_and_inflated, 16)):
        found = {f.name for f in faults(table_of(draw, number))}
        assert found and not {"spread per pixel", "ranks", "gain"} & found


def test_nan_is_a_fault(gaussian):
    found = faults(measured(Planted(gaussian, broken), gaussian, 2))
    assert found[0].name == "not a number"


def test_what_is_not_repeatable_is_no_leak():
    leaks = {"repeat": 1e-3, "the true κ": 1.1e-3}
    assert [f.name for f in faults({"leaks": leaks})] == ["repeat"]
    leaks["the true κ"] = 0.1
    assert [f.name for f in faults({"leaks": leaks})] == ["repeat", "leak"]


GOOD = {
    "samples": 63,
    "spread_skill": 1.01,
    "spread_skill_2arcmin": 1.05,
    "spread_skill_4arcmin": 0.93,
    "spread_skill_top": 0.96,
    "deciles_unselected": [0.95] * 10,
    "depth_levels": [1.05] * 5,
    "ranks": [1.1, *[1.0] * 14, 1.1],
    "gain": 2.9,
    "coverage": [0.51, 0.91],
    "coverage_levels": [0.5, 0.9],
    "tarp": {"patches": 0.2},
    "slope": 0.98,
    "peak_bias_unselected": 0.03,
    "r_over_exact": 0.98,
    "b_mode_r": 0.01,
    "std_variation": 0.1,
    "std_error_r": 0.11,
    "latent_share": 0.7,
    "closest_pair": 0.8,
    "zero_point": 0.9,
    "zero_point_outside": 0.8,
    "leaks": {"repeat": 0.0, "the true κ": 0.0},
}


def test_the_table_of_a_good_sampler_is_complete():
    assert faults(GOOD) == [] and set(GOOD) == set(FIGURES) and unjudged(GOOD) == []


@pytest.mark.parametrize(
    ("figure", "value", "name", "words"),
    [
        ("spread_skill", 0.9, "spread per pixel", "per pixel is 0.90 (should be 0.96–1.04)"),
        ("spread_skill", 1.2, "spread per pixel", "samples scatter too much"),
        ("spread_skill_2arcmin", 0.5, "spread after 2′ smoothing", "scatter too little"),
        ("spread_skill_4arcmin", 1.5, "spread after 4′ smoothing", "is 1.50"),
        ("spread_skill_top", 0.8, "spread at the top 1 % of MEAN", "is 0.80"),
        ("deciles_unselected", [1.0] * 9 + [0.7], "deciles", "decile 10 of STD with 0.70"),
        (
            "depth_levels",
            [0.7, 1.0, 1.2],
            "depth",
            "outside 0.9–1.1 in 2 of 3, furthest in level 1",
        ),
        ("ranks", [1.6, *[0.92] * 14, 1.6], "ranks", "a valley: too little spread"),
        ("ranks", [0.6, *[1.06] * 14, 0.6], "ranks", "a hill: too much spread"),
        ("ranks", [0.6, *[1.0] * 14, 1.4], "ranks", "a slope: MEAN is biased"),
        ("gain", 1.0, "gain", "gains 1.00 dB (should be 2.94 ± 0.15): samples are too alike"),
        ("coverage", [0.45, 0.9], "coverage", "Intervals of 50% hold the truth in 45.0%"),
        ("coverage", [0.47, 1.0], "coverage", "Intervals of 90% hold the truth in 100.0%"),
        ("tarp", {"patches": 0.001}, "joint samples", "TARP on patches has p = 0.001"),
        ("slope", 0.7, "biased mean", "too strong, or carries errors of its own, and a spread"),
        ("slope", 1.3, "biased mean", "rises by 1.30 per unit of MEAN"),
        ("peak_bias_unselected", 0.2, "biased peaks", "off by +20 ± 0 %"),
        ("r_over_exact", 1.1, "r too high", "more than the data allow"),
        ("r_over_exact", 0.5, "r too low", "is 0.50 of the exact"),
        ("b_mode_r", -0.3, "B mode", "r = -0.30 with the truth"),
        ("std_error_r", 0.0, "misplaced STD", "correlate by 0.00, where so varied"),
        ("latent_share", 0.01, "latents", "only 1.0% of their own std"),
        ("closest_pair", 0.0, "latents", "the sampler repeats itself"),
        ("zero_point", 0.0, "zero point", "copied from the truth"),
        ("zero_point_outside", 0.1, "zero point", "outside the footprint is right to 10%"),
        ("leaks", {"the true κ": 0.5}, "leak", "0.5 times their own rms when the true κ changes"),
        ("leaks", {"repeat": 1e-3}, "repeat", "the same seed must give the same"),
    ],
)
def test_every_figure_can_be_a_fault(figure, value, name, words):
    (fault,) = faults(GOOD | {figure: value})
    assert fault.name == name and words in str(fault)
    assert str(fault).endswith(".") and str(fault).count(". ") == 0


def test_a_constant_std_is_a_fault_where_the_error_is_not():
    assert faults(GOOD | {"std_variation": 0.0}) == []  # the same at all depths
    rising = {"std_variation": 0.004, "depth_levels": [0.92, 1.0, 1.08]}
    (fault,) = faults(GOOD | rising)
    assert "only 0.4%" in str(fault) and "changes by 0.16 with the depth" in str(fault)
    assert faults(GOOD | rising | {"depth_levels_error": [0.04] * 3}) == []
    assert [f.name for f in faults(GOOD | rising | {"depth_levels_error": [0.03] * 3})]
    blind = {k: v for k, v in GOOD.items() if k != "depth_levels"}
    (fault,) = faults(blind | {"std_variation": 0.0})
    assert "only even noise without mask or edge allows" in str(fault)


def test_a_varied_std_must_know_where_errors_are():
    """STD that varies by 30 % and is known exactly should give r = 0.36: half is asked for."""
    table = {"std_variation": 0.3, "std_error_r": 0.2}
    assert faults(table) == []
    (fault,) = faults(table | {"std_error_r": 0.15})
    assert "correlate by 0.15, where so varied an STD should give 0.36" in str(fault)


def test_three_standard_errors_are_forgiven():
    assert faults({"spread_skill": 0.9, "spread_skill_error": 0.021}) == []
    assert len(faults({"spread_skill": 0.9, "spread_skill_error": 0.019})) == 1
    many = {"ranks": [0.8] * 16, "ranks_error": [0.04] * 16}
    assert faults(many) == []
    one_box = {"spread_skill": 0.9, "spread_skill_error": float("nan")}
    assert len(faults(one_box)) == 1  # an unknown error forgives nothing


def test_what_was_not_measured_is_not_judged():
    assert faults({}) == [] and faults({"something_else": 3}) == []
    assert unjudged({}) == list(FIGURES)
    assert faults({"coverage": [0.1, float("nan")], "coverage_levels": [0.1, 0.99]}) == []
    assert faults({"slope": float("nan")})[0].name == "not a number"
    assert str(Fault("name", "Words.")) == "Words."
