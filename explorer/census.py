"""Clusters and peaks of the open field: which are shown, and what the samples say of them all.

What takes long is done in a thread, at rest, and only once someone looks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import param

import massgan_core as mg
from explorer import positions
from explorer import store as library
from explorer.asking import Asking
from explorer.uploads.inbox import Inbox
from explorer.uploads.positions import LIMITS
from explorer.uploads.reading import READERS, CalledOff, Reading
from explorer.uploads.uploads import REFUSED

if TYPE_CHECKING:
    from explorer.runner import Runner
    from explorer.state import State
    from explorer.store import Circles, Store
    from massgan_core.peaks import Inspection, Peaks
    from massgan_core.posterior import Summary

MOST_JUDGED = 300  #: circles that are looked into, the first ones
MOST_PEAKS = 200  #: peaks that are listed, the highest
BESIDE = 2.0  #: a peak belongs to a cluster within this [arcmin], or within its circle
CHOICES = ("catalog", "redshifts", "masses")
PEAK_CHOICES = ("smoothing", "peak_height", "peak_radius")


@dataclass(frozen=True, eq=False)
class Judged:
    """Circles, and what samples say of each; None where the footprint ends."""

    circles: Circles
    found: list[Inspection | None]


@dataclass(frozen=True, eq=False)
class PeakList:
    """Peaks of the posterior mean, highest first."""

    peaks: Peaks
    probability: np.ndarray  #: of a peak there; NaN where no samples are kept
    cut: int  #: how many lower ones were left out


class Census(Asking):
    """Follows the choices, the field and the samples.

    Args:
        state: Choices.
        store: The open field; its `circles` are set here.
        runner: The samples.
        takes: Whether files of positions may come in.
        how: See :class:`explorer.asking.Asking`.
    """

    own = param.Parameter(default=None, doc="Positions of this session, as Clusters, or None.")
    problem = param.String(default="", doc="What is wrong with them, in one sentence.")
    reading = param.Boolean(default=False, doc="Positions are being read.")
    judged = param.Parameter(default=None, doc="The Judged circles of now; None before.")
    listed = param.Parameter(default=None, doc="The PeakList of now; None before.")

    def __init__(
        self, state: State, store: Store, runner: Runner, *, takes: bool = True, **how: Any
    ) -> None:
        super().__init__(**how)
        self.takes = takes
        self.state, self.store, self.runner = state, store, runner
        self._inbox, self._closed = Inbox(LIMITS), False
        self._done: dict[str, tuple | None] = {"judged": None, "listed": None}
        state.param.watch(self._on_list, list(CHOICES))
        store.param.watch(self._on_field, "field")
        self.param.watch(self._on_list, "own")
        store.param.watch(self._on_change, "circles")
        state.param.watch(self._on_change, ["tables", "peaks", *PEAK_CHOICES])
        runner.param.watch(self._on_change, ["phase", "summary"])

    # Which clusters

    @property
    def plain(self) -> bool:
        """Whether the list is the one that a field opens with."""
        return self.state.catalog == "finoguenov2007" and not (
            self.state.redshifts or self.state.masses
        )

    def around(self, grid: Any) -> Circles | None:
        """The chosen clusters on `grid`."""
        state = self.state
        table = positions.catalog(state.catalog, self.own)
        if table is None or grid.wcs is None:
            return None
        kept = positions.within(table, state.redshifts, state.masses)
        return library.circles_on(grid, table[kept]) if kept.any() else None

    def _on_field(self, *_: param.parameterized.Event) -> None:
        if not self.plain:  # a field comes with the plain list
            self._on_list()

    def _on_list(self, *_: param.parameterized.Event) -> None:
        field = self.store.field
        if field is not None and field.kappa is None:
            self.store.circles = self.around(field.grid)

    # Positions of one's own

    def paste(self, text: str) -> None:
        """Take positions from lines of text."""
        self._spawn(self._take(partial(positions.pasted, text)))

    def receive(self, name: str, number: int, total: int, data: bytes) -> None:
        """Take part `number` of `total` of a file of positions."""
        if self._closed:
            return
        if not self.takes:
            self.problem = REFUSED
            return
        try:
            path = self._inbox.take(name, number, total, data)
        except ValueError as error:
            self.problem = f"{error}."
            return
        if path is not None:
            reading = Reading("positions", path, self._inbox.name, LIMITS)
            self._spawn(self._take(lambda: READERS.submit(_read, reading).result()))

    async def _take(self, read: Callable[[], Any]) -> None:
        self.param.update(reading=True, problem="")
        found, problem = await self._quietly(_told, read) or (None, "They could not be read.")
        self._inbox.drop()
        self.param.update(reading=False, problem=problem)
        if found is not None and not self._closed:
            self.own = found
            self.state.catalog = "own"

    def close(self) -> None:
        """Remove the files of this session."""
        self._closed = True
        self._inbox.close()

    # What the samples say

    def beside(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Number of the cluster of each listed peak, −1 for none, and how far away it is."""
        circles = self.store.circles
        if self.listed is None or circles is None:
            return None
        reach = np.maximum(circles.radius, BESIDE)
        return mg.nearest(self.listed.peaks.places, np.stack([circles.x, circles.y], 1), reach)

    def _wishes(self) -> dict[str, tuple | None]:
        """What to ask: arguments of :func:`judge` and of :func:`peaks_of`; None for nothing."""
        state, summary = self.state, self.runner.summary
        if summary is None or not self.runner.at_rest:
            return {"judged": None, "listed": None}
        judged = (summary, self.store.circles)
        listed = (summary, *(getattr(state, name) for name in PEAK_CHOICES))
        there = self.store.circles is not None and summary.kept and state.tables
        return {
            "judged": judged if there else None,
            "listed": listed if state.tables or state.peaks else None,
        }

    def _on_change(self, *_: param.parameterized.Event) -> None:
        wishes = self._wishes()
        old = [name for name in wishes if not _same(wishes[name], self._done[name])]
        for name in old:
            self._done[name] = None
        self.param.update(**dict.fromkeys(old))
        self._look()

    def _wanted(self) -> tuple[str, tuple] | None:
        """The first thing that is wished for and not done, and its name."""
        for name, wish in self._wishes().items():
            if wish is not None and not _same(wish, self._done[name]):
                return name, wish
        return None

    async def _answer(self, wanted: tuple[str, tuple]) -> bool:
        name, wish = wanted
        found = await self._quietly(_MAKE[name], *wish)
        if _same(wish, self._wishes()[name]):
            self._done[name] = wish
            self.param.update(**{name: found})
        return True


def judge(summary: Summary, circles: Circles) -> Judged:
    """What the samples say of all circles, of the first ones where there are very many."""
    places = np.stack([circles.x, circles.y], 1)[:MOST_JUDGED]
    field = summary.field
    found = mg.inspect_places(
        summary.samples, field.grid, field.footprint.cpu(), places, circles.radius[:MOST_JUDGED]
    )
    return Judged(circles, [*found, *[None] * (len(circles.x) - len(found))])


def peaks_of(summary: Summary, smoothing: float, height: float, radius: float) -> PeakList:
    """The peaks of the mean, and how sure the samples are of each."""
    grid, area = summary.field.grid, summary.field.footprint.cpu()
    every = mg.find_peaks(summary.mean.cpu(), grid, area, smoothing=smoothing, threshold=height)
    peaks = every[:MOST_PEAKS]
    share = np.full(len(peaks), np.nan)
    if summary.kept and len(peaks):
        share = mg.peak_probability(
            peaks.places,
            summary.samples,
            grid,
            area,
            radius=radius,
            threshold=height,
            smoothing=smoothing,
        )
    return PeakList(peaks, share, len(every) - len(peaks))


_MAKE = {"judged": judge, "listed": peaks_of}


def _same(one: tuple | None, other: tuple | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        a is b or (isinstance(a, float | int) and a == b) for a, b in zip(one, other, strict=True)
    )


def _read(reading: Reading) -> Any:
    """The positions in a file; runs in a thread, the file is read by a child process."""
    return positions.made(**reading.result())


def _told(read: Callable[[], Any]) -> tuple[Any, str]:
    """What was read, or one sentence on why it cannot be."""
    try:
        return read(), ""
    except CalledOff:
        return None, ""
    except ValueError as error:
        words = str(error).rstrip(".")
        return None, f"{words[:1].upper()}{words[1:]}."
