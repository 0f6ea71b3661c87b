"""What is asked of a calibration, and the one factor of ``rcps``."""

from __future__ import annotations

import torch

from massgan_core.calibrating.fields import choose
from massgan_core.calibrating.terms import Terms, global_factor


def test_one_factor_for_all_pixels_depends_on_boxes_not_on_maps(rng):
    """The same maps counted five times, in five times the boxes, would prove more."""
    scores = torch.randn(20, 300, generator=rng).abs()
    one, copies = list(range(20)), scores.repeat_interleave(5, 0)
    alike = [box for box in one for _ in range(5)]
    assert global_factor(copies, alike, 0.32, 0.1) == global_factor(scores, one, 0.32, 0.1)
    assert global_factor(copies, list(range(100)), 0.32, 0.1) < global_factor(
        scores, one, 0.32, 0.1
    )


def test_terms_know_their_units(store):
    chosen = choose(store, store.done())
    ask = {"delta": 0.1, "samples": 4, "batch": 4, "seed": 0}
    maps = Terms("residual", (0.68,), "maps", **ask).unit(chosen)
    boxes = Terms("residual", (0.68,), "boxes", **ask).unit(chosen)
    assert len(maps.unique()) == 100 and boxes.tolist() == chosen.boxes[:100]
