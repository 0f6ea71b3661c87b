"""The betting bound: what it promises over redraws of boxes, and beside another bound."""

from math import e, exp, log

import pytest
import torch
from scipy.stats import binom

from massgan_core.evaluate.rcps import (
    box_means,
    fewest_boxes,
    is_below,
    smallest_factor,
    upper_bound,
)

FACTORS = torch.linspace(0, 6, 31).double()
#: Of a box: its maps are that much noisier than their samples say.
SPREAD = 0.5


def hoeffding_bentkus(mean, n, delta):
    """Upper bound on the mean risk from the empirical one, by bisection."""

    def p_value(risk):
        low = min(mean, risk)
        h = low * log(low / risk) if low else 0.0
        h += (1 - low) * log((1 - low) / (1 - risk)) if low < 1 else 0.0
        return min(exp(-n * h), e * binom.cdf(-(-n * mean // 1), n, risk))

    low, high = mean, 1 - 1e-9
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if p_value(middle) > delta else (low, middle)
    return high


def draw(boxes, maps, rng):
    """Risk of each map at each of FACTORS: P(|z| > λ/level), the level shared by a box."""
    level = torch.exp(SPREAD * torch.randn(boxes, 1, 1, generator=rng)).double()
    level = level * torch.exp(0.1 * torch.randn(boxes, maps, 1, generator=rng)).double()
    return torch.special.erfc(FACTORS / level / 2**0.5).flatten(0, 1)


def true_risk():
    return draw(50_000, 1, torch.Generator().manual_seed(5)).mean(0)


def chosen(losses, alpha, delta):
    """The smallest of FACTORS from which on the bound holds."""
    good = is_below(losses, alpha, delta).flip(0).cumprod(0).flip(0).bool()
    return int((~good).sum())


def test_the_risk_is_controlled_over_boxes_and_not_over_maps(rng):
    """Eight maps of a box share its fate: counted as independent they promise too much."""
    alpha, delta, redraws, k, m = 0.2, 0.1, 300, 40, 8
    risk, exceeded = true_risk(), {"boxes": 0, "maps": 0}
    boxes = torch.arange(k).repeat_interleave(m).tolist()
    for _ in range(redraws):
        maps = draw(k, m, rng)
        for name, losses in (("boxes", box_means(maps, boxes)), ("maps", maps)):
            exceeded[name] += bool(risk[chosen(losses, alpha, delta)] > alpha)
    error = (delta * (1 - delta) / redraws) ** 0.5
    assert exceeded["boxes"] / redraws <= delta + 2 * error
    assert exceeded["maps"] / redraws > delta + 4 * error


@pytest.mark.parametrize(("n", "alpha"), [(60, 0.05), (200, 0.05), (40, 0.32)])
def test_the_betting_bound_is_tighter_than_hoeffding_and_bentkus(n, alpha, rng):
    """Fractions of many pixels scatter little, which only the betting bound can see."""
    losses = (0.6 * alpha + 0.01 * torch.randn(n, generator=rng)).clamp(0, 1).double()
    mean = float(losses.mean())
    betting, other = upper_bound(losses), hoeffding_bentkus(mean, n, 0.1)
    assert mean < betting < other - 0.01


def test_hoeffding_and_bentkus_allow_what_is_written_of_them():
    """At δ = 0.1 and α = 5 % an empirical risk of 2.1 % for 200 units."""
    largest = max(r for r in torch.arange(0, 0.05, 1e-3).tolist()
                  if hoeffding_bentkus(r, 200, 0.1) <= 0.05)  # fmt: skip
    assert 0.019 <= largest <= 0.0215


def test_the_bound_is_an_upper_bound(rng):
    """Two-valued losses, the worst kind: wrong in at most δ of 2000 redraws."""
    delta, risk = 0.2, 0.3
    losses = (torch.rand(50, 2000, generator=rng) < risk).double()
    wrong = is_below(losses, risk, delta).double().mean()
    assert 0.01 < wrong <= delta + 2 * (delta * (1 - delta) / 2000) ** 0.5


def test_the_bound_and_its_test_agree(rng):
    losses = 0.1 * torch.rand(80, generator=rng).double()
    bound = upper_bound(losses, 0.1)
    assert bool(is_below(losses, bound + 1e-9, 0.1))
    assert not bool(is_below(losses, bound - 1e-9, 0.1))
    assert upper_bound(losses, 0.01) > bound > upper_bound(losses, 0.3) > float(losses.mean())


def test_the_factor_is_the_smallest(rng):
    scores = torch.randn(120, 500, generator=rng).abs().double().sort(1).values

    def risk(factors):
        wanted = torch.as_tensor(factors).double().expand(120, -1).contiguous()
        return 1 - torch.searchsorted(scores, wanted, right=True) / 500.0

    factor = smallest_factor(risk, 0.1, delta=0.1)
    assert upper_bound(risk([factor])[:, 0], 0.1) <= 0.1 + 1e-9
    assert upper_bound(risk([factor - 0.01])[:, 0], 0.1) > 0.1
    assert 1.65 < factor < 2.0  # the normal quantile, and what 120 boxes cost
    assert smallest_factor(risk, 0.3) < smallest_factor(risk, 0.1) < smallest_factor(risk, 0.05)
    assert smallest_factor(lambda f: 0 * risk(f), 0.1) == 0


def test_too_few_boxes_are_refused_with_the_number_it_takes():
    need = fewest_boxes(0.05, 0.1)
    assert need == 48

    def nothing(factors):
        return torch.zeros(need - 1, len(factors), dtype=torch.float64)

    with pytest.raises(ValueError, match=r"47 boxes cannot show .* at least 48"):
        smallest_factor(nothing, 0.05, delta=0.1)
    assert smallest_factor(lambda f: torch.zeros(need, len(f)).double(), 0.05) == 0


def test_losses_are_fractions():
    with pytest.raises(ValueError, match="fractions between 0 and 1"):
        upper_bound(torch.tensor([0.1, 1.2]))
    with pytest.raises(ValueError, match="`delta` must lie between 0 and 1"):
        upper_bound(torch.tensor([0.1, 0.2]), 1.0)


def test_boxes_are_averaged_in_the_order_they_come():
    values = torch.tensor([[1.0, 0.0], [3.0, 1.0], [5.0, 1.0]])
    assert box_means(values, [9, 2, 9]).tolist() == [[3.0, 0.5], [3.0, 1.0]]
