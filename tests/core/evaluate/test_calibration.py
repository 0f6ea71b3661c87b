"""Intervals from a calibration: exact on Gaussian skies, and honest about where they hold."""

from dataclasses import replace

import pytest
import torch

from massgan_core.evaluate.calibration import (
    Calibration,
    SurveyFactors,
    TableFactors,
    calibrated_interval,
    edge_distance,
    local_noise,
)
from massgan_core.evaluate.conformal import missed, order_statistic, quantile_score, residual_score
from massgan_core.mapping import Wiener
from massgan_core.posterior import stream
from massgan_core.sky import (
    Grid,
    PowerSpectrum,
    ShearField,
    ShearOperator,
    Sources,
    gaussian_field,
    generator,
    shape_noise,
)

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
LEVELS = (0.68, 0.95)
HOME = (1.4, 0.02)


class Overconfident:
    """The exact Gaussian posterior with its std multiplied by 0.7."""

    def __init__(self):
        self.exact = Wiener(POWER)

    def sample(self, field, n, generator=None):
        mean = self.exact.map(field)
        return mean + 0.7 * (self.exact.sample(field, n, generator) - mean)


def survey_field(seed=0, side=14, sigma=0.05):
    """A field with a masked corner and noise that grows to the right."""
    grid = Grid((side, side), 1.0)
    noise = sigma * torch.linspace(1, 2, side).expand(side, side).contiguous()
    mask = torch.ones(side, side, dtype=torch.bool)
    mask[:4, :3] = False
    kappa = gaussian_field(POWER, grid, generator(seed))
    gamma = ShearOperator(grid)(kappa) + shape_noise(noise, generator(seed, 1))
    return ShearField(grid, gamma, noise, mask, kappa)


@pytest.fixture(scope="module")
def gaussian():
    """Summaries of 30 boxes, 4 crops of each: crops of a box overlap on its one large map."""
    large, boxes, summaries = Grid((40, 40), 1.0), [], []
    plain = survey_field()
    for box in range(30):
        sky = gaussian_field(POWER, large, generator(box, 2))
        shear = ShearOperator(large)(sky)
        for i in range(4):
            here = slice(8 + 2 * i, 22 + 2 * i), slice(10, 24)
            noise = shape_noise(plain.sigma.clamp_max(1), generator(box, i))
            field = replace(plain, gamma=shear[here] + noise, kappa=sky[here].clone())
            *_, summary = stream(Overconfident(), field, 16, 16, seed=100 * box + i)
            summaries.append(summary)
            boxes.append(box)
    return summaries, torch.tensor(boxes)


def scores_of(summaries, method, level):
    rows = []
    for s in summaries:
        low, high = s.quantile(((1 - level) / 2, (1 + level) / 2))
        truth = s.field.truth
        residual = method == "residual"
        rows.append(
            residual_score(s.mean, s.std, truth) if residual else quantile_score(low, high, truth)
        )
    return torch.stack(rows)


def made(method="residual", survey=None, table=None, **more):
    values = {"checkpoint": "test", "digest": "0" * 12, "samples": 8, "seed": 0, "maps": 100}
    values |= {"boxes": 20, "redshifts": (0.5, 1.5), "scales": (0.01, 0.03), "home": HOME}
    return Calibration(
        method, LEVELS, survey=survey, table=table, facts={"delta": 0.1}, **values | more
    )


def on_survey(field, factor):
    return SurveyFactors(field.sigma, field.grid.pixel_scale, (1.3, 1.5), factor)


def a_table(**more):
    factor = torch.arange(1.0, 13).reshape(2, 3, 2)
    values = {"noise": (2.0, 3.0, 4.0, 6.0), "distance": (1.5,), "pixel_scale": (0.9, 1.1)}
    return TableFactors(**values | {"redshift": (0.9, 1.5), "factor": factor} | more)


def a_field(sigma=0.07, side=20, **more):
    grid = Grid((side, side), more.pop("pixel_scale", 1.0))
    mask = torch.ones(side, side, dtype=torch.bool)
    return ShearField(
        grid, torch.zeros(side, side) + 0j, torch.full(mask.shape, sigma), mask, **more
    )


@pytest.mark.parametrize("method", ["residual", "cqr"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_wrong_std_is_mended_on_average_over_redraws_of_boxes(gaussian, method, level):
    """Miss: α − 0.01 − 2 s.e. to α + 2 s.e. after, far above α before."""
    summaries, boxes = gaussian
    scores, alpha, key = scores_of(summaries, method, level), 1 - level, generator(3)
    area, missing = summaries[0].field.footprint, []
    for _ in range(40):
        order = torch.randperm(30, generator=key)
        first, rest = (torch.isin(boxes, part) for part in (order[:20], order[20:]))
        factor = order_statistic(scores[first], alpha)
        missing.append((scores[rest] > factor)[:, area].double().mean())
    miss = float(torch.stack(missing).mean())
    per_box = torch.stack(
        [(scores[boxes == b] > factor)[:, area].double().mean() for b in range(30)]
    )
    error = float(per_box.std()) / 30**0.5
    assert alpha - 0.01 - 2 * error <= miss <= alpha + 2 * error
    raw = [missed(*s.quantile((alpha / 2, 1 - alpha / 2)), s.field.truth, area) for s in summaries]
    assert float(torch.stack(raw).mean()) > alpha + 0.08


@pytest.mark.parametrize("method", ["residual", "cqr"])
def test_the_interval_holds_the_truth_just_where_its_score_allows(gaussian, method):
    summary = gaussian[0][0]
    scores = torch.stack([scores_of([summary], method, level)[0] for level in LEVELS])
    factor = scores.median() * torch.ones_like(scores)
    unit = HOME[1] if method == "cqr" else 1
    calibration = made(method, on_survey(summary.field, factor / unit))
    for i, level in enumerate(LEVELS):
        low, high = calibrated_interval(summary, calibration, level)
        inside = (low <= summary.field.truth) & (summary.field.truth <= high)
        sure = (scores[i] - factor[i]).abs() > 1e-6
        assert torch.equal(inside[sure], (scores[i] <= factor[i])[sure])


def test_each_level_has_its_own_factor(gaussian):
    summary = gaussian[0][0]
    factor = torch.stack([torch.full((14, 14), f) for f in (1.0, 2.5)])
    calibration = made("residual", on_survey(summary.field, factor))
    for level, f in zip(LEVELS, (1.0, 2.5), strict=True):
        low, high = calibrated_interval(summary, calibration, level)
        torch.testing.assert_close(high - low, 2 * f * summary.std)
        torch.testing.assert_close((high + low) / 2, summary.mean)
    assert calibration.has(0.95) and not calibration.has(0.9)
    with pytest.raises(ValueError, match=r"calibrated \(0.68, 0.95\), got 0.9"):
        calibrated_interval(summary, calibration, 0.9)


def test_a_table_gives_each_pixel_the_factor_of_its_noise_and_place():
    table = a_table()
    noise = torch.tensor([1.0, 2.5, 3.5, 4.5, 9.0, float("inf")])
    a, d = table.bins(noise, torch.tensor([0.0, 1.4, 1.5, 3.0, 9.0, 0.0]))
    assert a.tolist() == [0, 0, 1, 2, 2, 2] and d.tolist() == [0, 0, 1, 1, 1, 0]
    field = a_field(0.07)  # 3.5 times σ_κ
    factor = made(table=table).factor(field, 0.95)
    assert float(factor[10, 10]) == 10 and float(factor[0, 10]) == 9  # [1, 1, 1] and [1, 1, 0]
    far = replace(field, sources=Sources.plane(1.25))  # σ_κ 0.025: 2.8 times
    assert float(made(table=table).factor(far, 0.68)[10, 10]) == 2
    scaled = made("cqr", table=table).factor(far, 0.68)
    assert abs(float(scaled[10, 10]) - 2 * 0.025) < 1e-6


def test_the_survey_s_own_grid_comes_before_the_table():
    field = survey_field()
    calibration = made(survey=on_survey(field, torch.full((2, 14, 14), 70.0)), table=a_table())
    assert (calibration.factor(field, 0.95) == 70).all() and calibration.covers(field) == []
    noisier = replace(field, sigma=1.1 * field.sigma)
    near = replace(field, sources=Sources.plane(1.0))
    known = field.sigma.clamp_max(0.1)  # ∞ outside the mask
    turned = replace(field, sigma=known, mask=field.mask.T)
    for other in (noisier, near, turned, a_field()):
        assert (calibration.factor(other, 0.95) <= 12).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pixel_scale": 2.0}, "pixel scale [arcmin] is 2, calibrated for 0.9 to 1.1"),
        ({"sources": Sources.plane(0.6)}, "mean redshift of the sources is 0.6"),
        ({"sigma": 0.2}, "noise of 100% of the footprint lies outside the 2 to 6 times"),
        ({"sigma": 0.03}, "noise of 100% of the footprint lies outside"),
    ],
)
def test_what_lies_outside_is_said(change, words):
    calibration = made(table=a_table())
    assert calibration.covers(a_field()) == []
    assert any(words in reason for reason in calibration.covers(a_field(**change)))


def test_few_samples_few_maps_and_other_grids_are_said():
    calibration = made(table=a_table())
    assert calibration.covers(a_field(), 8) == []
    assert "7 samples were drawn, calibrated with 8" in calibration.covers(a_field(), 7)[0]
    hole = a_table().factor.clone()
    hole[:, 1] = torch.inf
    assert "too few" in made(table=a_table(factor=hole)).covers(a_field())[0]
    hole[0] = a_table().factor[0]  # a lower level takes fewer maps
    half = made(table=a_table(factor=hole))
    assert half.covers(a_field(), level=0.68) == []
    assert "too few" in half.covers(a_field(), level=0.95)[0]
    only = made(survey=on_survey(survey_field(), torch.ones(2, 14, 14)))
    assert "only the survey's own grid" in only.covers(a_field())[0]
    with pytest.raises(ValueError, match="is not calibrated: only the survey's own grid"):
        only.factor(a_field(), 0.95)


def test_the_promise_is_over_simulated_skies():
    want = "95 % over simulated skies like the training ones"
    assert made().promise(0.95) == f"coverage of a pixel: {want}"
    assert made("rcps").promise(0.95) == f"coverage of all pixels: {want}, with 90% confidence"


def test_local_noise_is_sigma_where_that_is_uniform():
    field = a_field(0.08)
    assert torch.allclose(local_noise(field), torch.tensor(0.08).double(), rtol=1e-6)
    mask = torch.ones(20, 20, dtype=torch.bool)
    mask[:, 10:] = False
    half = replace(field, mask=mask, area=torch.ones(20, 20, dtype=torch.bool))
    noise = local_noise(half)
    assert torch.allclose(noise[:, :6], torch.tensor(0.08).double(), rtol=1e-4)
    assert torch.isinf(noise[:, 19]).all() and (noise[:, 12] > 0.2).all()
    assert torch.isinf(local_noise(replace(half, area=mask))[:, 10:]).all()


def test_distance_is_from_the_footprint_and_the_field_has_sides():
    area = torch.ones(7, 9, dtype=torch.bool)
    distance = edge_distance(area, 0.5)
    assert float(distance[3, 4]) == 2.0 and float(distance[0, 4]) == 0.5
    area[3, 4] = False
    distance = edge_distance(area, 0.5)
    assert float(distance[3, 4]) == 0 and abs(float(distance[2, 3]) - 0.5**0.5) < 1e-9
