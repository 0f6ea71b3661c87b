"""The Explorer: State (choices) → Store (results) and Runner (samples) → Page (pictures)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

import panel as pn
import param
from panel.viewable import Viewer

import massgan_core as mg
from explorer import store as library
from explorer.checker import Checker
from explorer.runner import Runner, sentence
from explorer.state import State
from explorer.store import Store

if TYPE_CHECKING:
    from massgan_core.posterior import Summary

FIELD = ("source", "region", "kind", "sky_seed", "depth", "outline", "file")


class Explorer(Viewer):
    """Pick a field and a sampler, press Start, watch the posterior grow.

    In a notebook: ``Explorer()`` as the last line of a cell. Choices may be given by name, e.g.
    ``Explorer(source="simulated", kind="nfw")``.

    Args:
        inputs: Files (or ``cosmos``) to choose from, see ``massgan_core.open_field``.
        choices: Any parameter of :class:`explorer.state.State`.
    """

    state = param.ClassSelector(class_=State, constant=True, doc="Choices.")
    store = param.ClassSelector(class_=Store, constant=True, doc="Results.")
    runner = param.ClassSelector(class_=Runner, constant=True, doc="The run.")
    checker = param.ClassSelector(class_=Checker, constant=True, doc="Checks of the samples.")
    opening = param.Boolean(default=False, doc="A field is being opened.")
    alert = param.String(default="", doc="What went wrong, in one sentence; empty = nothing.")
    promise = param.Parameter(
        default=None, doc="What the spread of the samples at rest is worth; None = no word."
    )
    chance = param.Parameter(
        default=None, doc="The Chance of κ above the threshold, once counted; None before."
    )
    inspection = param.Parameter(
        default=None,
        doc="What the samples at rest say of the chosen cluster: an Inspection, a sentence, None.",
    )
    about = param.Tuple(default=("", ""), doc="Words about the sampler and about the field.")

    def __init__(self, inputs: Iterable[str] = (), **choices: Any) -> None:
        state = State(inputs=inputs, checkpoints=library.checkpoints(), **choices)
        store, runner = Store(), Runner()
        checker = Checker(state, store, runner, spawn=self._spawn, quietly=self._quietly)
        super().__init__(state=state, store=store, runner=runner, checker=checker)
        self._awake, self._opened = False, 0
        self._drawn_by = state.sampler  # whose samples the runner's are, whatever is chosen now
        self._tasks: set[asyncio.Task] = set()
        self._pages: list = []
        self._smoothed = mg.SmoothedSamples(state.smoothing)
        self._counting = False
        self.state.param.watch(self._on_field, list(FIELD))
        self.state.param.watch(self._on_smoothing, "smoothing")
        self.state.param.watch(self._on_sampler, "sampler")
        self.state.param.watch(self._on_cluster, "cluster")
        self.state.param.watch(self._on_chance, ["pictures", "threshold", "smoothing"])
        self.runner.param.watch(self._on_error, "error")
        self.runner.param.watch(self._on_samples, ["phase", "summary"])

    @property
    def phase(self) -> str:
        """Where the page stands: empty, opening, or the runner's phase."""
        if self.opening:
            return "opening"
        return "empty" if self.store.field is None else self.runner.phase

    def wake(self) -> None:
        """Open the chosen field, now that someone is looking; later calls do nothing.

        Not before: a server that forks after loading the page must not have touched torch.
        """
        if not self._awake:
            self._awake = True
            self._spawn(self.open())

    async def open(self) -> None:
        """Open the chosen field; what was drawn of the last one is dropped."""
        self._awake = True
        self._opened = turn = self._opened + 1
        self.runner.reset()
        choice, smoothing = self.state.field_choice(), self.state.smoothing
        self.param.update(opening=True, alert="")
        try:
            opened = await asyncio.to_thread(library.open_field, choice, smoothing)
            words = await asyncio.to_thread(library.about, self.state.sampler, opened["field"])
            error = ""
        except Exception as problem:
            opened, error, words = None, sentence(problem), ("", "")
        if turn != self._opened:  # another field was chosen meanwhile
            return
        if opened is None:
            self.store.clear()
        else:
            self.store.take(opened)
        self.param.update(opening=False, alert=error, about=words)
        if self.state.source == "cosmos" and self.store.galaxies is None and not error:
            self.store.galaxies = await asyncio.to_thread(library.galaxy_picture)

    def start(self) -> None:
        """Draw the samples asked for, from the first one."""
        if self.store.field is None or self.opening:
            return
        self.alert, self._drawn_by = "", self.state.sampler
        task = self.runner.start(library.draw(self.state, self.store.field), self.state.n)
        self._keep(task)

    def pause(self) -> None:
        """Pause, or go on after a pause."""
        if self.runner.phase == "paused":
            self.runner.resume()
        else:
            self.runner.pause()

    def stop(self) -> None:
        """Stop and keep the samples drawn so far."""
        self.runner.stop()

    def close(self) -> None:
        """End everything this session does."""
        self._opened += 1
        self.runner.stop()
        for page in self._pages:
            page.close()
        self._pages.clear()

    def pick(self, box: tuple[float, float, float, float]) -> None:
        """Take the region of COSMOS in `box` (left, bottom, right, top) on the galaxy map."""
        if self.store.galaxies is not None:
            self.state.region = library.region_of(self.store.galaxies.grid, box)

    def region_box(self) -> tuple[float, float, float, float] | None:
        """Outline of the chosen region on the galaxy map; None for the whole field."""
        region, picture = self.state.region, self.store.galaxies
        if region is None or picture is None:
            return None
        return library.box_of(picture.grid, region)

    def _on_field(self, *_: param.parameterized.Event) -> None:
        if self._awake:
            self._spawn(self.open())

    def _on_smoothing(self, *_: param.parameterized.Event) -> None:
        if self.store.field is not None:
            self._spawn(self._smooth())

    async def _smooth(self) -> None:
        field, smoothing = self.store.field, self.state.smoothing
        ks = await asyncio.to_thread(library.kaiser_squires, field, smoothing)
        if field is self.store.field and smoothing == self.state.smoothing:
            self.store.ks = ks

    def _on_sampler(self, *_: param.parameterized.Event) -> None:
        if self.store.field is not None:
            self._spawn(self._describe())

    async def _describe(self) -> None:
        name, field = self.state.sampler, self.store.field
        words = await self._quietly(library.about, name, field)
        if words is not None and name == self.state.sampler and field is self.store.field:
            self.about = words

    def _on_samples(self, *_: param.parameterized.Event) -> None:
        # A batch under way at a pause brings its samples after it.
        self.promise = None
        if self.runner.at_rest:
            self._spawn(self._judge(self.runner.summary, self._drawn_by))
        self._on_cluster()
        self._on_chance()

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

    async def _quietly(self, work: Callable, *given: Any) -> Any:
        """The result of `work`, done in a thread; None and an alert if it fails."""
        try:
            return await asyncio.to_thread(work, *given)
        except Exception as problem:
            self.alert = sentence(problem)
            return None

    def _on_error(self, event: param.parameterized.Event) -> None:
        if event.new:
            self.alert = event.new

    def _spawn(self, work: Coroutine) -> None:
        try:
            self._keep(asyncio.get_running_loop().create_task(work))
        except RuntimeError:  # no event loop: a plain script, which awaits open() itself
            work.close()

    def _keep(self, task: asyncio.Task) -> None:
        # The loop holds tasks weakly.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def __panel__(self) -> pn.viewable.Viewable:
        from explorer.views.page import Page

        page = Page(self)
        self._pages.append(page)
        if page.document is not None:
            page.document.on_event("document_ready", lambda _: self.wake())
            pn.state.on_session_destroyed(lambda _: self.close())
        return page.layout

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        # Nothing shows in a notebook before Panel is loaded; inline, so from no other host.
        if not pn.extension._loaded:
            pn.extension(inline=True)
        self.wake()
        return super()._repr_mimebundle_(include, exclude)
