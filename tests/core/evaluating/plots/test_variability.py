"""What the page shows is what was drawn: samples, differences, MEAN and STD, one scale a kind."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from massgan_core.evaluating.plots.variability import MOST, variability


@pytest.fixture
def clusters(small_grid):
    ra, dec = small_grid.pixel_to_sky(np.array([5.0, 12.0]), np.array([12.0, 18.0]))
    return SimpleNamespace(ra=ra, dec=dec, r500=np.array([1.0, 2.0]))


def real(summary):
    return replace(summary, field=replace(summary.field, kappa=None))


def test_every_panel_shows_the_data_handed_in(summary, titled, pixels):
    area = summary.field.footprint.numpy()
    panels = titled(variability(summary, 3))
    mean, truth = summary.mean.numpy(), summary.field.truth.numpy()
    want = {"TRUTH": truth, "TRUTH − MEAN": truth - mean, "MEAN of 16": mean}
    want["STD of 16"] = summary.std.numpy()
    for i, sample in enumerate(summary.samples[:3].numpy()):
        want |= {f"sample {i + 1}": sample, f"sample {i + 1} − MEAN": sample - mean}
    assert panels.keys() == want.keys()
    for name, image in want.items():
        shown = pixels(panels[name])
        np.testing.assert_array_equal(np.isfinite(shown), area, err_msg=name)
        np.testing.assert_allclose(shown[area], image[area], atol=1e-7, err_msg=name)


def test_panels_of_one_kind_share_their_limits_and_one_bar(summary, titled):
    page = variability(summary, 4)
    limits = {}
    for name, axes in titled(page).items():
        kind = "std" if "STD" in name else "difference" if "−" in name else "kappa"
        limits.setdefault(kind, set()).add(axes.images[0].get_clim())
    assert {kind: len(found) for kind, found in limits.items()} == {
        "kappa": 1,
        "difference": 1,
        "std": 1,
    }
    for kind in ("kappa", "difference"):
        ((low, high),) = limits[kind]
        assert low == -high
    bars = [a for a in page.figure.axes if a.get_xlabel()]
    assert len(bars) == 3 and all("no unit" in bar.get_xlabel() for bar in bars)


def test_a_real_field_has_no_truth_but_clusters(summary, clusters, titled):
    panels = titled(variability(real(summary), 2, clusters=clusters))
    assert not any("TRUTH" in name for name in panels)
    assert {len(axes.collections) for axes in panels.values()} == {1}
    assert {len(axes.collections[0].get_paths()) for axes in panels.values()} == {2}


def test_a_simulated_sky_has_no_real_clusters(summary, clusters, titled):
    page = variability(summary, 2, clusters=clusters)
    assert not any(axes.collections for axes in titled(page).values())
    assert "X-rays" not in page.caption and "TRUTH − MEAN" in page.caption
    assert "X-rays" in variability(real(summary), 2, clusters=clusters).caption


@pytest.mark.parametrize("show", [1, 4, MOST])
@pytest.mark.parametrize("known", [True, False])
def test_no_words_overlap_or_leave_the_page(summary, overlaps, show, known):
    page = variability(summary if known else real(summary), show)
    assert overlaps(page) == ([], [])
    assert page.width <= 13.34


def test_type_is_large_enough_for_a_projector(summary):
    from matplotlib.text import Text

    page = variability(summary, 4)
    page.figure.draw_without_rendering()
    sizes = {t.get_fontsize() for t in page.figure.findobj(Text) if t.get_text().strip()}
    assert min(sizes) >= 11


def test_too_few_samples_are_refused(summary):
    with pytest.raises(ValueError, match="`show` must lie between 1 and 6, got 7"):
        variability(summary, 7)
    with pytest.raises(ValueError, match="at least 4 samples, got 16 of which 2 were kept"):
        variability(replace(summary, batches=(summary.samples[:2],)), 4)
