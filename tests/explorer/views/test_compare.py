"""The comparison shows what the page shows, and the State holds how."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from explorer import Explorer
from explorer.elements.colors import picture_limits
from explorer.views.compare import UNLIKE, likely
from explorer.views.page import Page


@pytest.fixture
def page(explorer: Explorer) -> Page:
    explorer.state.param.update(compare="swipe", first="truth", second="ks")
    made = Page(explorer)
    asyncio.run(explorer.open())
    return made


def _shown(page: Page, name: str) -> Any:
    images = page.compare.map.maps[name].source.data["image"]
    return images[0] if images else None


def test_off_costs_no_figure(explorer: Explorer) -> None:
    page = Page(explorer)
    asyncio.run(explorer.open())
    assert page.compare.map is None and not page.compare.fold.visible
    page.press("b")
    assert explorer.state.compare == "blink" and page.compare.fold.visible
    assert page.compare.curtain.mode == "blink"
    page.press("b")
    assert page.compare.curtain.turns == 1  # the browser starts or stops


def test_a_b_and_their_difference(page: Page, explorer: Explorer) -> None:
    store, compare = explorer.store, page.compare
    np.testing.assert_array_equal(_shown(page, "first"), store.truth)
    np.testing.assert_array_equal(_shown(page, "second"), store.seen["ks"])
    less = store.truth - store.seen["ks"]
    np.testing.assert_array_equal(_shown(page, "difference"), less)
    limits = picture_limits(less, store.footprint, signed=True)
    assert compare.map.maps["difference"].limits == limits and limits[0] == -limits[1]
    explorer.state.limit = 0.3
    assert compare.map.maps["first"].limits == (-0.3, 0.3)
    assert compare.map.maps["difference"].limits == limits
    assert not compare._difference.visible
    explorer.state.compare = "difference"
    assert compare._difference.visible and compare.curtain.mode == "difference"


def test_it_follows_the_samples_and_says_how_alike(page: Page, explorer: Explorer) -> None:
    explorer.state.second = "mean"
    assert _shown(page, "second") is None and _shown(page, "difference") is None

    async def scene() -> None:
        explorer.start()
        await explorer.runner._task
        while explorer._tasks:
            await asyncio.gather(*explorer._tasks)

    asyncio.run(asyncio.wait_for(scene(), 120))
    mean = explorer.runner.summary.mean.numpy()
    np.testing.assert_array_equal(_shown(page, "second"), mean)
    assert "correlate with r = " in page.compare._likeness.object


def test_what_is_compared_comes_onto_the_page(page: Page, explorer: Explorer) -> None:
    assert "b_mode" not in explorer.state.pictures
    page.compare.choices["first"].value = "b_mode"
    assert explorer.state.first == "b_mode" and "b_mode" in explorer.state.pictures
    explorer.state.pictures = ["truth", "ks"]
    assert _shown(page, "first") is None
    assert "choose it" in page.compare.map.maps["first"].note
    assert "std" in page.compare.choices["second"].options.values()
    assert "mean_b" not in page.compare.choices["second"].options.values()


def test_numbers_of_two_kinds_have_no_difference(page: Page, explorer: Explorer) -> None:
    explorer.state.second = "std"
    assert page.compare.map.maps["difference"].note == UNLIKE


def test_the_line_is_a_choice(page: Page, explorer: Explorer) -> None:
    page.compare.curtain.at = 0.25
    assert explorer.state.curtain == 0.25
    explorer.state.curtain = 0.75
    assert page.compare.curtain.at == 0.75


def test_likeness_in_words() -> None:
    assert likely(-0.5, 0.0123, alike=True) == (
        "Over the field A and B correlate with r = −0.50; they differ by 0.0123 (rms)."
    )
    assert likely(0.5, 1.0, alike=False).endswith("r = 0.50.")
    assert likely(float("nan"), 1.0, alike=True) == ""
