"""What is made of samples, in threads: their worth, a chance, a fit, a look at one cluster.

Each follows the samples and the choices, and is dropped when these have moved on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import param

import massgan_core as mg
from explorer import store as library

if TYPE_CHECKING:
    from massgan_core.posterior import Summary


class Verdicts(param.Parameterized):
    """The part of the Explorer that asks the library about samples.

    It works with the Explorer's ``state``, ``store`` and ``runner``, its ``drawn_by``,
    `_spawn` and `_quietly`.
    """

    promise = param.Parameter(
        default=None, doc="What the spread of the samples at rest is worth; None = no word."
    )
    chance = param.Parameter(
        default=None, doc="The Chance of κ above the threshold, once counted; None before."
    )
    fit = param.Parameter(
        default=None, doc="χ² of the shear that the samples at rest predict, [H, W]; None before."
    )
    inspection = param.Parameter(
        default=None,
        doc="What the samples at rest say of the chosen cluster: an Inspection, a sentence, None.",
    )

    def _judge_samples(self) -> None:
        """Follow samples and choices from now on."""
        self._smoothed, self._counting = mg.SmoothedSamples(self.state.smoothing), False
        self.state.param.watch(self._on_fit, ["pictures", "smoothing"])
        self.state.param.watch(self._on_cluster, "cluster")
        self.store.param.watch(self._on_cluster, "circles")
        self.state.param.watch(self._on_chance, ["pictures", "threshold", "smoothing"])
        self.runner.param.watch(self._on_samples, ["phase", "summary"])

    def _on_samples(self, *_: param.parameterized.Event) -> None:
        # A batch under way at a pause brings its samples after it.
        self.promise = None
        if self.runner.at_rest:
            self._spawn(self._judge(self.runner.summary, self.drawn_by))
        self._on_cluster()
        self._on_chance()
        self._on_fit()

    async def _judge(self, summary: Summary, sampler: str) -> None:
        promise = await self._quietly(library.promise, sampler, summary)
        if summary is self.runner.summary and self.runner.at_rest:
            self.promise = promise

    def _on_cluster(self, *_: param.parameterized.Event) -> None:
        self.inspection = None
        if self.runner.at_rest and self.store.circles is not None and self.state.cluster:
            self._spawn(self._inspect(self.runner.summary, self.state.cluster))

    async def _inspect(self, summary: Summary, name: str) -> None:
        found = await self._quietly(library.inspection, summary, self.store.circles, name)
        if summary is self.runner.summary and name == self.state.cluster and self.runner.at_rest:
            self.inspection = found

    def _on_fit(self, *_: param.parameterized.Event) -> None:
        self.fit = None
        there = self.runner.at_rest and self.runner.summary.kept
        if there and "fit" in self.state.pictures:
            self._spawn(self._fit(self.runner.summary, self.state.smoothing))

    async def _fit(self, summary: Summary, blur: float) -> None:
        found = await self._quietly(library.fit, summary, self.drawn_by, blur)
        now = self.runner.summary is summary and self.runner.at_rest
        if now and blur == self.state.smoothing:
            self.fit = found

    def _on_chance(self, *_: param.parameterized.Event) -> None:
        if self.runner.summary is None:
            self.chance = None
        elif "chance" in self.state.pictures and not self._counting:
            self._spawn(self._count())

    async def _count(self) -> None:
        """Count until what was counted is what is wanted: choices and samples may overtake it."""
        if self._counting:
            return
        self._counting, counted = True, None
        try:
            while (wanted := self._wanted()) != counted and wanted[0] is not None:
                summary, threshold, smoothing = counted = wanted
                if self._smoothed.smoothing != smoothing:
                    self._smoothed = mg.SmoothedSamples(smoothing)
                chance = await self._quietly(library.chance, self._smoothed, summary, threshold)
                now = self.runner.summary
                if now is not None and now.field is summary.field:
                    self.chance = chance
        finally:
            self._counting = False

    def _wanted(self) -> tuple[Summary | None, float, float]:
        return self.runner.summary, self.state.threshold, self.state.smoothing
