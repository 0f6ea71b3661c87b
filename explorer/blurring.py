"""The maps of a run once its samples are blurred: from some of them first, then from all.

The mean of blurred samples is the blurred mean; how far they lie apart has to be found from the
samples themselves, in slices, so that another choice need not wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import param

import massgan_core as mg
from explorer.asking import Asking
from explorer.recipes import BLURRED

if TYPE_CHECKING:
    import numpy as np

    from explorer.runner import Runner
    from explorer.state import State
    from massgan_core.posterior import Summary

FIRST = 64  #: samples of the first estimate of the spread, at least, where there are more
SPREAD = ("std", "snr")  #: maps that need every sample


@dataclass(frozen=True, eq=False)
class Soft:
    """One blurred map, NaN outside the footprint."""

    image: np.ndarray  #: float32 [H, W]
    blur: float  #: std [arcmin]
    n: int  #: samples it is of; of a single sample its number, from 1
    of: int  #: samples drawn


class Blurring(Asking):
    """Follows the blur, the maps on the page and the samples of one run.

    Args:
        state: The choices.
        runner: Whose samples.
        known: What is shown before the first sample: a Summary, or None.
        how: See :class:`explorer.asking.Asking`.
    """

    found = param.Dict(default={}, doc="Blurred maps by name, each a `Soft`.")

    def __init__(
        self,
        state: State,
        runner: Runner,
        *,
        known: Callable[[], Summary | None] = lambda: None,
        **how: Any,
    ) -> None:
        super().__init__(**how)
        self._state, self._runner, self._known = state, runner, known
        self._soft, self._number = mg.SmoothedSamples(0.0), None
        self._run, self._drawn = 0, False  # how often all was dropped; whether samples are there
        self._made: dict[str, tuple] = {}  # what each map was made of
        state.param.watch(self.follow, ["blur", "pictures", "contours"])
        runner.param.watch(self.follow, ["phase", "summary"])

    def follow(self, *_: param.parameterized.Event) -> None:
        """Choices or samples have changed."""
        drawn, self._drawn = self._drawn, self._runner.summary is not None
        if not self._state.blur or self._summary is None or drawn != self._drawn:
            self._soft, self._made = mg.SmoothedSamples(0.0), {}
            self._run += 1
            if self.found:
                self.found = {}
        # What is held of old samples would keep them in memory.
        self._made = {name: of for name, of in self._made.items() if of[0] is self._summary}
        self._look()

    def play(self, number: int) -> None:
        """Show a sample at rest, by its number from 0 among those kept."""
        self._number = number
        self._look()

    @property
    def _summary(self) -> Summary | None:
        summary = self._runner.summary
        return self._known() if summary is None else summary

    def _wanted(self) -> tuple[Summary, float, int, set[str]] | None:
        """Samples, blur, number of the single sample, and the maps that are not yet of these."""
        summary, blur = self._summary, self._state.blur
        if summary is None or not blur:
            return None
        number = newest = summary.kept - 1
        if self._runner.at_rest and self._number is not None:
            number = min(self._number, newest)
        names = {name for name in BLURRED if name in (*self._state.pictures, self._state.contours)}
        if summary.kept < 2:
            names -= {*SPREAD}
        if not summary.kept:
            names -= {"sample"}
        missing = {k for k in names if self._made.get(k) != _key(k, summary, blur, number)}
        return (summary, blur, number, missing) if missing else None

    async def _answer(self, wanted: tuple) -> bool:
        summary, blur, number, names = wanted
        if self._soft.smoothing != blur:
            self._soft = mg.SmoothedSamples(blur)
        soft, run = self._soft, self._run
        quick = names - {*SPREAD}
        found = await self._quietly(single, soft, summary, quick, number)
        if found is None:
            return False
        self._take(run, found)
        self._note(run, quick, wanted)
        return not names & {*SPREAD} or await self._spread(soft, run, wanted)

    async def _spread(self, soft: mg.SmoothedSamples, run: int, wanted: tuple) -> bool:
        """Blur sample by sample: tell of the first ones, then of all, unless overtaken."""
        summary, names = wanted[0], wanted[3] & {*SPREAD}
        steps, told = soft.steps(summary), False
        while True:
            n = await self._quietly(next, steps, summary.kept)
            if n is None or run != self._run:
                return n is not None
            done, overtaken = n == summary.kept, self._overtaken(wanted)
            if done or (n >= FIRST and (overtaken or not told)):
                found, told = await self._quietly(spread, soft, summary), True
                if found is None:
                    return False
                self._take(run, found)
            if done:
                self._note(run, names, wanted)
            if done or overtaken:
                return True

    def _overtaken(self, wanted: tuple) -> bool:
        now = self._wanted()
        return now is None or now[:2] != wanted[:2] or bool(now[3] - {*SPREAD})

    def _note(self, run: int, names: Iterable[str], wanted: tuple) -> None:
        if run == self._run:
            self._made |= {name: _key(name, *wanted[:3]) for name in names}

    def _take(self, run: int, found: dict[str, Soft]) -> None:
        """Show what was found, unless its samples are gone."""
        if run == self._run and found:
            self.found = {**self.found, **found}


def _key(name: str, summary: Summary, blur: float, number: int) -> tuple:
    return (summary, blur, number) if name == "sample" else (summary, blur)


def single(
    soft: mg.SmoothedSamples, summary: Summary, names: Iterable[str], number: int
) -> dict[str, Soft]:
    """The maps that one smoothing gives: of a sample, of the mean, of what it gets wrong."""
    of, found = (soft.smoothing, summary.n, summary.n), {}
    if "sample" in names:
        image = soft.sample(summary, number).numpy()
        found["sample"] = Soft(image, soft.smoothing, summary.first + number + 1, summary.n)
    if "mean" in names:
        found["mean"] = Soft(soft.mean(summary).numpy(), *of)
    residual = soft.residual(summary) if "residual" in names else None
    if residual is not None:
        found["residual"] = Soft(residual.numpy(), *of)
    return found


def spread(soft: mg.SmoothedSamples, summary: Summary) -> dict[str, Soft]:
    """How far the samples that are smoothed by now lie apart."""
    known = soft.spread(summary)
    return {
        name: Soft(getattr(known, name).numpy(), soft.smoothing, known.n, summary.n)
        for name in SPREAD
    }


def blurred(
    soft: mg.SmoothedSamples, summary: Summary, names: Iterable[str], number: int
) -> dict[str, Soft]:
    """Those of the maps with `names` that there can be, from all samples kept, in one call."""
    found = single(soft, summary, {*names} - ({"sample"} if not summary.kept else set()), number)
    if summary.kept > 1 and {*names} & {*SPREAD}:
        for _ in soft.steps(summary):
            pass
        found |= spread(soft, summary)
    return found
