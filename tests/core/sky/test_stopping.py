"""Ending what nobody waits for."""

from threading import Event

import pytest

from massgan_core.sky import Stopped, go_on


def test_an_event_or_an_answer_ends_the_work():
    event, answers = Event(), [False, True]
    for stop in (None, event, lambda: answers[0]):
        go_on(stop)
    event.set()
    for stop in (event, lambda: answers[1]):
        with pytest.raises(Stopped, match="stopped on its way"):
            go_on(stop)
