"""Two samplers on the same field: they draw in turns, start and stop together, and are scored."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from explorer import store as library
from explorer.beside import rival
from explorer.runner import Runner
from massgan_core.evaluate import pearson, rmse

if TYPE_CHECKING:
    from explorer.state import State
    from massgan_core.posterior import Summary
    from massgan_core.sky import ShearField


class Race:
    """The session's run, and beside it another sampler's, where one is chosen.

    Args:
        state: The choices: who draws, how many.
        runner: The session's own run.
    """

    def __init__(self, state: State, runner: Runner) -> None:
        self.state, self.runner, self.rival = state, runner, Runner()
        self.drawn_by = ""  #: whose samples the rival's are, whatever is chosen now
        state.param.watch(self._on_choice, ["sampler", "beside"])

    @property
    def active(self) -> bool:
        """One of them runs or is paused: there is something to stop."""
        return self.runner.active or self.rival.active

    def phase(self, own: str) -> str:
        """What the buttons follow: the phase of who still draws, else the session's `own`."""
        still = self.rival.active and not self.runner.active
        return self.rival.phase if still and own != "opening" else own

    def start(self, field: ShearField) -> list[asyncio.Task]:
        """Draw of `field`, from the first sample; batches take turns."""
        state, name = self.state, rival(self.state)
        tasks = [self.runner.start(library.draw(state, field), state.n)]
        self.drawn_by = name
        if name:
            tasks.append(self.rival.start(library.draw(state, field, name), state.n))
        else:
            self.rival.reset()
        return tasks

    def pause(self) -> None:
        """Pause both, or let both go on after a pause."""
        both = (self.runner, self.rival)
        paused = any(one.phase == "paused" for one in both)
        for one in both:
            if paused:
                one.resume()
            else:
                one.pause()

    def stop(self) -> None:
        """Stop both and keep what there is."""
        self.runner.stop()
        self.rival.stop()

    def reset(self) -> None:
        """Stop both and forget the samples."""
        self.runner.reset()
        self.rival.reset()

    def _on_choice(self, *_: object) -> None:
        # The samples of who is not in the race any more go.
        if self.drawn_by and self.drawn_by != rival(self.state):
            self.rival.reset()
            self.drawn_by = ""


@dataclass(frozen=True)
class Scores:
    """How close the means come to the truth, and to one another; NaN where there is nothing."""

    r: tuple[float, ...]  #: Pearson r with the truth, of each; empty where it is not known
    rms: tuple[float, ...]  #: rms error, of each
    between: float  #: Pearson r of the two means


def scores(first: Summary, second: Summary) -> Scores:
    """Score the means of two runs of one field; a map that is zero everywhere has no r: NaN."""
    field = first.field
    area, means = field.footprint, (first.mean, second.mean)
    between = pearson(*means, area).item()
    if field.truth is None:
        return Scores((), (), between)
    truth = field.truth
    return Scores(
        tuple(pearson(mean, truth, area).item() for mean in means),
        tuple(rmse(mean, truth, area).item() for mean in means),
        between,
    )


def likeness(first: np.ndarray, second: np.ndarray, field: ShearField) -> tuple[float, float]:
    """Pearson r of two maps [H, W] over the footprint, and the rms of their difference."""
    one, other = (torch.from_numpy(np.ascontiguousarray(image)) for image in (first, second))
    area = field.footprint.cpu()
    return pearson(one, other, area).item(), rmse(one, other, area).item()
