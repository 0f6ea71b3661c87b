"""The table is that of `convergence`; the maps are means of the first samples."""

from __future__ import annotations

import csv
from dataclasses import replace
from math import isnan

import pytest
import torch

from massgan_core.evaluate import pearson, psnr, spread_skill, ssim, value_range
from massgan_core.evaluate.convergence import RunningConvergence, convergence
from massgan_core.evaluating.plots.growth import SCORES, Growth, settle, shown
from massgan_core.sky import remove_mean


@pytest.fixture
def settled(given, small_field):
    """Of three fields: the same sky under three sets of samples."""
    sets = [given.samples, given.samples.flip(0), given.samples.roll(5, 0)]
    return [settle(type(given)(s), small_field, 12, 5, seed=2) for s in sets]


def test_pictures_are_of_powers_of_four_and_of_all():
    assert shown(64) == [1, 4, 16, 64] and shown(63) == [1, 4, 16, 63]
    assert shown(2) == [1, 2] and shown(1000) == [1, 4, 16, 64, 1000]


@pytest.mark.parametrize("batch", [1, 5, 16])
def test_maps_are_means_of_the_first_samples(given, small_field, batch):
    found = settle(given, small_field, 12, batch)
    assert list(found.maps) == [1, 4, 12]
    samples = remove_mean(given.samples, small_field.footprint)
    for n, image in found.maps.items():
        torch.testing.assert_close(image, samples[:n].mean(0), atol=1e-6, rtol=0)


def test_scores_are_those_of_these_means(given, small_field):
    found = settle(given, small_field, 12, 5)
    truth, area = small_field.truth, small_field.footprint
    assert found.n == [1, 2, 4, 8, 12]
    for k in (0, 2, 4):
        mean = remove_mean(given.samples[: found.n[k]].mean(0), area)
        assert found.scores["r"][k] == pytest.approx(pearson(mean, truth, area).item(), abs=1e-6)
        like = ssim(mean, truth, area, data_range=value_range(truth, area))
        assert found.scores["ssim"][k] == pytest.approx(like.item(), abs=1e-6)


def test_every_sample_is_told(given, small_field):
    told = []
    settle(given, small_field, 12, 5, watch=told.append)
    assert sum(told) == 12


def test_the_growth_is_convergence(settled, small_field, given):
    boxes = [0, 1, 1]
    growth = Growth.of(settled, boxes, seed=4)
    area = small_field.footprint
    samples = [remove_mean(s, area)[:12] for s in (
        given.samples, given.samples.flip(0), given.samples.roll(5, 0)
    )]  # fmt: skip
    means = torch.stack([s.mean(0) for s in samples])
    variances = torch.stack([s.var(0) for s in samples])
    many = area.expand_as(means)
    truth = small_field.truth.expand_as(means)
    ratio = spread_skill(means, variances, truth, many, 12).item()
    assert growth.spread_skill == pytest.approx(ratio, rel=1e-5)
    tables = []
    for s in samples:
        tables.append(RunningConvergence(small_field.truth, area).update(s).table()[1])
    want = convergence(settled[0].n, tables, boxes, ratio, seed=4)
    for name in ("n", "rmse", "psnr", "gain", "gain_error", "ideal", "law"):
        assert getattr(growth.found, name) == pytest.approx(getattr(want, name), abs=1e-5), name
    assert growth.found.scores["r"] == pytest.approx(want.scores["r"], abs=1e-6)


def test_the_table_is_written_as_it_is(settled, tmp_path):
    growth = Growth.of(settled, [0, 1, 2])
    growth.write(tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["n"]) for row in rows] == growth.found.n == [1, 2, 4, 8, 12]
    for name in ("psnr", "rmse", "gain", "gain_error", "ideal", "law"):
        assert [float(row[name]) for row in rows] == getattr(growth.found, name)
    for name in ("r", "ssim"):
        assert [float(row[name]) for row in rows] == growth.found.scores[name]
    assert {row["boxes"] for row in rows} == {"3"}


def test_changes_have_no_error_at_one_sample(settled):
    growth = Growth.of(settled, [0, 1, 2])
    for name in SCORES:
        assert growth.changes[name][0] == pytest.approx(0, abs=1e-12)
        assert growth.changes[name][-1] > 0 and growth.errors[name][0] > 0
    # The change of PSNR is the gain: its error is that of `convergence`, to first order.
    assert growth.changes["psnr"][-1] == pytest.approx(growth.found.gain_error[-1], rel=0.1)


def test_fields_of_one_box_are_no_measure_of_error(settled, tmp_path):
    growth = Growth.of(settled, [7, 7, 7])
    assert all(isnan(v) for v in growth.errors["r"] + growth.changes["r"])
    growth.write(tmp_path / "a.csv")
    assert "nan" not in (tmp_path / "a.csv").read_text()


def test_exact_samples_gain_what_they_should(settled):
    growth = Growth.of(settled, [0, 1, 2])
    assert growth.spread_skill == pytest.approx(1, abs=0.08)
    assert growth.found.gain[-1] == pytest.approx(growth.found.ideal[-1], abs=0.3)
    assert growth.values("psnr")[-1] == psnr(growth.values("rmse")[-1])


def test_without_a_truth_or_a_second_sample_there_is_nothing_to_follow(given, small_field):
    with pytest.raises(ValueError, match="`field` must have a truth.*'small' has none"):
        settle(given, replace(small_field, kappa=None), 4)
    with pytest.raises(ValueError, match="`samples` must be at least 2, got 1"):
        settle(given, small_field, 1)
