"""Rows of a run: what they depend on, and what planning them costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from massgan_core import simulating_plan
from massgan_core.simulate.suite import Suite
from massgan_core.simulating_plan import Run, plan_rows
from massgan_core.sky import Grid, Sources

NEAR, FAR = Sources.plane(0.3), Sources.plane(0.5)
RANGES = {"sigma8": (0.7, 0.9), "omega_m": (0.25, 0.35)}


def settings(kind, sources=(FAR,), ranges=RANGES, seed=3):
    return Run(
        out=Path("out.zarr"),
        kind=kind,
        seed=seed,
        grid=Grid((16, 16)),
        sources=sources,
        suite=Suite(ranges=ranges, seed=seed),
        per_box=4,
        preset="tiny",
        planes=Path("planes"),
        keep=False,
        root=None,
        boxes=None,
        dtype="float16",
        device="cpu",
    )


@pytest.mark.parametrize("kind", ["lognormal", "nbody"])
@pytest.mark.parametrize("ranges", [{}, RANGES])
def test_a_row_does_not_depend_on_how_many_there_are(kind, ranges):
    long = plan_rows(settings(kind, (NEAR, FAR), ranges), 23)
    for n in (1, 4, 5, 22):
        short = plan_rows(settings(kind, (NEAR, FAR), ranges), n)
        assert short.keys() == long.keys()
        for name, column in short.items():
            np.testing.assert_array_equal(column, long[name][:n], err_msg=name)


def test_rows_take_the_sources_in_turn_and_boxes_by_kind():
    lognormal, nbody = (plan_rows(settings(k, (NEAR, FAR)), 10) for k in ("lognormal", "nbody"))
    assert lognormal["sources"].tolist() == nbody["sources"].tolist() == [0, 1] * 5
    assert lognormal["box"].tolist() == list(range(10))
    assert nbody["box"].tolist() == [0] * 4 + [1] * 4 + [2] * 2
    np.testing.assert_array_equal(lognormal["sigma8"], nbody["sigma8"])


def test_seeds_are_all_different_and_follow_the_run():
    one, other = (plan_rows(settings("lognormal", seed=s), 2000)["seed"] for s in (3, 4))
    assert len({*one, *other}) == 4000 and min(one) >= 0


def test_planning_a_suite_computes_no_spectrum(monkeypatch):
    monkeypatch.setattr(simulating_plan, "theory_spectrum", None)  # calling it fails
    rows = plan_rows(settings("lognormal"), 4000)
    assert len(set(rows["sigma8"])) == 1000
