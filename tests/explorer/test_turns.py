"""Turns: first come first served, first samples first, errors handed back, forks survived."""

from __future__ import annotations

import os
from threading import Event

import pytest

from explorer.turns import Turns


def test_order_is_that_of_asking_but_first_samples_pass() -> None:
    turns, gate, order = Turns(), Event(), []
    holding = turns.submit(gate.wait)
    waiting = [
        turns.submit(lambda: order.append("a")),
        turns.submit(lambda: order.append("b")),
        turns.submit(lambda: order.append("new"), first=True),
    ]
    gate.set()
    for future in (holding, *waiting):
        future.result(timeout=30)
    assert order == ["new", "a", "b"]


def test_error_reaches_who_waits_and_the_worker_lives() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="no such"):
        turns.submit(lambda: (_ for _ in ()).throw(ValueError("no such"))).result(timeout=30)
    assert turns.submit(lambda: 3).result(timeout=30) == 3


def test_cancelled_turn_is_skipped() -> None:
    turns, gate, ran = Turns(), Event(), []
    holding = turns.submit(gate.wait)
    dropped = turns.submit(lambda: ran.append(1))
    assert dropped.cancel()
    gate.set()
    holding.result(timeout=30)
    assert turns.submit(lambda: 2).result(timeout=30) == 2 and ran == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_process_has_its_own_worker() -> None:
    from explorer.turns import TURNS

    assert TURNS.submit(lambda: 1).result(timeout=30) == 1
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            answer = TURNS.submit(lambda: 7).result(timeout=30)
        except BaseException:
            answer = 1
        os._exit(answer)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_who_waits_knows_how_many_are_ahead() -> None:
    turns, gate, began = Turns(), Event(), Event()
    holding = turns.submit(lambda: (began.set(), gate.wait()))
    assert began.wait(timeout=30)
    later = turns.submit(lambda: None)
    gone, cancelled = turns.submit(lambda: None, given_up=lambda: True), turns.submit(print)
    cancelled.cancel()
    last = turns.submit(lambda: None)
    first = turns.submit(lambda: None, first=True)
    ahead = [turns.ahead(future) for future in (holding, first, later, last)]
    gate.set()
    for future in (later, gone, last, first):
        future.result(timeout=30)
    # Under way: 0; then the one under way, the first, the later; nobody waits for the rest.
    assert ahead == [0, 1, 2, 3] and turns.ahead(last) == 0
