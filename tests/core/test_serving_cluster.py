"""A Dask cluster draws what this process draws; what is wrong with it is one sentence."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import massgan_core as mg
from massgan_core import serving_cluster
from massgan_core.posterior import endless
from massgan_core.serving import Request, Source, workers
from massgan_core.sky import Stopped


def test_a_cluster_gives_the_bits_of_this_process(cluster: Any, small_field: Any) -> None:
    place = workers(f"dask:{cluster.scheduler_address}")
    assert place.slots == 1
    wiener = mg.sampler("wiener", small_field)
    drawn = endless(wiener, small_field, 2, seed=5)
    source = Source(place, Request("wiener", 2, 5), small_field, lambda: False)
    assert torch.equal(source(0), next(drawn)) and torch.equal(source(1), next(drawn))
    with pytest.raises(Stopped):
        Source(place, Request("wiener", 4000, 5), small_field, lambda: True)(0)
    with pytest.raises(ValueError, match="method"):
        Source(place, Request("magic", 1, 5), small_field, lambda: False)(0)
    assert torch.equal(source(2), next(drawn))
    place.close()


def test_no_scheduler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving_cluster, "PATIENCE", "100ms")
    with pytest.raises(OSError, match="no Dask scheduler answers at 'tcp://localhost:1'"):
        workers("dask:tcp://localhost:1")
