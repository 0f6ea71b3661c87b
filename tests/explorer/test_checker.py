"""When samples are checked: at rest, with the checks open, and the latest ones win."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest

import massgan_core as mg
from explorer import Explorer, diagnostics
from explorer.checker import Checker


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    """Every summary that is checked; the diagnosis is a word."""
    asked = []

    def diagnose(summary: mg.Summary, wanted: Callable[[], bool]) -> str:
        asked.append(summary)
        return f"{summary.n} samples"

    monkeypatch.setattr(diagnostics, "diagnose", diagnose)
    return asked


async def _settle(explorer: Explorer) -> None:
    while explorer._tasks:
        await asyncio.gather(*explorer._tasks)


async def _run(explorer: Explorer) -> None:
    if explorer.store.field is None:
        await explorer.open()
    explorer.start()
    await _settle(explorer)


def test_closed_checks_cost_nothing_and_open_ones_are_made(
    explorer: Explorer, asked: list
) -> None:
    checker: Checker = explorer.checker

    async def scene() -> None:
        await _run(explorer)
        assert explorer.phase == "finished" and asked == [] and checker.diagnosis is None
        explorer.state.checks = True
        await _settle(explorer)
        assert checker.diagnosis == "4 samples" and checker.current and not checker.busy
        # Once is enough for the same samples.
        explorer.state.checks = False
        explorer.state.checks = True
        await _settle(explorer)

    asyncio.run(scene())
    assert asked == [explorer.runner.summary]


def test_the_last_checks_stay_while_a_run_is_live(explorer: Explorer, asked: list) -> None:
    explorer.state.checks = True
    checker, seen = explorer.checker, []

    def note(event: Any) -> None:
        seen.append((explorer.phase, len(asked), checker.diagnosis, checker.current))

    async def scene() -> None:
        await _run(explorer)
        watcher = explorer.runner.param.watch(note, "summary")
        await _run(explorer)
        explorer.runner.param.unwatch(watcher)
        assert len(asked) == 2 and checker.current
        await explorer.open()
        assert checker.diagnosis is None and checker.summary is None

    asyncio.run(scene())
    live = [s for s in seen if s[0] == "running"]
    assert live and all(s[1:] == (1, "4 samples", False) for s in live)


def test_samples_that_come_meanwhile_are_checked_next(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, asked = Event(), []

    def diagnose(summary: mg.Summary, wanted: Callable[[], bool]) -> str | None:
        asked.append(summary.n)
        gate.wait(60)
        return f"{summary.n} samples" if wanted() else None

    monkeypatch.setattr(diagnostics, "diagnose", diagnose)
    explorer.state.checks = True

    async def scene() -> None:
        await explorer.open()
        field, runner = explorer.store.field, explorer.runner
        few, more = list(mg.stream(mg.sampler("wiener", field), field, 4, 2))
        runner.param.update(phase="paused", total=4, summary=few)
        while not asked:
            await asyncio.sleep(0)
        runner.param.update(summary=more)
        gate.set()
        await _settle(explorer)

    asyncio.run(asyncio.wait_for(scene(), 60))
    assert asked == [2, 4] and explorer.checker.diagnosis == "4 samples"
    assert explorer.alert == ""


def test_a_failure_is_a_sentence_and_is_not_repeated(
    explorer: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def diagnose(summary: mg.Summary, wanted: Callable[[], bool]) -> None:
        asked.append(summary)
        raise ValueError("`area` must hold a pixel, got none")

    monkeypatch.setattr(diagnostics, "diagnose", diagnose)
    explorer.state.checks = True
    asyncio.run(asyncio.wait_for(_run(explorer), 60))
    assert explorer.alert == "`area` must hold a pixel, got none"
    assert len(asked) == 1 and explorer.checker.diagnosis is None and not explorer.checker.busy


def test_one_sample_is_not_checked(explorer: Explorer, asked: list) -> None:
    explorer.state.param.update(checks=True, n=1)
    asyncio.run(asyncio.wait_for(_run(explorer), 60))
    assert explorer.phase == "finished" and asked == []
