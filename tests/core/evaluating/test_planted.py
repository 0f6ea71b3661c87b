"""Every planted fault is found on the exact sampler made faulty, and the exact one has none."""

from dataclasses import replace
from functools import cache

import pytest
import torch

from massgan_core.evaluate import pearson, rmse, spread_skill
from massgan_core.evaluate.probes import leak_probe
from massgan_core.evaluating.figures import ratios, tabulate
from massgan_core.evaluating.measure import measure
from massgan_core.evaluating.methods import Method
from massgan_core.evaluating.scene import Scene, Yardstick
from massgan_core.sky import Draws, ShearOperator, remove_mean

N, BATCH = 63, 21


@pytest.fixture(scope="module")
def scenes(gaussian):
    yard = Yardstick.of(gaussian.fields[0], gaussian.power)
    return [Scene.of(field, yard) for field in gaussian.fields]


def measured(sampler, gaussian, scenes):
    """Figures of a sampler, and its r over that of the exact posterior mean."""
    boxes = list(range(len(scenes)))
    method = Method("planted", "Planted", sampler, linear=True)
    exact = Method("exact", "Exact", None, gaussian.sampler.map, linear=True)
    records, others = (
        [measure(m, scene, N, i, BATCH) for i, scene in enumerate(scenes)] for m in (method, exact)
    )
    over, over_error = ratios(records, others, boxes)["r"]
    return tabulate(
        records,
        boxes,
        samples=N,
        leaks=leak_probe(sampler, gaussian.fields[0]),
        known={"r_over_exact": over, "r_over_exact_error": over_error},
    )


def names_of(table):
    return {fault["name"] for fault in table["faults"]}


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


@pytest.fixture(scope="module")
def exact(gaussian, scenes):
    """Figures of the exact sampler."""
    return measured(gaussian.sampler, gaussian, scenes)


def test_exact_samples_have_no_fault(exact):
    table = exact
    assert table["faults"] == []
    assert table["unjudged"] == []
    assert table["spread_skill"] == pytest.approx(1, abs=0.04)
    assert set(table["leaks"].values()) == {0.0} and len(table["leaks"]) == 4
    assert 0.7 < table["zero_point"] < 1.2 and table["std_variation"] > 0.08
    # Of STD that varies by 11 %, estimated by 63 samples to 9 %, with |error|.
    assert table["std_error_r"] == pytest.approx(0.11, abs=0.03)
    assert table["chi_square"] == pytest.approx(1, abs=0.03)
    assert abs(table["std_over_truth"] - 1) < 0.05
    assert all(0.9 < b < 1.1 for b in table["ranks"])
    assert max(table["tarp"].values()) <= 1 and min(table["tarp"].values()) > 0.005


def test_figures_are_the_direct_ones(gaussian, exact):
    """What is put together from records of single fields is what all maps at once give."""
    table = exact
    stacks = [
        remove_mean(
            torch.cat(
                [gaussian.sampler.sample(f, BATCH, Draws(i, k)) for k in range(0, N, BATCH)]
            ),
            gaussian.area,
        )
        for i, f in enumerate(gaussian.fields)
    ]
    mean, var = (torch.stack([getattr(s, k)(0) for s in stacks]) for k in ("mean", "var"))
    truth = torch.stack([f.truth for f in gaussian.fields])
    area = gaussian.area.expand_as(truth)
    assert table["r"] == pytest.approx(pearson(mean, truth, area).mean().item(), rel=1e-5)
    direct = spread_skill(mean, var, truth, area, N).item()
    assert table["spread_skill"] == pytest.approx(direct, rel=1e-5)
    square = (rmse(mean, truth, area) ** 2).mean().sqrt().item()
    assert table["rmse"] == pytest.approx(square, rel=1e-5)
    assert table["growth"]["rmse"][-1] == pytest.approx(square, rel=1e-4)
    assert sum(table["values_of_samples"]) == pytest.approx(int(area.sum()), rel=1e-4)


@pytest.fixture(scope="module")
def table_of(gaussian, scenes):
    """Figures of a planted sampler on some of the fields, measured once."""
    return cache(lambda draw, number: measured(Planted(gaussian, draw), gaussian, scenes[:number]))


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
    found = table_of(draw, number)["faults"]
    assert names <= {fault["name"] for fault in found}, [f["words"] for f in found]


def test_what_one_figure_hides_another_shows(table_of):
    """A leak that is owned up to, and a bias with the spread to match, have spread/skill 1."""
    for draw, number in ((leaking, 6), (biased_and_inflated, 16)):
        found = names_of(table_of(draw, number))
        assert found and not {"spread per pixel", "ranks", "gain"} & found


def test_nan_is_a_fault(gaussian, scenes):
    table = measured(Planted(gaussian, broken), gaussian, scenes[:2])
    assert table["faults"][0]["name"] == "not a number"
    assert table["spread_skill"] is None
