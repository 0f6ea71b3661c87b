"""COSMOS is there when the page opens: as the bundled network would draw it."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import torch

import massgan_core as mg
from explorer import Explorer
from explorer.first_look import CHOICE, SAMPLER, first_look, write
from explorer.views.page import Page


def test_it_is_of_the_bundled_network_and_within_its_sampling_error() -> None:
    known, field = first_look(CHOICE, SAMPLER), mg.cosmos()
    network = mg.load(SAMPLER.partition(":")[2])
    assert known.provenance["digest"] == network.provenance["digest"]
    assert known.n >= 256 and known.kept == 0
    *_, few = mg.stream(network, field, 16, 8, seed=1)
    area = field.footprint
    # The difference of two means over the error that it should have, and the ratio of two stds.
    error = known.std * (1 / 16 + 1 / known.n) ** 0.5
    z = ((few.mean - known.mean) / error)[area]
    assert 0.85 < z.std() < 1.15 and z.mean().abs() < 0.05
    assert 0.93 < (few.std[area].mean() / known.std[area].mean()) < 1.07


def test_other_fields_and_samplers_have_none() -> None:
    assert first_look(CHOICE, "wiener") is None
    assert first_look(("cosmos", (150.1, 2.2, 10.0, 10.0)), SAMPLER) is None


def test_what_is_written_is_what_is_read(small_field: Any, tmp_path: Any) -> None:
    *_, summary = mg.stream(mg.sampler("wiener", small_field), small_field, 6, 2)
    write(summary, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        mean, std = (torch.from_numpy(file[name].astype(np.float32)) for name in ("mean", "std"))
    torch.testing.assert_close(mean, summary.mean, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(std, summary.std, rtol=1e-3, atol=1e-6)


def test_the_page_opens_with_it_and_says_so() -> None:
    explorer = Explorer(source="cosmos")
    assert explorer.state.sampler == SAMPLER
    page = Page(explorer)
    asyncio.run(explorer.open())
    known = first_look(CHOICE, SAMPLER)
    (mean,) = page.maps.maps["mean"].source.data["image"]
    np.testing.assert_array_equal(mean, known.mean.numpy())
    assert f"of {known.n} samples drawn beforehand" in page.maps._words["std"].object
    assert page.maps.maps["sample"].source.data["image"] == []

    async def other() -> None:
        explorer.state.sampler = "wiener"
        await asyncio.gather(*explorer._tasks)

    asyncio.run(other())
    assert explorer.known is None and page.maps.maps["mean"].source.data["image"] == []
