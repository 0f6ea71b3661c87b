"""Posterior samples one after the other, beside their mean: ``SamplePlayer(summary)``."""

from __future__ import annotations

from typing import Any

import param

from explorer.notebook.stills import Stills
from massgan_core.posterior import Summary


class SamplePlayer(Stills):
    """Flips through the samples kept, beside the mean of all.

    ``.sample`` is the number of the one shown, as ``summary.sample`` counts; it can be set.

    Args:
        summary: Samples, of which at least one is kept.
        choices: Any parameter of :class:`explorer.state.State`.

    Raises:
        TypeError: `summary` is something else.
        ValueError: None of its samples is kept.
    """

    sample = param.Integer(default=0, bounds=(0, None), doc="Number of the sample shown, from 0.")

    def __init__(self, summary: Summary, **choices: Any) -> None:
        kept(summary)
        super().__init__(summary, ["sample", "mean"], choices)
        self.param.sample.bounds = (0, summary.kept - 1)
        self.sample = summary.kept - 1  # the newest, as on the page
        self.maps.player.param.watch(self._on_player, "value")
        self.param.watch(self._on_sample, "sample")
        self.layout.append(self._grid("sample", "mean"))

    def _on_player(self, event: param.parameterized.Event) -> None:
        self.sample = event.new - 1

    def _on_sample(self, event: param.parameterized.Event) -> None:
        self.maps.player.value = event.new + 1


def kept(summary: Summary) -> None:
    """Check that there are samples to look at.

    Raises:
        TypeError: `summary` is something else.
        ValueError: None of its samples is kept.
    """
    if not isinstance(summary, Summary):
        raise TypeError(f"`summary` must be a Summary, got {type(summary).__name__}")
    if not summary.kept:
        raise ValueError("`summary` must keep samples, got none; draw with mg.stream(…, keep=n)")
