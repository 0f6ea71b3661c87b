"""Side by side: the maps of both samplers between the same limits, and their scores."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

import massgan_core as mg
from explorer import Explorer, store
from explorer.race import Scores, scores
from explorer.views.limits import take_limits
from explorer.views.page import Page
from explorer.views.race import told


def _draw(explorer: Explorer) -> None:
    async def scene() -> None:
        await explorer.open()
        explorer.start()
        while explorer._tasks or explorer.race.active:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(scene(), 120))


def test_both_posteriors_are_shown(explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {}

    def sampler(name: str, field: mg.ShearField) -> mg.Wiener:
        spectrum = mg.spectrum_of(field)
        power = spectrum.power / (1 if name == "wiener" else 4)
        return known.setdefault(name, mg.Wiener(mg.PowerSpectrum(spectrum.ell, power)))

    monkeypatch.setattr(store, "sampler", sampler)
    monkeypatch.setattr(store, "about", lambda name, field: ("", ""))
    page, state = Page(explorer), explorer.state
    assert not page.race.layout.visible and not page.race.maps
    other = next(name for name in state.param.sampler.objects if name != "wiener")
    state.param.update(beside=other, compare="difference", first="mean", second="mean_b")
    assert page.race.layout.visible
    _draw(explorer)

    own, rival = explorer.runner.summary, explorer.race.rival.summary
    for side, summary in (("a", own), ("b", rival)):
        pictures = {"mean": summary.mean, "std": summary.std, "sample": summary.samples[-1]}
        for kind, expected in pictures.items():
            (image,) = page.race.maps[f"{kind}_{side}"].source.data["image"]
            np.testing.assert_array_equal(image, expected.numpy(), err_msg=f"{kind}_{side}")
    for kind in ("mean", "std", "sample"):
        assert page.race.maps[f"{kind}_a"].limits == page.race.maps[f"{kind}_b"].limits
    take_limits(state, "std", 0.01, 0.05)
    take_limits(state, "mean", -0.02, 0.2)
    assert {page.race.maps[f"std_{side}"].limits for side in "ab"} == {(0.01, 0.05)}
    shown = [page.race.maps[f"{kind}_{side}"] for kind in ("mean", "sample") for side in "ab"]
    assert {one.limits for one in shown} == {(-0.02, 0.2)}
    assert {tuple(one.mapper.palette) for one in (*shown, page.maps.maps["mean"])} == {
        tuple(page.maps.maps["mean"].mapper.palette)
    }
    assert page.race.scores == scores(own, rival)
    assert 'data-state="finished" data-n="4"' in page.race._line.object
    (less,) = page.compare.map.maps["difference"].source.data["image"]
    np.testing.assert_array_equal(less, own.mean.numpy() - rival.mean.numpy())

    state.pictures = ["mean", "std"]
    assert not page.race.cards["sample_b"].visible and page.race.cards["std_b"].visible
    state.beside = ""
    assert not page.race.layout.visible and page.race.shown() == {}


def test_words_of_a_sampler() -> None:
    known = Scores((0.61, 0.7), (0.0123, 0.011), 0.9)
    assert told(0, 0.0, None, 0) == "No samples yet."
    assert told(1, 0.25, None, 1) == "1 sample, 0.25 a second."
    assert told(8, 2.0, known, 1) == (
        "8 samples, 2 a second. Mean against the truth: r = 0.700, rms error 0.011."
    )
    assert told(8, 2.0, Scores((), (), 0.9), 0) == "8 samples, 2 a second."
