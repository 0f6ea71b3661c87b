"""A field with a truth, a sampler that hands out given maps, and what pages are read with."""

from __future__ import annotations

import numpy as np
import pytest
import torch


class Given:
    """A sampler that hands out these samples in order and begins anew for every stream."""

    name = "given"

    def __init__(self, samples):
        self.samples = samples

    def sample(self, field, n, generator=None):
        generator.next += n
        rows = torch.arange(generator.next - n, generator.next) % len(self.samples)
        return self.samples[rows]


@pytest.fixture
def given(small_field, rng):
    """Posterior samples of `small_field` that are exact: the truth plus noise, both alike."""
    centre = small_field.kappa + 0.03 * torch.randn(small_field.grid.shape, generator=rng)
    return Given(centre + 0.03 * torch.randn((16, *small_field.grid.shape), generator=rng))


@pytest.fixture
def summary(small_field, given):
    """Of 16 samples, of which it kept 6."""
    from massgan_core.posterior import stream

    return list(stream(given, small_field, 16, 4, seed=3, keep=6))[-1]


@pytest.fixture
def titled():
    """The axes of a page by their titles; colour bars have none and are left out."""
    return lambda page: {a.get_title(): a for a in page.figure.axes if a.get_title()}


@pytest.fixture
def pixels():
    """What one axes shows: values in the pixels shown, NaN where it shows none."""
    return lambda axes: np.ma.filled(axes.images[0].get_array().astype(float), np.nan)


@pytest.fixture
def overlaps(monkeypatch):
    """Pairs of texts on a page that cover each other, and texts that leave the page.

    Only of texts that are drawn: an axis also holds names of ticks that lie beyond its ends.
    """

    def find(page):
        from matplotlib.text import Text

        drawn, draw = {}, Text.draw
        with monkeypatch.context() as patch:
            patch.setattr(Text, "draw", lambda t, r: draw(t, r) or drawn.setdefault(t))
            page.figure.draw_without_rendering()
        width, height = page.figure.bbox.size
        texts = [t for t in drawn if t.get_visible() and t.get_text().strip()]
        assert page.caption.split()[0] in " ".join(t.get_text() for t in texts)
        boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
        bad = [
            (a, b)
            for i, (a, one) in enumerate(boxes)
            for b, two in boxes[i + 1 :]
            if min(one.x1, two.x1) - max(one.x0, two.x0) > 1
            and min(one.y1, two.y1) - max(one.y0, two.y0) > 1
        ]
        off = [t for t, b in boxes if b.x0 < 0 or b.y0 < 0 or b.x1 > width or b.y1 > height]
        return bad, off

    return find
