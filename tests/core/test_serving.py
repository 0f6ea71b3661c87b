"""Workers draw what this process draws, bit for bit, and outlive what happens to them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

import massgan_core as mg
from massgan_core.posterior import endless, provenance
from massgan_core.serving import Parcel, Request, Source, check_setting, packed, workers
from massgan_core.serving_processes import Processes
from massgan_core.serving_worker import FIELDS, Keeper
from massgan_core.sky import Stopped

PATIENCE = 120


@pytest.fixture(scope="module")
def pool() -> Iterator[Processes]:
    made = Processes(1)
    yield made
    made.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def in_thread(call: Callable[[], Any]) -> Future:
    executor = ThreadPoolExecutor(1)
    future = executor.submit(call)
    executor.shutdown(wait=False)
    return future


def never() -> bool:
    return False


@pytest.mark.parametrize("name", ["wiener", "gan:default"])
def test_a_process_gives_the_bits_of_this_one(pool: Processes, name: str) -> None:
    field = mg.cosmos().crop(100, 120, (40, 56))
    method, _, checkpoint = name.partition(":")
    sampler = mg.sampler(method, field, checkpoint=checkpoint or None, device="cpu")
    source = Source(pool, Request(name, 2, 5), field, never)
    drawn = endless(sampler, field, 2, seed=5)
    expected = [next(drawn) for _ in range(3)]
    for number in (2, 0):  # in any order
        assert torch.equal(source(number), expected[number])
    assert source.provenance == provenance(sampler, 2, 5)


def test_what_a_process_raises_is_raised_here(pool: Processes, small_field: Any) -> None:
    with pytest.raises(ValueError, match="method"):
        Source(pool, Request("magic", 2, 5), small_field, never)(0)
    other = replace(Request("wiener", 2, 5), version="0.0.1")
    with pytest.raises(ValueError, match=r"the server 0\.0\.1: install the same"):
        Source(pool, other, small_field, never)(0)


def test_a_process_lets_go_soon_after_stop(pool: Processes, small_field: Any) -> None:
    """Much work, given up at once; the process is there for the next."""
    asked = Event()
    (pid,) = pool.pids

    def given_up() -> bool:
        asked.set()
        return True

    with pytest.raises(Stopped):
        Source(pool, Request("wiener", 4000, 1), small_field, given_up)(0)
    assert asked.is_set()
    assert Source(pool, Request("wiener", 2, 1), small_field, never)(0).shape[0] == 2
    assert pool.pids == [pid]


def test_a_process_that_dies_is_replaced_and_its_batch_drawn_again(
    pool: Processes, small_field: Any
) -> None:
    source = Source(pool, Request("wiener", 2, 7), small_field, never)
    expected, (pid,) = source(1), pool.pids
    os.kill(pid, signal.SIGSTOP)  # it would answer too soon
    again = in_thread(lambda: source(1))
    os.kill(pid, signal.SIGKILL)
    assert torch.equal(again.result(PATIENCE), expected)
    assert pool.pids != [pid] and gone(pid)


def test_a_process_ends_with_the_line_to_its_server(pool: Processes) -> None:
    """As it does when the server is killed."""
    (worker,) = pool._all
    worker._line.close()
    assert worker._process.wait(PATIENCE) == 0


def test_one_that_dies_twice_is_told_in_one_sentence(pool: Processes, small_field: Any) -> None:
    (first,) = pool.pids
    assert gone(first)
    source = Source(pool, Request("wiener", 2, 7), small_field, never)
    failed = in_thread(lambda: source(0))
    while pool.pids == [first]:
        time.sleep(0.001)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(RuntimeError, match="ended twice.*choose a smaller batch"):
        failed.result(PATIENCE)


def test_a_field_travels_without_its_truth_and_once(small_field: Any) -> None:
    import pickle

    parcel = packed(small_field)
    arrived = pickle.loads(parcel.content)
    assert arrived.kappa is None and small_field.kappa is not None
    for name in ("gamma", "sigma", "mask", "footprint"):
        assert torch.equal(getattr(arrived, name), getattr(small_field, name))
    assert packed(small_field) is parcel
    assert packed(replace(small_field, sigma=2 * small_field.sigma)).digest != parcel.digest


def test_a_keeper_asks_for_a_field_that_it_has_forgotten(small_field: Any) -> None:
    keeper, request = Keeper(), Request("wiener", 1, 0)
    content = packed(small_field).content
    assert keeper.draw(request, 0, "a", None, never) is None
    first, _ = keeper.draw(request, 0, "a", content, never)
    for other in range(FIELDS):
        keeper.draw(request, 0, str(other), content, never)
    assert keeper.draw(request, 0, "a", None, never) is None
    assert len(keeper._others) == FIELDS
    again, _ = keeper.draw(request, 0, "a", content, never)
    np.testing.assert_array_equal(first, again)


def test_samples_of_unlike_workers_are_not_mixed(small_field: Any) -> None:
    class Odd:
        slots = 2

        def draw(self, request: Request, number: int, parcel: Parcel, given_up: Any) -> Any:
            return np.zeros((1, 2, 2), np.float32), {"sampler": "x", "threads": 1 + number}

        def close(self) -> None:
            pass

    source = Source(Odd(), Request("x", 1, 0), small_field, never)
    source(0)
    with pytest.raises(RuntimeError, match=r"`threads` differs between the workers \(1 and 2\)"):
        source(1)


@pytest.mark.parametrize(
    "setting",
    ["", "there", "here:1", "processes", "processes:", "processes:0", "processes:two", "dask:"],
)
def test_a_wrong_setting_is_one_sentence(setting: str) -> None:
    with pytest.raises(ValueError, match=r"`sampling` must be here, processes:N or dask:ADDRESS"):
        workers(setting)


def test_settings_are_read() -> None:
    assert check_setting("here") == ("here", "") and workers("here") is None
    assert check_setting("processes:12") == ("processes", "12")
    assert check_setting("dask:tcp://10.0.0.1:8786") == ("dask", "tcp://10.0.0.1:8786")
