"""Maps side by side: ``MapGrid(summary, maps=["ks", "mean", "std"])``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import massgan_core as mg
from explorer import store as library
from explorer.notebook.stills import Stills
from explorer.recipes import BOUNDS, PICTURES, SEEN, TRUTHS
from explorer.store import Promise
from explorer.views.titles import POSTERIOR
from massgan_core.posterior import Summary
from massgan_core.sky import ShearField


class MapGrid(Stills):
    """The maps of a field and of its samples on one sky.

    ``.selected`` is the X-ray cluster that was clicked, ``.region`` the part that can be seen;
    both can be set.

    Args:
        given: What a cell computed: a field, or samples of one.
        maps: Their names; None takes what there is: truth, Kaiser–Squires, mean, uncertainty.
        interval: What ``massgan_core.guaranteed`` gives, for the maps ``low`` and ``high``.
        choices: Any parameter of :class:`explorer.state.State`: ``smoothing``, ``blur``,
            ``threshold``, ``limit``, ``shared``, ``colors``, ``theme``.

    Raises:
        TypeError: `given` is something else.
        ValueError: A map that is unknown, or that needs what is not there.
    """

    def __init__(
        self,
        given: ShearField | Summary,
        *,
        maps: Iterable[str] | None = None,
        interval: Any = None,
        **choices: Any,
    ) -> None:
        sampled = isinstance(given, Summary)
        wanted = ["truth", "ks", *(["mean", "std"] if sampled else [])]
        chosen = wanted if maps is None else list(maps)
        unknown = [name for name in chosen if name not in PICTURES]
        if unknown:
            raise ValueError(f"unknown map {unknown[0]!r}; known: {', '.join(PICTURES)}")
        if not sampled and set(chosen) & set(POSTERIOR) and isinstance(given, ShearField):
            name = next(name for name in chosen if name in POSTERIOR)
            raise ValueError(f"the map {name!r} needs samples: give a Summary, not a ShearField")
        if interval is None and set(chosen) & set(BOUNDS):
            raise ValueError("the maps 'low' and 'high' need `interval`, see mg.guaranteed")
        super().__init__(given, chosen, choices)
        if maps is not None and self.field.truth is None and set(chosen) & set(TRUTHS):
            raise ValueError("the truth of this field is unknown: leave out 'truth', 'residual'")
        if interval is not None:
            bounds = (interval.low.float().numpy(), interval.high.float().numpy())
            self.maps.show_promise(Promise("", *bounds))
        self._smoothed = mg.SmoothedSamples(self.state.smoothing)
        for work, show in self._asked():
            show(work())
        self.layout.append(self._grid(*PICTURES))
        self._follow(self._choose, "pictures", "smoothing", "threshold")

    def _choose(self) -> None:
        self.maps.choose()
        for work, show in self._asked():
            self._later(work, show)

    def _asked(self) -> list[tuple]:
        """What the library has to be asked for now, and who shows it."""
        shown, blur, summary = self.state.pictures, self.state.smoothing, self.summary
        asked: list[tuple] = []
        for name in SEEN:
            if name in shown:
                work = partial(library.seen, name, self.field, blur)
                asked.append((work, partial(self._show_seen, name, blur)))
        if summary is not None and summary.kept and "chance" in shown:
            if self._smoothed.smoothing != blur:
                self._smoothed = mg.SmoothedSamples(blur)
            work = partial(library.chance, self._smoothed, summary, self.state.threshold)
            asked.append((work, self.maps.show_chance))
        if summary is not None and summary.kept and "fit" in shown:
            sampler = summary.provenance.get("sampler", "")
            work = partial(library.fit, summary, sampler, blur)
            asked.append((work, self.maps.show_fit))
        return asked

    def _show_seen(self, name: str, blur: float, image: Any) -> None:
        if blur == self.state.smoothing:
            self.maps.show_seen({name: image})
