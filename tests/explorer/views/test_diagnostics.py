"""The cards of the checks: every figure has the library's arrays, every card its finding."""

from __future__ import annotations

import re
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import massgan_core as mg
from explorer import Explorer
from explorer.diagnostics import Diagnosis, diagnose
from explorer.state import State
from explorer.views.charts import pictures
from explorer.views.diagnostics import Diagnostics
from explorer.views.findings import CHECKS, INTRODUCTION, WAITING, findings
from explorer.views.page import Page

TRUE = {"growth", "spectrum", "values", "ranks", "coverage", "shear"}
REAL = {"settling", "spectrum", "values", "shear"}


def _diagnosis(field: Any, n: int) -> Diagnosis:
    *_, last = mg.stream(mg.sampler("wiener", field), field, n, 8)
    return diagnose(last)


@pytest.fixture
def found(small_field: Any) -> Diagnosis:
    return _diagnosis(small_field, 16)


@pytest.fixture
def view() -> Diagnostics:
    explorer = Explorer(sampler="wiener", checks=True)
    return Diagnostics(explorer.state, explorer.checker, explorer.runner)


def _line(view: Diagnostics) -> dict[str, str]:
    return dict(re.findall(r'data-(\w+)="([^"]*)"', view.line.object))


def _visible(view: Diagnostics) -> set[str]:
    return (
        {name for name, card in view.cards.items() if card.visible} if view.fold.visible else set()
    )


def test_closed_until_asked_for(found: Diagnosis) -> None:
    explorer = Explorer(sampler="wiener")
    view = Diagnostics(explorer.state, explorer.checker, explorer.runner)
    explorer.checker.diagnosis = found
    view.update()
    assert _visible(view) == set() and view.button.label == "Show checks"
    assert INTRODUCTION in view.line.object and _line(view)["state"] == "closed"
    view.button.clicks += 1
    assert explorer.state.checks
    view.open()
    assert _visible(view) == TRUE and view.button.label == "Hide checks"


def test_every_figure_has_the_arrays(view: Diagnostics, found: Diagnosis) -> None:
    view.checker.diagnosis = found
    view.update()
    data = {key: {k: s.data for k, s in c.sources.items()} for key, c in view.charts.items()}
    np.testing.assert_array_equal(data["growth"]["gain"]["y"], found.growth.gain)
    np.testing.assert_array_equal(data["growth"]["ideal"]["y"], found.growth.ideal)
    np.testing.assert_array_equal(data["spectrum"]["truth"]["y"], found.spectrum.truth)
    np.testing.assert_array_equal(data["spectrum"]["samples"]["low"], found.spectrum.samples.low)
    there = found.values.truth > 0
    np.testing.assert_array_equal(data["values"]["truth"]["y"][there], found.values.truth[there])
    np.testing.assert_array_equal(data["ranks"]["share"]["y"], found.ranks.share)
    np.testing.assert_array_equal(data["ranks"]["exact"]["low"][::2], found.ranks.even.low)
    np.testing.assert_array_equal(data["coverage"]["covered"]["y"], found.ranks.covered)
    np.testing.assert_array_equal(data["shear"]["share"]["y"], found.shear.share)
    assert data["shear"]["truth"]["x"][0] == found.shear.truth
    words = findings(found)
    for name in TRUE:
        assert words[name] in view._words[name].object.replace("&#x27;", "'")
        assert words[name] in view.charts[name].figure.html_attributes["aria-label"]


def test_everything_lies_between_the_ends_of_its_axes(found: Diagnosis) -> None:
    for name, ((x_ends, y_ends), arrays) in pictures(found).items():
        for columns in arrays.values():
            for key, values in columns.items():
                low, high = x_ends if key in ("x", "left", "right") else y_ends
                values = np.asarray(values, float)
                values = values[np.isfinite(values)]
                assert values.size and (values >= low).all() and (values <= high).all(), name


def test_a_field_without_truth_shows_how_the_mean_settles(
    view: Diagnostics, small_field: Any
) -> None:
    found = _diagnosis(replace(small_field, kappa=None), 4)
    view.checker.diagnosis = found
    view.update()
    assert _visible(view) == REAL
    assert view.charts["spectrum"].shown() == ["samples", "theory", "median", "mean"]
    assert "truth" not in view._legends["spectrum"].object
    assert "the theory's power" in findings(found)["spectrum"]
    assert view.charts["growth"].shown() == []


def test_few_samples_say_how_many_are_needed(view: Diagnostics, small_field: Any) -> None:
    view.checker.diagnosis = _diagnosis(small_field, 4)
    view.update()
    assert _visible(view) == TRUE
    for name in ("ranks", "coverage"):
        assert "Needs 16 samples, there are 4." in view._words[name].object
        assert view.charts[name].shown() == []


def test_the_line_says_which_samples(view: Diagnostics, found: Diagnosis) -> None:
    assert WAITING in view.line.object and _line(view)["state"] == "empty"
    checker, runner = view.checker, view.runner
    summary = SimpleNamespace(n=16)
    checker.busy = True
    view.update()
    assert _line(view)["state"] == "busy"
    runner.param.update(summary=summary, phase="running")
    checker.param.update(diagnosis=found, summary=summary, busy=False)
    view.update()
    assert _line(view) == {"state": "current", "n": "16"}
    assert "From 16 samples." in view.line.object
    runner.summary = SimpleNamespace(n=17)
    view.say()
    assert _line(view)["state"] == "old" and "drawn before" in view.line.object


def test_verdicts_follow_the_numbers(found: Diagnosis) -> None:
    def said(mean: float) -> str:
        shear = replace(found.shear, mean=mean, error=0.01, truth=None)
        return findings(replace(found, shear=shear))["shear"]

    assert "0.980 to 1.020: noise alone explains it" in said(1.0)
    assert "more than noise explains" in said(1.03)
    assert "less than noise" in said(0.97)
    assert "too narrow" in said(float("nan"))
    for ratio, words in ((0.5, "too little"), (1.5, "too much"), (1.0, "1.00.")):
        assert words in findings(replace(found, spread_skill=ratio))["growth"]
    even = replace(found.ranks, share=found.ranks.even.middle)
    assert "16 of 16 bars" in findings(replace(found, ranks=even))["ranks"]


def test_each_check_explains_itself(view: Diagnostics) -> None:
    for name, (title, sentence, what) in CHECKS.items():
        html = view.cards[name][0].object
        assert title in html and sentence in html and 'tabindex="0"' in html
        assert len(what) > len(sentence)


def test_legends_take_the_theme(view: Diagnostics, found: Diagnosis) -> None:
    view.checker.diagnosis = found
    view.update()
    light = view._legends["growth"].object
    view.state.theme = "dark"
    view.paint("dark")
    assert view._legends["growth"].object != light and "exact samples" in light


def test_the_page_holds_the_checks_and_the_link_opens_them() -> None:
    state = State()
    assert state.restore({"version": "1", "checks": "true"}) == [] and state.checks
    explorer = Explorer(sampler="wiener")
    page = Page(explorer)
    explorer.state.checks = True
    assert page.diagnostics.button.label == "Hide checks"
    page.close()
