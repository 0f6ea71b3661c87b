from math import inf, log10, sqrt

import pytest
import torch

from massgan_core.evaluate import pearson, psnr, spread_skill
from massgan_core.evaluate.convergence import (
    RunningConvergence,
    convergence,
    drawn,
    gain_law,
    limit_of_spread,
)
from massgan_core.evaluate.metrics import mean_square
from massgan_core.posterior import stream
from massgan_core.sky import Draws

SIDE, FIELDS = 24, 30


def toy(rng, n, factor=1.0):
    """Convergence of fields whose posterior is N(centre, 1), and the spread/skill of them all."""
    area = torch.rand(SIDE, SIDE, generator=rng) > 0.2
    tables, means, variances, truths = [], [], [], []
    for _ in range(FIELDS):
        centre = torch.randn(SIDE, SIDE, generator=rng)
        truth = centre + torch.randn(SIDE, SIDE, generator=rng)
        samples = centre + factor * torch.randn(n, SIDE, SIDE, generator=rng)
        running = RunningConvergence(truth, area)
        for part in samples.split(7):
            running = running.update(part)
        tables.append(running.table())
        means.append(samples.mean(0))
        variances.append(samples.var(0))
        truths.append(truth)
    maps = [torch.stack(x) for x in (means, variances, truths)]
    s = spread_skill(*maps, area.expand(FIELDS, -1, -1), n).item()
    return convergence(tables[0][0], [t for _, t in tables], range(FIELDS), s)


def test_the_law_of_exact_samples():
    assert gain_law(1) == 0
    for n in (2, 8, 32):
        assert gain_law(n) == pytest.approx(10 * log10(2 * n / (n + 1)))
    assert gain_law(8) == pytest.approx(2.5, abs=0.01)
    assert gain_law(8, 0.0) == 0  # samples that do not differ
    assert gain_law(8, inf) == pytest.approx(10 * log10(8)) == gain_law(8, 1e6)
    # 0.15 dB at N = 32 are spread/skill 0.963 to 1.037.
    assert gain_law(32) - gain_law(32, 0.963) == pytest.approx(0.15, abs=0.01)
    assert gain_law(32, 1.037) - gain_law(32) == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize("s", [0.3, 1.0, 2.0])
def test_the_limit_undoes_a_finite_number(s):
    for n in (2, 63):
        measured = sqrt((1 + 1 / n) * s**2 / (1 + s**2 / n))
        assert limit_of_spread(measured, n) == pytest.approx(s)
    assert limit_of_spread(3.0, 8) == limit_of_spread(4.0, 8) == inf


def test_exact_samples_gain_what_they_should(rng):
    result = toy(rng, 32)
    assert result.n == [1, 2, 4, 8, 16, 32]
    for gain, error, ideal in zip(result.gain, result.gain_error, result.ideal, strict=True):
        assert gain == pytest.approx(ideal, abs=max(4 * error, 1e-9))
    assert 0 < result.gain_error[-1] < 0.06 and result.gain_error[0] < 1e-9
    assert result.law == pytest.approx(result.ideal, abs=0.05)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_wrong_samples_gain_what_their_spread_says(factor, rng):
    result = toy(rng, 20, factor)
    assert result.n == [1, 2, 4, 8, 16, 20]
    for gain, error, law in zip(result.gain, result.gain_error, result.law, strict=True):
        assert gain == pytest.approx(law, abs=max(4 * error, 1e-9))
    assert abs(result.gain[-1] - result.ideal[-1]) > 0.5
    assert result.law[-1] == pytest.approx(gain_law(20, factor), abs=0.1)


def test_scores_are_those_of_the_mean_of_the_first_samples(rng):
    truth, samples = torch.randn(SIDE, SIDE, generator=rng), torch.randn(11, SIDE, SIDE)
    area = torch.rand(SIDE, SIDE, generator=rng) > 0.2
    tables = []
    for batch in (1, 3, 11):
        running = RunningConvergence(truth, area, {"least": lambda m, t, a: m[a].min()})
        for part in samples.split(batch):
            running = running.update(part)
        n, table = running.table()
        assert n == [1, 2, 4, 8, 11]
        tables.append(table)
    for table in tables:
        assert set(table) == {"mean_square", "r", "least"}
        for k, count in enumerate(n):
            mean = samples[:count].double().mean(0)
            torch.testing.assert_close(table["r"][k], pearson(mean, truth, area))
            torch.testing.assert_close(table["mean_square"][k], mean_square(mean, truth, area))
            torch.testing.assert_close(table["least"][k], mean[area].min())


def test_errors_are_averaged_before_the_root(rng):
    tables = [{"mean_square": torch.tensor([s, s / 2]), "r": torch.tensor([r, 1.0])} for s, r in
              ((4e-4, 0.2), (16e-4, 0.4))]  # fmt: skip
    result = convergence([1, 2], tables, [0, 1], 1.0)
    assert result.rmse == pytest.approx([sqrt(10e-4), sqrt(5e-4)])
    assert result.psnr == pytest.approx([psnr(e) for e in result.rmse])
    assert result.scores == {"r": pytest.approx([0.3, 1.0])}
    assert result.gain == pytest.approx([0, 10 * log10(2)])


def test_a_map_without_error_has_no_end_of_psnr():
    table = {"mean_square": torch.zeros(2), "r": torch.ones(2)}
    assert convergence([1, 2], [table], [0], 1.0).psnr == [inf, inf]


def test_no_sample_no_table():
    running = RunningConvergence(torch.zeros(2, 2), torch.ones(2, 2, dtype=torch.bool))
    with pytest.raises(ValueError, match="no sample was seen yet"):
        running.table()


def test_samples_are_those_of_the_stream(small_field):
    class White:
        def sample(self, field, n, generator=None):
            return 5 + Draws.of(generator).normal(n, field.grid.shape)

    batches = list(drawn(White(), small_field, 7, 3, seed=4))
    assert [len(b) for b in batches] == [3, 3, 1]
    *_, last = stream(White(), small_field, 7, 3, seed=4)
    torch.testing.assert_close(torch.cat(batches), last.samples)
    assert torch.cat(batches)[:, small_field.footprint].mean(-1).abs().max() < 1e-5
