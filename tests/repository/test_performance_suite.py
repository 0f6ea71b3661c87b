"""What the benchmarks share: works take turns, ratios are of one round, peaks of one process."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The package is no installed one."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def test_works_take_turns_after_a_call_that_warms_up():
    from performance.clock import Clock

    calls = []
    times = Clock(repeats=3).in_turn(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}
    )
    assert "".join(calls) == "ab" * 4
    assert {k: len(v) for k, v in times.items()} == {"a": 3, "b": 3}


def test_a_ratio_is_that_of_one_round_and_forgives_a_busy_one():
    from performance.clock import ratio

    times = {"a": [2.0, 40.0, 2.0, 60.0, 2.0], "b": [1.0, 20.0, 1.0, 1.0, 1.0]}
    assert ratio(times, "a", "b") == 2.0 and ratio(times, "b", "a") == 0.5


def test_the_batch_that_is_chosen_took_least_for_a_sample(monkeypatch):
    from performance.clock import Clock, fastest

    seconds = {1: 1.0, 4: 2.0, 8: 7.0}
    works = {n: (lambda n=n: n) for n in seconds}
    clock = Clock()
    monkeypatch.setattr(clock, "once", lambda work: seconds[work()])
    assert fastest(clock, works) == 4


def test_a_share_is_of_the_better_limit_of_its_round():
    from performance.limits import Limit, shares

    limits = {"matmul": Limit(lambda: None, 10.0), "conv": Limit(lambda: None, 30.0)}
    times = {"ours": [2.0, 4.0], "matmul": [1.0, 1.0], "conv": [6.0, 2.0]}
    # 10 and 5 a second at most, then 10 and 15.
    assert shares(times, "ours", 10.0, limits) == [0.5, pytest.approx(1 / 6)]


@pytest.mark.parametrize("kind", ["matmul", "conv"])
def test_the_arithmetic_of_a_limit_is_what_is_counted(kind):
    """Multiplications by the padding of a convolution count in both."""
    from performance.limits import arithmetic
    from performance.networks import flop_of

    limit = arithmetic("cpu", torch.float32, 64)[kind]
    assert flop_of(limit.work) == limit.amount


def test_a_decoder_s_layers_are_counted_as_pytorch_counts_them():
    from performance.networks import convolutions, flop_of, network_of, padded

    network = network_of("tiny")
    condition = torch.zeros(1, 7, *padded(network, 64))
    shares = network.shares(network.features(condition))
    latents = [torch.zeros(2, *s) for s in network.latent_shapes(condition.shape[-2:])]
    with convolutions() as rows:
        network.paint(shares, latents)
    flop = sum(row.flop for row in rows)
    assert flop == flop_of(lambda: network.paint(shares, latents)) > 0
    with torch.inference_mode(), convolutions() as again:
        network.paint(shares, latents)
    assert again == rows


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_peak_is_of_the_process_alone():
    from performance.processes import peak

    held = bytearray(500_000_000)
    plain = peak("")
    assert plain < 100e6 < len(held)
    assert 195e6 < peak("bytearray(200_000_000)") - plain < 220e6


def test_a_process_that_fails_says_why():
    from performance.processes import peak

    with pytest.raises(RuntimeError, match="code 1: .*no such luck"):
        peak("raise SystemExit('no such luck')")
