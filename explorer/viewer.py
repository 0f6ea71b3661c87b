"""The Explorer: State (choices) → Store (results) and Runner (samples) → Page (pictures)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

import panel as pn
import param
from panel.viewable import Viewer

from explorer import store as library
from explorer.blurring import Blurring
from explorer.census import Census
from explorer.checker import Checker
from explorer.course import Course
from explorer.first_look import first_look
from explorer.history import History
from explorer.lessons.lesson import bundled
from explorer.measurer import Measurer
from explorer.notebook import cells
from explorer.parts import box_of, region_of
from explorer.race import Race
from explorer.recipes import SEEN
from explorer.runner import Runner, sentence
from explorer.state import State
from explorer.store import Store
from explorer.uploads.uploads import Uploads
from explorer.verdicts import Verdicts

if TYPE_CHECKING:
    import numpy as np

    from explorer.lessons.lesson import Lesson
    from massgan_core.sky import ShearField

FIELD = ("source", "region", "kind", "sky_seed", "depth", "outline", "cut", "file", "upload")


class Explorer(Verdicts, Viewer):
    """Pick a field and a sampler, press Start, watch the posterior grow.

    In a notebook: ``Explorer()`` as the last line of a cell. Choices may be given by name, e.g.
    ``Explorer(source="simulated", kind="nfw")``.

    Args:
        inputs: Files (or ``cosmos``) to choose from, see ``massgan_core.open_field``.
        lesson: One besides those that come with the page.
        takes_files: Whether a person may bring files of their own.
        choices: Any parameter of :class:`explorer.state.State`.
    """

    state = param.ClassSelector(class_=State, constant=True, doc="Choices.")
    store = param.ClassSelector(class_=Store, constant=True, doc="Results.")
    runner = param.ClassSelector(class_=Runner, constant=True, doc="The run.")
    race = param.ClassSelector(class_=Race, constant=True, doc="Another sampler beside it.")
    checker = param.ClassSelector(class_=Checker, constant=True, doc="Checks of the samples.")
    opening = param.Boolean(default=False, doc="A field is being opened.")
    alert = param.String(default="", doc="What went wrong, in one sentence; empty = nothing.")
    known = param.Parameter(
        default=None,
        doc="Summary drawn beforehand of the open field, shown before the first sample, or None.",
    )
    about = param.Tuple(default=("", ""), doc="Words about the sampler and about the field.")

    def __init__(
        self,
        inputs: Iterable[str] = (),
        *,
        lesson: Lesson | None = None,
        takes_files: bool = True,
        **choices: Any,
    ) -> None:
        lessons = dict.fromkeys([*([] if lesson is None else [lesson.name]), *bundled()])
        state = State(inputs, library.trained(), lessons, takes_files=takes_files, **choices)
        store, runner = Store(), Runner()
        checker = Checker(state, store, runner, spawn=self._spawn, quietly=self._quietly)
        race = Race(state, runner)
        super().__init__(state=state, store=store, runner=runner, race=race, checker=checker)
        self._awake, self._opened = False, 0
        self._again = False  # draw once the field of another depth is open
        self._left_out = ""  # of a link or a session: said until its field is open, and then
        self.drawn_by = state.sampler  #: whose samples the runner's are, whatever is chosen now
        self._tasks: set[asyncio.Task] = set()
        self._pages: list = []
        self.history = History(state)
        self._blur = state.smoothing  # of the maps in `store.seen`
        self.takes_files = takes_files
        self.uploads = Uploads(self._spawn, takes=takes_files)
        given = {"spawn": self._spawn, "quietly": self._quietly}
        self.census = Census(state, store, runner, takes=takes_files, **given)  #: and peaks
        self.blurring = Blurring(state, runner, known=lambda: self.known, **given)
        self.blurring_beside = Blurring(state, race.rival, **given)
        self.param.watch(self.blurring.follow, "known")
        self.uploads.param.watch(self._on_upload, "opened")
        self.state.param.watch(self._on_field, list(FIELD))
        self.state.param.watch(self._on_seen, ["pictures", "smoothing", "contours"])
        self.state.param.watch(self._on_sampler, "sampler")
        self.runner.param.watch(self._on_error, "error")
        race.rival.param.watch(self._on_error, "error")
        self._judge_samples()
        self.measurer = Measurer(self)
        self.course = Course(self, lesson)
        cells.register(self)

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
            self.history.begin()
            self._spawn(self.open())

    async def open(self) -> None:
        """Open the chosen field; what was drawn of the last one is dropped."""
        self._awake = True
        self._opened = turn = self._opened + 1
        self.race.reset()
        choice, smoothing = self.state.field_choice(), self.state.smoothing
        if choice == ("file", None):  # no file yet: the page asks for one
            self.store.clear()
            self.param.update(opening=False, alert=self._left_out, about=("", ""), known=None)
            self._left_out = ""
            return
        self.param.update(opening=True, alert=self._left_out, known=None)
        plan, wanted = self.uploads.opened, self._seen_wanted()
        uploaded = None if plan is None else plan.field
        try:
            opened = await asyncio.to_thread(
                library.open_field, choice, smoothing, wanted, uploaded
            )
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
            self._blur = smoothing
            self._on_seen()  # choices may have changed meanwhile
        said = "; ".join(part for part in (self._left_out, error) if part)
        self._left_out = ""
        self.param.update(opening=False, alert=said, about=words)
        again, self._again = self._again and opened is not None, False
        if again:
            self.start()
        await self._look()
        if self.state.source == "cosmos" and self.store.galaxies is None and not error:
            self.store.galaxies = await asyncio.to_thread(library.galaxy_picture)

    def restore(self, take: Callable[[], list[str]]) -> None:
        """Let `take` change the choices, all at once, and say what it had to leave out."""
        before = self.state.field_choice()
        with param.parameterized.batch_call_watchers(self.state):
            problems = take()
        self.alert = "; ".join(problems)
        # Opening a field would wipe it off.
        opens = not self._awake or self.state.field_choice() != before
        self._left_out = self.alert if opens else ""

    def start(self) -> None:
        """Draw the samples asked for, from the first one."""
        if self.store.field is None or self.opening:
            return
        self.alert, self.drawn_by = "", self.state.sampler
        for task in self.race.start(self.store.field):
            self._keep(task)

    def start_soon(self) -> None:
        """Draw the samples asked for once the chosen field is open, now if it is."""
        ready = self._awake and self.store.choice == self.state.field_choice()
        self._again = not ready or self.opening
        if not self._again:
            self.start()

    def deepen(self, depth: float) -> None:
        """The same sky at another `depth` [galaxies/arcmin²]; what was drawn is drawn anew."""
        if depth == self.state.depth:
            return
        again = self._again or self.runner.summary is not None or self.runner.active
        self.state.depth = depth
        self._again = again and self.state.redraw

    def pause(self) -> None:
        """Pause, or go on after a pause."""
        self.race.pause()

    def stop(self) -> None:
        """Stop and keep the samples drawn so far."""
        self._again = False
        self.race.stop()

    def close(self) -> None:
        """End everything this session does."""
        self._opened += 1
        self.race.reset()
        self.uploads.close()
        self.census.close()
        for page in self._pages:
            page.close()
        self._pages.clear()

    def replaced(self) -> None:
        """Stop: the cell that made this was run again. The samples stay with who holds them."""
        self._opened += 1  # a field being opened is not wanted any more
        self.stop()
        for page in self._pages:
            page.close()
        self._pages.clear()

    def pick(self, box: tuple[float, float, float, float]) -> None:
        """Take the region of COSMOS in `box` (left, bottom, right, top) [arcmin]."""
        if self.store.galaxies is not None:
            self.state.region = region_of(self.store.galaxies.grid, box)

    def region_box(self) -> tuple[float, float, float, float] | None:
        """Outline of the chosen region on the galaxy map; None for the whole field."""
        region, picture = self.state.region, self.store.galaxies
        if region is None or picture is None:
            return None
        return box_of(picture.grid, region)

    def _on_field(self, *_: param.parameterized.Event) -> None:
        self._again = False
        if self._awake:
            self._spawn(self.open())

    def _on_upload(self, event: param.parameterized.Event) -> None:
        number = 1 + (self.state.upload or {"number": 0})["number"]
        upload = {"number": number, "name": event.new.name, "call": event.new.call}
        self.state.param.update(source="file", file=None, upload=upload)

    def _seen_wanted(self) -> list[str]:
        chosen = {*self.state.pictures, self.state.contours}
        return [name for name in SEEN if name in chosen]

    def _on_seen(self, *_: param.parameterized.Event) -> None:
        field, blur = self.store.field, self.state.smoothing
        if field is None:
            return
        old = () if blur == self._blur else ("ks", "b_mode")
        for name in self._seen_wanted():
            if name in old or name not in self.store.seen:
                self._spawn(self._see(name, field, blur))

    async def _see(self, name: str, field: ShearField, blur: float) -> None:
        image = await self._quietly(library.seen, name, field, blur)
        if image is not None and field is self.store.field and blur == self.state.smoothing:
            kept = self.store.seen if blur == self._blur else self._sharp()
            self._blur = blur
            self.store.seen = {**kept, name: image}

    def _sharp(self) -> dict[str, np.ndarray]:
        """The maps that no blur changes."""
        return {name: image for name, image in self.store.seen.items() if name == "wiener"}

    def _on_sampler(self, *_: param.parameterized.Event) -> None:
        if self.store.field is not None:
            self._spawn(self._describe())

    async def _describe(self) -> None:
        name, field = self.state.sampler, self.store.field
        words = await self._quietly(library.about, name, field)
        if words is not None and name == self.state.sampler and field is self.store.field:
            self.about = words
        await self._look()

    async def _look(self) -> None:
        """What was drawn beforehand of this field by this sampler."""
        asked = self.store.choice, self.state.sampler
        known = await self._quietly(first_look, *asked)
        if asked == (self.store.choice, self.state.sampler):
            self.known = known

    def aside(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Do `work` in a thread and hand its result to `then`: None, and an alert, if it fails."""

        async def wait() -> None:
            then(await self._quietly(work))

        self._spawn(wait())

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
        if "filedropper" not in pn.extension._loaded_extensions:
            pn.extension("filedropper", inline=True)
        self.wake()
        return super()._repr_mimebundle_(include, exclude)
