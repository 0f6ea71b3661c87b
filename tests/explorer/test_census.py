"""The census follows lists, field and samples, and asks the library about all of them."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer import Explorer, census, positions, store
from explorer.census import judge, peaks_of


async def _settled(explorer: Explorer) -> None:
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks)
        await asyncio.sleep(0)


def _summary(field: Any, n: int = 4) -> Any:
    *_, last = mg.stream(mg.sampler("wiener", field), field, n, 2)
    return last


def _circles() -> store.Circles:
    x, y, radius = np.array([0.0, 99.0]), np.array([0.0, 0.0]), np.array([1.5, 1.5])
    return store.Circles(x, y, radius, np.array(["In", "Out"]), radius * np.nan, radius * np.nan)


def test_all_circles_are_judged_as_one_alone(small_field: Any) -> None:
    summary, circles = _summary(small_field), _circles()
    inside, outside = judge(summary, circles).found
    alone = store.inspection(summary, circles, "In")
    assert outside is None
    assert (inside.mean, inside.found) == (alone.mean, alone.found)


def test_peaks_are_the_librarys_and_the_lowest_are_cut(
    small_field: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, field = _summary(small_field), small_field
    listed = peaks_of(summary, 1.0, 0.0, 1.0)
    peaks = mg.find_peaks(summary.mean, field.grid, field.footprint, smoothing=1.0, threshold=0.0)
    np.testing.assert_array_equal(listed.peaks.height, peaks.height)
    assert len(peaks) > 1 and listed.cut == 0 and (listed.probability <= 1).all()
    monkeypatch.setattr(census, "MOST_PEAKS", 1)
    short = peaks_of(summary, 1.0, 0.0, 1.0)
    assert short.peaks.height[0] == peaks.height[0] and short.cut == len(peaks) - 1


def test_peaks_follow_samples_and_choices_and_only_when_asked_for(explorer: Explorer) -> None:
    state, told = explorer.state, explorer.census

    async def scene() -> None:
        await explorer.open()
        explorer.start()
        await _settled(explorer)
        assert told.listed is None and told.judged is None
        state.param.update(peak_height=0.0, peaks=True)
        await _settled(explorer)
        low = told.listed
        assert len(low.peaks) > 0 and told.judged is None  # nothing on the sky: no clusters
        state.peak_height = float(low.peaks.height[0]) * 1.01
        assert told.listed is None
        await _settled(explorer)
        assert len(told.listed.peaks) == 0
        explorer.start()
        assert told.listed is None
        await _settled(explorer)
        assert told.listed is not None and not told.busy
        explorer.close()

    asyncio.run(asyncio.wait_for(scene(), 60))


def test_lists_ranges_and_own_positions_decide_the_circles() -> None:
    explorer = Explorer(source="cosmos", region=(150.1, 2.25, 20.0, 20.0), sampler="wiener")
    state, told = explorer.state, explorer.census

    def names() -> set[str]:
        circles = explorer.store.circles
        return set() if circles is None else {str(name) for name in circles.name}

    async def scene() -> None:
        await explorer.open()
        plain = names()
        state.redshifts = (0.3, 1.0)
        assert names() < plain
        assert (explorer.store.circles.redshift >= 0.3).all()
        state.param.update(redshifts=None, catalog="george2011")
        assert names() and not names() & plain
        state.catalog = "own"
        assert names() == set()
        told.paste("150.1 2.25 Mine\n10 20 Elsewhere")
        await _settled(explorer)
        assert names() == {"Mine"} and told.problem == ""
        told.paste("what?")
        await _settled(explorer)
        assert told.problem.startswith("Line 1 must hold RA, Dec") and names() == {"Mine"}
        state.catalog = "finoguenov2007"
        assert names() == plain
        assert "Mine" not in str(state.query())
        explorer.close()

    asyncio.run(asyncio.wait_for(scene(), 120))


def test_a_file_of_positions_is_read_apart_and_counted(explorer: Explorer) -> None:
    told = explorer.census

    async def scene() -> None:
        told.receive("mine.csv", 1, 1, b"ra,dec,name\n150.1,2.2,A\n")
        await _settled(explorer)
        assert told.own.name.tolist() == ["A"] and explorer.state.catalog == "own"
        told.receive("bad.csv", 1, 1, b"ra,dec\n1,200\n")
        await _settled(explorer)
        assert "Dec within" in told.problem and told.own.name.tolist() == ["A"]
        told.receive("giant.csv", 1, 1, b"x" * 1_000_001)
        assert told.problem == "giant.csv is too large: a file may have 1 MB."
        explorer.close()

    asyncio.run(asyncio.wait_for(scene(), 120))


def test_nearest_needs_a_list(explorer: Explorer) -> None:
    assert explorer.census.beside() is None and positions.MOST == 5_000
