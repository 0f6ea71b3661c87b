"""A file of one's own: drop it, say what its columns are, read what will be done, open it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import panel as pn

from explorer.uploads import choices
from explorer.uploads.limits import MB
from explorer.widgets.calm import sheet
from explorer.widgets.dropper import Dropper
from explorer.widgets.texts import alert, text
from explorer.widgets.tick import Tick

if TYPE_CHECKING:
    import param

    from explorer.uploads.uploads import Plan, Preview, Uploads

LABELS = {
    "ra": "RA [°]",
    "dec": "Dec [°]",
    "e1": "e1",
    "e2": "e2",
    "weight": "Weight",
    "z": "Redshift",
}
NONE = {"needed": "choose …", "weight": "all alike", "z": "not known"}
SHAPES = {"Shear (a − b)/(a + b)": False, "Distortion (a² − b²)/(a² + b²)": True}


class Upload:
    """Widgets of the session's uploads; nothing is decided here."""

    def __init__(self, uploads: Uploads) -> None:
        self.uploads, self._setting = uploads, False
        widgets = pn.widgets
        largest = f"{uploads.limits.file // MB}MB"  # the server counts, whatever a browser says
        self.dropper = Dropper(
            uploads.receive, uploads.forget, label="", max_file_size=largest, **_WIDE
        )
        self.words = text("")
        self.preview = text("")
        self.columns = {
            key: widgets.Select(label=label, options={}, **_WIDE) for key, label in LABELS.items()
        }
        self.mapping = _grid(*self.columns.values())
        self.shapes = widgets.Select(label="Ellipticities are", options=SHAPES, **_WIDE)
        self.pixel = widgets.FloatInput(
            label="Pixel [′]", value=None, start=0.01, step=0.01, placeholder="0.29", **_WIDE
        )
        self.center = widgets.TextInput(
            label="Centre: RA, Dec [°]", placeholder="its middle", **_WIDE
        )
        self.size = widgets.TextInput(label="Size [′]", placeholder="all of it", **_WIDE)
        self.flip_e1 = Tick(label="Turn sign of e1", **_WIDE)
        self.flip_e2 = Tick(label="Turn sign of e2", **_WIDE)
        place = _grid(self.pixel, self.size, self.flip_e1, self.flip_e2)
        self.options = _stack(self.preview, self.mapping, self.shapes, self.center, place)
        self.plan = text("")
        self.open = widgets.Button(label="Open it", color="primary", **_WIDE)
        self.layout = _stack(self.dropper, self.words, self.options, self.plan, self.open)
        self.open.on_click(lambda _: uploads.open())
        for widget in self._choices():
            widget.param.watch(self._on_choice, "value")
        self.update()
        self.update_preview()

    def watch(self, soon: Callable[[Callable[[], None]], Callable]) -> param.parameterized.Watcher:
        """Follow the uploads; `soon` says when the page may change."""
        update, update_preview = soon(self.update), soon(self.update_preview)

        def follow(*events: param.parameterized.Event) -> None:
            if any(event.name == "preview" for event in events):
                update_preview()
            update()

        names = ["busy", "problem", "preview", "plan", "opened"]
        return self.uploads.param.watch(follow, names)

    def update(self) -> None:
        """Say what is going on, what is wrong, and what will be done."""
        uploads = self.uploads
        plan, opened = uploads.plan, uploads.opened
        done = plan is not None and plan is opened
        words = alert(uploads.problem) if uploads.problem else ""
        if uploads.busy:
            words = f'<p class="quiet" role="status">{escape(uploads.busy)}</p>'
        elif plan is not None:
            words = plan_words(plan)
        self.plan.param.update(object=words, visible=bool(words))
        self.open.param.update(
            disabled=plan is None or done,
            label="Opened" if done else "Open it",
            visible=uploads.preview is not None,
        )

    def update_preview(self) -> None:
        """Show what the file holds and set the choices to the best guess."""
        preview = self.uploads.preview
        catalogue = preview is not None and preview.kind == "catalogue"
        self.words.param.update(object=_invitation(self.uploads.limits), visible=preview is None)
        self.options.visible = preview is not None
        for part in (self.mapping, self.shapes, self.pixel):
            part.visible = catalogue
        if preview is None:
            return
        self.preview.object = preview_words(preview)
        self._setting = True
        try:
            for widget in (self.center, self.size):
                widget.value = ""
            for widget in (self.flip_e1, self.flip_e2, self.shapes):
                widget.value = False
            self.pixel.value = None
            if catalogue:
                self._offer(choices.names(preview.table), preview.guess)
        finally:
            self._setting = False

    def chosen(self) -> dict[str, Any]:
        """The choices, as :func:`explorer.uploads.choices.call` takes them."""
        preview = self.uploads.preview
        catalogue = preview is not None and preview.kind == "catalogue"
        columns = {key: widget.value or "" for key, widget in self.columns.items()}
        return {
            "columns": columns if catalogue else None,
            "pixel_scale": self.pixel.value,
            "center": self.center.value,
            "size": self.size.value,
            "flip_e1": self.flip_e1.value,
            "flip_e2": self.flip_e2.value,
            "distortion": self.shapes.value,
        }

    def _choices(self) -> list[pn.widgets.Widget]:
        more = (self.shapes, self.pixel, self.center, self.size, self.flip_e1, self.flip_e2)
        return [*self.columns.values(), *more]

    def _offer(self, names: list[str], guess: dict[str, str]) -> None:
        for key, widget in self.columns.items():
            none = NONE.get(key, NONE["needed"])
            widget.param.update(
                options={none: "", **{name: name for name in names}}, value=guess[key]
            )

    def _on_choice(self, _: object) -> None:
        if not self._setting:
            self.uploads.choose(**self.chosen())


def plan_words(plan: Plan) -> str:
    """What opening will do, and what to know before."""
    notes = "".join(f"<li>{escape(_sentence(note))}</li>" for note in plan.notes)
    orientation = _sentence(f"orientation, by {plan.orientation}")
    check = f'<p class="quiet">{escape(orientation)}</p>'
    if plan.suspicious:
        check = alert(orientation)
    return (
        f'<div class="plan" id="massgan-plan"><strong>{escape(plan.does)}</strong>'
        f'<ul class="quiet">{notes}</ul>{check}</div>'
    )


def preview_words(preview: Preview) -> str:
    """The size of a file, and of a catalogue each column with its range and first values."""
    if preview.table is None:
        size = " × ".join(str(side) for side in reversed(preview.shape))
        return f'<p class="quiet">A shear field of {size} pixels.</p>' if size else ""
    table, columns = preview.table, preview.table["columns"]
    first = table["first"]
    head = ("Column", "from", "to", *(f"row {i}" for i in range(1, len(first) + 1)))
    rows = [
        [column["name"], _figure(column["low"]), _figure(column["high"]), *values]
        for column, *values in zip(columns, *first, strict=True)
    ]
    body = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(map(_cell, cells))}</tr>" for name, *cells in rows
    )
    return (
        f'<p class="quiet">{table["rows"]:,} rows, {len(columns)} columns</p>'
        '<div class="peek" tabindex="0" role="region" aria-label="Columns of the file"><table>'
        f"<thead><tr>{''.join(f'<th>{word}</th>' for word in head)}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _invitation(limits: Any) -> str:
    return (
        '<p class="quiet">A shear field (FITS) or a catalogue of galaxies (FITS, CSV, Parquet), '
        f"up to {limits.file / MB:g} MB. Nobody else sees it; it is removed when you leave.</p>"
    )


def _sentence(words: str) -> str:
    words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "?")) else f"{words}."


def _figure(value: float | None) -> str:
    return "…" if value is None else f"{value:.6g}".replace("-", "−")


def _cell(words: str) -> str:
    return f"<td>{escape(words)}</td>"


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


def _stack(*parts: object) -> pn.Column:
    return pn.Column(*parts, css_classes=["mg-stack"], stylesheets=[sheet("page")], **_WIDE)


def _grid(*parts: object) -> pn.Column:
    return pn.Column(*parts, css_classes=["mg-pair"], stylesheets=[sheet("page")], **_WIDE)
