"""The card from which files are taken away: maps, pictures, regions, the session, a link."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import panel as pn

from explorer import files, printing, session
from explorer.files import Run
from explorer.views.titles import SIGNED, TITLES, UNITS
from explorer.widgets.calm import sheet
from explorer.widgets.files import COPY_LINK, Inbox, Outbox
from explorer.widgets.texts import heading, text

if TYPE_CHECKING:
    from explorer.viewer import Explorer
    from explorer.views.maps import Maps

TITLE, SENTENCE = "Take it away", "Files of what is shown; each says what made it."
DPI = f"{printing.DPI} dpi"
WAITING = "after the first sample"
NO_CIRCLES = "none here"
#: Button → what makes its bytes from a Run, the file's ending, its MIME type.
MAPS = {
    "FITS": (files.fits, "fits", "application/fits"),
    "NetCDF": (files.netcdf, "nc", "application/x-netcdf"),
    "Zarr": (files.zarr, "zarr.zip", "application/zip"),
}
PRINTS = {"PNG": ("png", "image/png"), "SVG": ("svg", "image/svg+xml")}


class TakeAway:
    """Buttons that make a file in a thread and hand it to the browser.

    Args:
        explorer: Whose run, field and choices they are.
        maps: What is shown of them.
        deliver: Runs a call where it may change the page.
    """

    def __init__(
        self, explorer: Explorer, maps: Maps, deliver: Callable[[Callable[[], None]], None]
    ) -> None:
        self.explorer, self.maps, self._deliver = explorer, maps, deliver
        self._busy, self._done = "", ""
        self.outbox = Outbox()
        self.inbox = Inbox(label="Load session", longest=session.LONGEST, **_BUTTON)
        self.inbox.on_msg(self._on_session)
        self.buttons = {
            name: pn.widgets.Button(label=name, **_WIDE)
            for name in (*MAPS, *PRINTS, "DS9 regions", "Save session", "Copy link")
        }
        for name in MAPS:
            self.buttons[name].on_click(partial(self._on_maps, name))
        for name in PRINTS:
            self.buttons[name].on_click(partial(self._on_print, name))
        self.buttons["DS9 regions"].on_click(self._on_regions)
        self.buttons["Save session"].on_click(self._on_save)
        link = self.buttons["Copy link"]
        link.js_on_click({"button": link}, COPY_LINK)
        # The address of a notebook says nothing of the choices.
        link.visible = pn.state.curdoc is not None
        self._samples, self._prints, self._circles = text(""), text(""), text("")
        self._words = text("", visible=False)
        self.layout = self._layout()
        self.update()

    def update(self) -> None:
        """Which files there can be now, and why not others."""
        drawn, circles = self.explorer.runner.summary is not None, self.explorer.store.circles
        for name in (*MAPS, *PRINTS):
            self.buttons[name].disabled = bool(self._busy) or not drawn
        self.buttons["DS9 regions"].disabled = circles is None
        self._samples.object = _label("Maps and samples", "" if drawn else WAITING)
        self._prints.object = _label("Picture for print", DPI if drawn else WAITING)
        self._circles.object = _label("X-ray circles", NO_CIRCLES if circles is None else "")
        words = f"Writing {self._busy} …" if self._busy else self._done
        self._words.param.update(
            object=f'<p class="quiet">{escape(words)}</p>', visible=bool(words)
        )

    def _on_maps(self, name: str, _: object) -> None:
        explorer, state = self.explorer, self.explorer.state
        summary = explorer.runner.summary
        if summary is not None:
            chosen = state.smoothing, state.threshold, state.blur
            run = Run(summary, explorer.drawn_by, *chosen)
            make, ending, kind = MAPS[name]
            self._make(name, lambda: make(run), f"{run.name}.{ending}", kind)

    def _on_print(self, name: str, _: object) -> None:
        explorer, summary = self.explorer, self.maps.summary
        if summary is not None:
            # Read now: what is shown may change while the page is drawn.
            panels = self._panels()
            clusters = explorer.store.circles if explorer.state.clusters else None
            run = Run(summary, explorer.drawn_by, explorer.state.smoothing, 0.0)
            ending, kind = PRINTS[name]
            work = partial(printing.picture, ending, panels, summary, clusters)
            self._make(name, work, f"{run.name}.{ending}", kind)

    def _panels(self) -> list[printing.Panel]:
        """The maps that are shown, in the colours of the light page and in its order."""
        shown = self.maps.shown()
        panels = []
        for name in TITLES:
            if name in shown:
                image, limits, small = shown[name]
                signed = name in SIGNED
                shades = self.maps.colors(name, "light")
                words = TITLES[name][0], small, UNITS.get(name, "κ")
                panels.append(printing.Panel(image, limits, *words, shades, signed))
        return panels

    def _on_regions(self, _: object) -> None:
        store, chosen = self.explorer.store, self.explorer.state.cluster
        if store.circles is not None:
            name = f"{files.file_name(store.field.name)}-clusters.reg"
            self._hand(name, "text/plain", files.regions(store.circles, chosen))

    def _on_save(self, _: object) -> None:
        said = session.dump(self.explorer.state).encode()
        self._hand("massgan-session.json", "application/json", said)

    def _on_session(self, event: object) -> None:
        """Take the choices of a file that someone chose."""
        explorer, text = self.explorer, event.data
        try:
            choices = session.read(text if isinstance(text, str) else None)
        except ValueError as error:
            explorer.alert = str(error)
        else:
            explorer.restore(partial(session.restore, explorer.state, choices))
        self._done = explorer.alert or "The session is taken."
        self.update()

    def _make(self, what: str, work: Callable[[], bytes], name: str, kind: str) -> None:
        if self._busy:
            return
        self._busy, self._done, self.explorer.alert = what, "", ""
        self.update()

        def then(data: bytes | None) -> None:
            self._busy = ""
            # The alert is far up the page.
            self._done = self.explorer.alert if data is None else ""
            self._deliver(self.update if data is None else partial(self._hand, name, kind, data))

        self.explorer.aside(work, then)

    def _hand(self, name: str, kind: str, data: bytes) -> None:
        self._done = f"{name} – {_size(len(data))}"
        self.outbox.hand(name, data, kind)
        self.update()

    def _layout(self) -> pn.Column:
        buttons = self.buttons
        return _column(
            text(heading(TITLE, SENTENCE)),
            self._samples,
            _column(*(buttons[name] for name in MAPS), kind="mg-thirds"),
            self._prints,
            _column(*(buttons[name] for name in PRINTS), kind="mg-pair"),
            _column(
                _column(self._circles, buttons["DS9 regions"], kind="mg-stack"),
                _column(text(_label("This view", "")), buttons["Copy link"], kind="mg-stack"),
                kind="mg-pair",
            ),
            text(_label("These choices", "JSON")),
            _column(buttons["Save session"], self.inbox, kind="mg-pair"),
            self._words,
            self.outbox,
            kind="mg-card mg-guide",
        )


def _label(words: str, small: str) -> str:
    return f'<div class="label">{escape(words)}<small>{escape(small)}</small></div>'


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}
# As Panel's own buttons look in the page's colours.
_FILLED = ".bk-btn { background: var(--mg-well); border-color: var(--mg-well); }"
_BUTTON = {**_WIDE, "stylesheets": [sheet("calm"), _FILLED]}


def _column(*parts: object, kind: str) -> pn.Column:
    return pn.Column(*parts, css_classes=kind.split(), stylesheets=[sheet("page")], **_WIDE)
