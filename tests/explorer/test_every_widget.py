"""Every widget of the page does something that has a name, or this fails.

The table says for each widget, by its kind and its label, what a person does to it and which
effect must follow: on the field, the samples, the maps, the layout, a file. One page is walked
from top to bottom, so a widget that breaks a later one is found too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import panel as pn
import param
import pytest
from panel.custom import JSComponent
from panel.models.esm import DataEvent

import massgan_core as mg
from explorer import Explorer, store
from explorer.uploads.uploads import Plan, Preview
from explorer.views.page import Page
from explorer.widgets.arrival import Arrival
from explorer.widgets.files import Outbox

CHOICES = {"source": "simulated", "kind": "nfw", "depth": 30.0, "outline": "none"}
CHOICES |= {"n": 4, "batch": 2, "seed": 3, "sampler": "wiener"}
UNSEEN = ("IntInput", "")  # two numbers by which page and server keep in step
COLUMNS = ("A", "D", "x", "y", "w")


@dataclass(frozen=True)
class Row:
    """What a person does to one widget, and what must come of it.

    Args:
        effect: Name in `effects`, whose value must change.
        value: What the widget is set to; for a button, nothing: it is pressed.
        ready: Brings the page to where the widget can be used.
        act: What is done instead of setting a value or pressing.
    """

    effect: str
    value: Any = None
    ready: Callable[[Page], None] | None = None
    act: Callable[[Page, Any], None] | None = None

    def __call__(self, page: Page, widget: Any) -> None:
        if self.act is not None:
            self.act(page, widget)
        elif isinstance(widget, pn.widgets.Button):
            widget.param.trigger("clicks")
        else:
            assert widget.value != self.value, "already so"
            widget.value = self.value
            if hasattr(widget, "value_throttled"):  # a slider, once it is let go
                with param.edit_constant(widget):
                    widget.value_throttled = self.value


def running(page: Page) -> None:
    """A run under way, long enough to be stopped."""
    page.explorer.state.n = 4000
    page.explorer.start()


def dropped(page: Page) -> None:
    """A catalogue that was looked at."""
    page.explorer.state.source = "file"
    columns = [{"name": n, "numeric": True, "low": 0.0, "high": 1.0, "bad": 0} for n in COLUMNS]
    table = {"rows": 9, "columns": columns, "first": [["1"] * len(columns)]}
    guess = dict.fromkeys(("ra", "dec", "e1", "e2", "weight", "z"), "")
    page.explorer.uploads.preview = Preview("mine.csv", "catalogue", table=table, guess=guess)


def tried(page: Page) -> None:
    """A catalogue that could be opened."""
    dropped(page)
    page.explorer.uploads.plan = Plan(
        name="mine.csv",
        call={},
        field=page.explorer.store.field,
        does="9 galaxies.",
        notes=(),
        orientation="E 1, B 0",
        suspicious=False,
    )


def with_chance(page: Page) -> None:
    page.explorer.state.pictures = ["mean", "chance"]


def in_part(page: Page) -> None:
    page.explorer.state.param.update(source="cosmos", region=(150.1, 2.2, 20.0, 20.0))


def of_cosmos(page: Page) -> None:
    page.explorer.state.source = "cosmos"


def of_cluster(page: Page) -> None:
    of_cosmos(page)
    page.maps.inspector.order[:] = [2, 0, 1, 3]
    page.maps.player.value = 2


def part_of_file(page: Page, widget: Any) -> None:
    widget._receive = lambda *part: page.received.append(part)
    data = {"name": "mine.csv", "data": b"A,D", "chunk": 1, "total_chunks": 1}
    widget._process_event(SimpleNamespace(event_name="upload_event", data=data))


def another_seed(page: Page) -> None:
    page.explorer.state.seed = 77


def undone(page: Page) -> None:
    another_seed(page)
    page.explorer.history.undo()


def moved(page: Page) -> None:
    page.maps.sky.x_range.update(start=-1.0, end=1.0)


def typed(page: Page) -> None:
    page.explorer.state.span = "typed"


def with_hole(page: Page) -> None:
    page.explorer.state.cut = [((-5.0, -5.0), (-5.0, 5.0), (5.0, 5.0))]


def blinking(page: Page) -> None:
    page.explorer.state.compare = "blink"


def with_region(page: Page) -> None:
    page.explorer.state.regions = (("circle", *center(page), 5.0),)


def with_chosen_region(page: Page) -> None:
    with_region(page)
    page.measure.choice.value = 0


def with_line(page: Page) -> None:
    ra, dec = center(page)
    page.explorer.state.line = (ra, dec, ra, dec + 0.05)


def of_known_cluster(page: Page) -> None:
    of_cosmos(page)
    page.explorer.state.cluster = "COSMOS X-ray cluster 145"


def center(page: Page) -> tuple[float, float]:
    """RA and Dec of the middle of the field."""
    grid = page.explorer.store.field.grid
    return tuple(float(v) for v in grid.pixel_to_sky(*grid.plane_to_pixel(0.0, 0.0)))


def choose_second(page: Page, widget: Any) -> None:
    widget.value = list(widget.options.values())[1]


def go_there(page: Page, widget: Any) -> None:
    widget.value = "{:.5f} {:+.5f}".format(*center(page))


def draw_curtain(page: Page, widget: Any) -> None:
    widget.at = 0.3


def drag_bar(page: Page, widget: Any) -> None:
    widget._process_event(DataEvent(model=None, data={"map": "ks", "low": -0.03, "high": 0.2}))


def type_region(page: Page, widget: Any) -> None:
    page.measure.typed.value = "{:.5f} {:+.5f} 3".format(*center(page))
    press(page, "Add")


def paste(page: Page, widget: Any) -> None:
    (area,) = (w for key, w in widgets(page) if key[1] == "RA, Dec and a name, one a line")
    area.value = "{:.5f} {:+.5f} mine".format(*center(page))
    press(page, "Show these")


def load_regions(page: Page, widget: Any) -> None:
    lines = "fk5\ncircle({:.5f},{:+.5f},3')\n".format(*center(page))
    widget._process_event(DataEvent(model=None, data=lines))


def press(page: Page, label: str) -> None:
    (button,) = (w for key, w in widgets(page) if key == ("Button", label))
    button.param.trigger("clicks")


def load(page: Page, widget: Any) -> None:
    widget._process_event(DataEvent(model=None, data=SESSION))


def key(page: Page, widget: Any) -> None:
    widget.param.update(key="?", presses=widget.presses + 1)


def in_lesson(page: Page, step: int = 2) -> None:
    page.explorer.state.param.update(lesson="where_is_the_mass", step=step)


def in_number(page: Page) -> None:
    in_lesson(page, 8)


def predicted(page: Page) -> None:
    in_lesson(page)
    page.explorer.course.predict(0)


SESSION = '{"version": 1, "massgan": "0.1.0", "choices": {"seed": 12}}'

TABLE: dict[tuple[str, str], Row] = {
    ("Button", "Dark"): Row("layout"),
    ("Button", "Projector"): Row("layout"),
    # A lesson.
    ("Button", "Lesson"): Row("choice"),
    ("RadioBoxGroup", "Your prediction"): Row("lesson", 1, in_lesson),
    ("FloatInput", "Your prediction"): Row("lesson", 12.0, in_number),
    ("Button", "Show what happens"): Row("lesson", ready=predicted),
    ("Button", "Back"): Row("choice", ready=in_lesson),
    ("Button", "Next"): Row("choice", ready=in_lesson),
    ("Button", "Reset step"): Row("lesson", ready=predicted),
    ("Button", "Leave lesson"): Row("choice", ready=in_lesson),
    # Which field.
    ("Segments", "Field"): Row("field", "cosmos"),
    ("Select", "Part of the field"): Row("field", None, of_cosmos, choose_second),
    ("FloatSlider", "… or any depth [per arcmin²]"): Row("field", 1.0),
    ("Tick", "Draw anew when the slider moves"): Row("choice", False),
    ("Select", "Sky"): Row("field", "gaussian"),
    ("Select", "Galaxies per arcmin²"): Row("field", 10.0),
    ("Select", "Outline"): Row("field", "stars"),
    ("IntInput", "Sky number"): Row("field", 7),
    ("Button", "Back to the whole field"): Row("field", ready=in_part),
    ("Button", "Take the last one back"): Row("field", ready=with_hole),
    ("Button", "Close all holes"): Row("field", ready=with_hole),
    # A file of one's own.
    ("Dropper", ""): Row("upload", act=part_of_file),
    **{
        ("Select", label): Row("asked", column, dropped)
        for label, column in zip(("RA [°]", "Dec [°]", "e1", "e2", "Weight"), COLUMNS, strict=True)
    },
    ("Select", "Redshift"): Row("asked", "w", dropped),
    ("Select", "Ellipticities are"): Row("asked", True, dropped),
    ("TextInput", "Centre: RA, Dec [°]"): Row("asked", "150, 2", dropped),
    ("FloatInput", "Pixel [′]"): Row("asked", 0.5, dropped),
    ("TextInput", "Size [′]"): Row("asked", "30", dropped),
    ("Tick", "Turn sign of e1"): Row("asked", True, dropped),
    ("Tick", "Turn sign of e2"): Row("asked", True, dropped),
    ("Button", "Open it"): Row("field", ready=tried),
    # Who draws, and how many.
    ("Select", "Sampler"): Row("sampler", "score:score"),
    ("Select", "Beside it"): Row("choice", "score:score"),
    ("IntInput", "Samples"): Row("choice", 8),
    ("IntInput", "Seed"): Row("choice", 9),
    ("Select", "At a time"): Row("choice", 4),
    ("Button", "Start"): Row("samples"),
    ("Button", "Pause"): Row("run", ready=running),
    ("Button", "Stop"): Row("run", ready=running),
    # What the picture is.
    ("Boxes", "Maps"): Row("layout", ["truth", "mean", "snr"]),
    ("Select", "Colours"): Row("colors", "fire"),
    ("FloatSlider", "Colour limit ±κ"): Row("limits", 0.2),
    ("FloatSlider", "Blur of Kaiser–Squires and chance [′]"): Row("maps", 2.0),
    ("FloatSlider", "Blur of sample, mean, uncertainty [′]"): Row("maps", 2.0),
    ("FloatSlider", "Chance of κ above"): Row("chance", 0.02, with_chance),
    ("Tick", "Same limits on all κ maps"): Row("limits", False),
    ("Tick", "X-ray clusters"): Row("circles", False),
    ("Segments", "What the map shows"): Row("layer", "shear", of_cosmos),
    ("Player", "Samples one after the other"): Row("maps", 1),
    # More of it.
    ("Button", "More tools"): Row("tools"),
    ("Select", "Colour limits"): Row("limits", "95"),
    ("FloatInput", "Low κ"): Row("limits", -0.05, typed),
    ("FloatInput", "High κ"): Row("limits", 0.05, typed),
    ("Select", "Stretch"): Row("colors", "asinh"),
    ("Select", "Contours on all maps"): Row("overlays", "mean"),
    ("Tick", "Lines of RA and Dec"): Row("overlays", True),
    ("Tick", "Scale bar"): Row("overlays", True),
    ("Tick", "Hatch what was not observed"): Row("overlays", True),
    ("TextInput", "Go to"): Row("view", act=go_there),
    ("ColorBars", ""): Row("limits", act=drag_bar),
    ("Button", "Undo"): Row("choice", ready=another_seed),
    ("Button", "Redo"): Row("choice", ready=undone),
    ("Button", "Reset view"): Row("view", ready=moved),
    ("Button", "Reset choices"): Row("choice", ready=another_seed),
    # Maps A and B.
    ("Segments", "Compare two maps"): Row("layout", "off"),
    ("Curtain", ""): Row("choice", act=draw_curtain),
    ("Select", "Map A"): Row("choice", "truth"),
    ("Select", "Map B"): Row("choice", "sample"),
    ("Button", "Hold still"): Row("curtain", ready=blinking),
    ("Button", "Show the other"): Row("curtain", ready=blinking),
    # Regions.
    ("Segments", "A drag on a map draws"): Row("choice", "box"),
    ("Select", "Chosen region"): Row("shapes", 0, with_region),
    ("Button", "Delete"): Row("choice", ready=with_chosen_region),
    ("Button", "Clear all"): Row("choice", ready=with_region),
    ("TextAreaInput", "Type a region"): Row("choice", act=type_region),
    ("Button", "Add"): Row("choice", act=type_region),
    ("Inbox", "Import DS9"): Row("choice", act=load_regions),
    ("Button", "Export DS9"): Row("files", ready=with_region),
    ("FloatInput", "Redshift of the lens"): Row("choice", 0.6),
    ("Button", "Delete line"): Row("choice", ready=with_line),
    # Clusters.
    ("Select", "List"): Row("choice", "george2011"),
    ("RangeSlider", "Redshift"): Row("choice", (0.1, 0.9)),
    ("RangeSlider", "M500 [10¹³ M☉]"): Row("choice", (2.0, 9.0)),
    ("Tick", "Circles of r500"): Row("circles", False),
    ("Tick", "Names"): Row("choice", True),
    ("TextAreaInput", "RA, Dec and a name, one a line"): Row("own", act=paste),
    ("Button", "Show these"): Row("own", act=paste),
    ("Dropper", "Or a file: CSV, FITS, VOTable, up to 1 MB"): Row("upload", act=part_of_file),
    ("Tick", "Diamonds on the maps"): Row("choice", True),
    ("FloatSlider", "κ of a peak at least"): Row("choice", 0.05),
    ("FloatSlider", "Within [′]"): Row("choice", 2.0),
    ("Button", "Whole field on the maps"): Row("view", ready=moved),
    ("Button", "Study 20′ round it"): Row("choice", ready=of_known_cluster),
    ("Select", "X-ray cluster"): Row("cluster", "one", of_cosmos),
    ("Button", "Sample with most"): Row("played", ready=of_cluster),
    ("Button", "with least"): Row("played", ready=of_cluster),
    # Take it away.
    **{
        ("Button", label): Row("files")
        for label in ("FITS", "NetCDF", "Zarr", "PNG", "SVG", "Save session")
    },
    ("Button", "DS9 regions"): Row("files", ready=of_cosmos),
    ("Inbox", "Load session"): Row("choice", act=load),
    # Checks and keys.
    **{("Button", f"Hide {part}"): Row("layout") for part in ("checks", "tables", "measures")},
    ("Keys", ""): Row("layout", act=key),
}
#: Widgets that work in the browser alone: a journey presses them.
BROWSER = {("Button", "Copy link")}
#: Shown only with files given at the start, or not for people.
APART = {("Select", "File"), ("Outbox", ""), UNSEEN}


def effects(page: Page) -> dict[str, Any]:
    """What can be seen to change, by name."""
    explorer, maps = page.explorer, page.maps
    state = explorer.state
    made = dict(maps.maps)
    return {
        "choice": state.changed(),
        "lesson": (explorer.course.prediction, explorer.course.revealed),
        "field": (explorer.store.choice, id(explorer.store.field)),
        "sampler": explorer.about,
        "run": (explorer.phase, explorer.runner.total),
        "samples": id(explorer.runner.summary),
        "layout": (
            [card.visible for card in maps.cards.values()],
            page.layout.css_classes,
            page.help.visible,
            [section.layout.objects and _seen(section.layout) for section in page.sections],
        ),
        "colors": {name: m.mapper.palette for name, m in made.items()},
        "limits": {name: m.limits for name, m in made.items()},
        "maps": {name: [a.tobytes() for a in m.source.data["image"]] for name, m in made.items()},
        "chance": explorer.chance,
        "circles": {name: m.circles.visible for name, m in made.items()},
        "cluster": (state.cluster, list(maps.sky.clusters.selected.indices)),
        "played": maps.player.value,
        "layer": [a.tobytes() for a in maps.galaxies.source.data["image"]],
        "files": len(page.left),
        "upload": list(page.received),
        "view": (maps.sky.x_range.start, maps.sky.x_range.end),
        "overlays": {
            name: {k: list(v) for k, v in source.data.items()}
            for name, source in vars(maps.sky.overlays).items()
            if hasattr(source, "data")
        },
        "curtain": (page.compare.curtain.turns, page.compare.curtain.flips),
        "shapes": list(maps.sky.shapes.regions.selected.indices),
        "own": explorer.census.own,
        "tools": page.sidebar.tools.fold.visible,
        "asked": list(page.asked),
    }


def _seen(layout: pn.viewable.Viewable) -> list[bool]:
    return [part.visible for part in layout.select()]


def widgets(page: Page) -> Iterator[tuple[tuple[str, str], Any]]:
    """Every widget of the page with its kind and label."""
    kinds = (pn.widgets.Widget, JSComponent)
    for widget in page.layout.select(lambda part: isinstance(part, kinds)):
        if isinstance(widget, Arrival):  # nobody sees or uses it
            continue
        label = getattr(widget, "label", "")
        yield (type(widget).__name__, label), widget


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, small_field: Any) -> Page:
    """A page of a small field, with what leaves it written down."""
    numbers = np.array([[1.0], [150.1], [2.2], [2.0], [0.3], [5.0]])
    table = mg.Clusters(*numbers, name=np.array(["one"]))
    zero = np.zeros(1)
    circles = store.Circles(
        zero, zero, table.r500, table.name, table.redshift, table.m500, rows=table
    )
    monkeypatch.setattr(store, "read", lambda choice: replace(small_field))
    monkeypatch.setattr(store, "circles", lambda field: circles)
    page = Page(Explorer(**CHOICES))
    page.left, page.received, page.asked = [], [], []
    monkeypatch.setattr(Outbox, "_send_msg", lambda self, data: page.left.append(data))
    uploads = page.explorer.uploads
    monkeypatch.setattr(uploads, "choose", lambda **choices: page.asked.append(choices))
    return page


OPEN = {"tables": True, "measure": True, "checks": True, "compare": "swipe"}


async def settle(page: Page) -> None:
    explorer = page.explorer
    while explorer._tasks or explorer.runner.phase == "running":
        await asyncio.gather(*explorer._tasks, return_exceptions=True)
        await asyncio.sleep(0)


async def open_all(page: Page) -> None:
    """Have all parts made: what is open, and what samples say of a cluster."""
    explorer = page.explorer
    explorer.state.param.update(OPEN)
    await explorer.open()
    of_cosmos(page)
    explorer.state.cluster = "one"
    await settle(page)
    explorer.start()
    await settle(page)
    explorer.race.reset()


def test_every_widget_has_a_row_and_every_row_a_widget(page: Page) -> None:
    asyncio.run(open_all(page))
    found = {key for key, _ in widgets(page)}
    assert found - {*TABLE} - BROWSER - APART == set()
    assert {*TABLE} - found == {("Keys", "")}  # a notebook has keys of its own


@pytest.mark.slow  # 50 s
def test_every_widget_does_what_its_row_says(page: Page) -> None:
    explorer = page.explorer
    explorer.state.param.update(OPEN)
    defaults = {name: getattr(explorer.state, name) for name in explorer.state.names()}

    async def begin() -> None:
        """The page as it was at first, with its four samples."""
        explorer.stop()
        explorer.state.param.update(**defaults, upload=None)
        await settle(page)
        if explorer.runner.phase != "finished" or explorer.runner.n != 4:
            explorer.start()
        await settle(page)

    done, wrong = [], []

    async def walk() -> None:
        await open_all(page)
        explorer.history.begin()
        for key, widget in list(widgets(page)):
            if key not in TABLE:
                continue
            row = TABLE[key]
            await begin()
            if row.ready is not None:
                row.ready(page)
                if row.ready is not running:
                    await settle(page)
            before = effects(page)
            row(page, widget)
            explorer.stop()
            await settle(page)
            if effects(page)[row.effect] == before[row.effect]:
                wrong.append(f"{key} has no effect on {row.effect}")
            if explorer.alert:
                wrong.append(f"{key} led to: {explorer.alert}")
                explorer.alert = ""
            done.append(key)

    asyncio.run(walk())
    assert not wrong, "\n".join(wrong)
    assert {*done} == {*TABLE} - {("Keys", "")}
