import pytest
import torch

from massgan_core.evaluate import box_weights, paired_ratio


def test_equal_scores_have_ratio_one_and_no_error(rng):
    score = torch.rand(12, generator=rng)
    ratio, error = paired_ratio(score, score, [0, 1, 2] * 4)
    assert ratio == 1 and error < 1e-12


def test_what_is_hard_for_both_drops_out(rng):
    hard = torch.rand(40, generator=rng) + 0.5
    ratio, error = paired_ratio(1.1 * hard, hard, list(range(40)))
    assert ratio == pytest.approx(1.1) and error < 1e-6


def test_the_error_is_that_of_the_mean_over_boxes(rng):
    """Fields of one box agree: four of them are worth one."""
    value = 1 + 0.1 * torch.randn(100, generator=rng)
    boxes = [box for box in range(100) for _ in range(4)]
    _, error = paired_ratio(value.repeat_interleave(4), torch.ones(400), boxes, draws=2000)
    assert error == pytest.approx(float(value.std()) / 10, rel=0.1)


def test_columns_are_judged_one_by_one(rng):
    first, second = torch.rand(2, 20, 3, generator=rng) + 1
    ratio, error = paired_ratio(first, second, list(range(20)))
    for k in range(3):
        one = paired_ratio(first[:, k], second[:, k], list(range(20)))
        torch.testing.assert_close((ratio[k], error[k]), one)


def test_one_box_has_no_error():
    ratio, error = paired_ratio(torch.ones(3), torch.ones(3), [7, 7, 7])
    assert ratio == 1 and error.isnan()


def test_whole_boxes_are_redrawn():
    weights = box_weights([5, 5, 9, 9, 9, 2], draws=50, seed=3)
    assert torch.equal(weights[:, 0], weights[:, 1])
    assert torch.equal(weights[:, 2], weights[:, 4])
    assert (weights[:, [0, 2, 5]].sum(1) == 3).all()
    assert torch.equal(weights, box_weights([5, 5, 9, 9, 9, 2], draws=50, seed=3))
