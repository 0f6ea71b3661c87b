"""Which maps calibrate, and how they are seen."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from massgan_core.calibrating import unused
from massgan_core.calibrating.fields import LOOKS, Views, choose

SIDE, BOXES, PER_BOX, SEED = 16, 28, 5, 7  # of the store in conftest.py


def test_maps_are_taken_in_turn_from_all_boxes(store):
    chosen = choose(store, store.done())
    calibrate_, test = chosen.rows[:100], chosen.rows[chosen.held_out]
    boxes = store.rows("box")
    assert len(calibrate_) == 100 and len(test) == 25 and len(set(chosen.rows)) == 125
    assert not set(boxes[calibrate_]) & set(boxes[test])
    counts = np.bincount(boxes[calibrate_])
    assert counts.max() == 5 and counts[counts > 0].min() >= 4
    assert BOXES - 1 not in boxes[chosen.rows]  # not simulated yet


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"maps": 99}, "`maps` must be at least 100"),
        ({"per_box": 6}, "`per_box` must lie between 1 and 5"),
        ({"per_box": 3}, "maps to calibrate with, at most 3 a box"),
        ({"maps": 2000}, "and 2000 are wanted: simulate more boxes"),
        ({"held_out": 0.5}, "which leaves fewer than 20"),
        ({"held_out": 0.01}, "1 of them held out: hold out more"),
        ({"held_out": 1.0}, "`held_out` must lie between 0 and 1"),
    ],
)
def test_too_few_maps_or_boxes_are_refused(store, choice, words):
    with pytest.raises(ValueError, match=words):
        choose(store, store.done(), **choice)


def test_too_few_boxes_are_counted(store):
    few = [r for r in store.done() if store.rows("box")[r] < 21]
    with pytest.raises(ValueError, match="21 boxes to choose from; calibration takes at least 20"):
        choose(store, few)


def training(boxes, kind="nbody", seed=SEED):
    return {"training": {"stores": [{"kind": kind, "seed": seed, "boxes": list(boxes)}]}}


def test_boxes_of_the_training_are_left_out(store):
    rows, note = unused(training(range(10)), store)
    assert set(store.rows("box")[rows]) == set(range(10, BOXES - 1))
    assert note.startswith("10 boxes of ") and "left out" in note
    both = training(range(4))["training"]["stores"] + training([7])["training"]["stores"]
    rows, note = unused({"training": {"stores": both}}, store)
    assert note.startswith("5 boxes of ") and not {0, 3, 7} & set(store.rows("box")[rows])
    with pytest.raises(ValueError, match="all 27 boxes .* served the checkpoint's training"):
        unused(training(range(BOXES)), store)


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (training(range(BOXES), seed=8), "trained on nbody maps of seed 8: no box is shared"),
        (training(range(BOXES), kind="lognormal"), "no box is shared"),
        ({"training": {"stores": []}}, "made on the fly"),
        ({"training": {}}, "does not say which simulation boxes"),
    ],
)
def test_other_stores_are_said_to_be_others(store, card, words):
    rows, note = unused(card, store)
    assert rows == store.done() and words in note


def test_views_of_a_row_depend_on_the_row_alone(store, survey):
    views = [Views(store, survey, (5.0, 40.0), seed=s) for s in (1, 1, 2)]
    for look in ("as_surveyed", "otherwise"):
        a, b, c = ([f.gamma for f in getattr(v, look)(3)] for v in views)
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
        assert not any(torch.equal(x, y) for x, y in zip(a, c, strict=True))
    (own,) = views[0].as_surveyed(3)
    assert torch.equal(own.sigma, survey.sigma) and torch.equal(own.footprint, survey.area)
    others = views[0].otherwise(3)
    noise = [float(f.sigma[f.mask].median()) for f in others]
    assert len(others) == LOOKS and noise == sorted(noise, reverse=True)
    large = store.read([3])[0]
    here = slice(SIDE // 2, SIDE // 2 + SIDE)
    for field in (own, *others):
        assert torch.equal(field.kappa, (large - large.mean())[here, here])
        assert field.sources.mean == store.sources[0].mean


def test_every_n_of_z_has_its_share(store):
    """Rows of a box come in random order: the sixth of each is shallow."""
    chosen = choose(store, store.done())
    shallow = (store.rows("sources")[chosen.rows] == 1).mean()
    assert 0.08 < shallow < 0.26
    assert choose(store, store.done()).rows == chosen.rows
    assert choose(store, store.done(), seed=1).rows != chosen.rows


def test_only_maps_as_deep_as_the_survey_serve_its_grid(store, survey):
    rows = Views(store, survey).deep_enough(store.done())
    assert len(rows) == PER_BOX * (BOXES - 1)
    assert (store.rows("sources")[rows] == 0).all()
