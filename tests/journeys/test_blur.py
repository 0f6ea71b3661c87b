"""The blur of the samples, from the address and from its slider."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

import massgan_core as mg

pytestmark = pytest.mark.browser

PART = {"region": "[150.1,2.25,20,20]", "sampler": "wiener", "n": 6, "batch": 2, "seed": 5}


def check_blurred(tab: Any, summary: mg.Summary, blur: float) -> None:
    """Mean and uncertainty say their blur, and are the library's arrays."""
    words = f"of {summary.n} samples, blurred by {blur:g}′"
    tab.page.get_by_text(words, exact=True).nth(1).wait_for(timeout=tab.patience)
    soft = mg.SmoothedSamples(blur)
    for name, expected in (
        ("sample", soft.sample(summary, summary.kept - 1)),
        ("mean", soft.mean(summary)),
        ("std", soft.std(summary)),
    ):
        np.testing.assert_array_equal(tab.image(name), expected.numpy(), err_msg=name)


def test_a_blur_of_the_link_and_one_of_the_slider(tab: Any, address: str) -> None:
    tab.open(f"{address}?{urlencode({**PART, 'blur': 1.5})}")
    tab.press("Start").wait('[data-state="finished"]')
    field = mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))
    *_, summary = mg.stream(mg.sampler("wiener", field), field, 6, 2, seed=5)
    check_blurred(tab, summary, 1.5)
    slider = tab.page.locator(".bk-input-group", has_text="Blur of sample")
    slider.locator(".noUi-handle").press("ArrowLeft")
    check_blurred(tab, summary, 1.4)
    assert "blur=1.4" in tab.page.url
    assert tab.errors == []
