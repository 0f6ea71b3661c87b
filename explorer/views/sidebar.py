"""The three steps at the left: which field, who draws, how many samples."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import panel as pn

from explorer.beside import rival
from explorer.state import BATCHES
from explorer.views.field_tools import Depth, Regions
from explorer.views.titles import TITLES, called
from explorer.views.tools import Tools
from explorer.views.upload import Upload
from explorer.widgets.calm import sheet
from explorer.widgets.named import Boxes, Segments
from explorer.widgets.slider import slider
from explorer.widgets.texts import step, text
from explorer.widgets.tick import Tick

if TYPE_CHECKING:
    from explorer.viewer import Explorer

KINDS = {
    "Lognormal web": "lognormal",
    "N-body light cone": "nbody",
    "κTNG, with gas and galaxies": "ktng",
    "Gaussian field": "gaussian",
    "One halo": "nfw",
}
KIND_WORDS = {
    "lognormal": "A web of mass with peaks and voids, like the real one.",
    "nbody": "Particles fell together under gravity. Few maps: to look at, not for tests.",
    "ktng": "One map of a simulation with gas and stars too. To look at, not for tests.",
    "gaussian": "As much structure as the real sky, but without its peaks.",
    "nfw": "One cluster of galaxies, up and to the right of the centre. Good for learning.",
}
COSMOS_DEPTH = 0.0  # a Select cannot hold None, the State's word for the real noise
DEPTHS = {
    "Real COSMOS noise": COSMOS_DEPTH,
    "6 per arcmin² – KiDS": 6.0,
    "10 per arcmin² – from the ground": 10.0,
    "27 per arcmin² – LSST": 27.0,
    "30 per arcmin² – Euclid": 30.0,
    "100 per arcmin² – beyond COSMOS": 100.0,
}
OUTLINES = {"COSMOS": "cosmos", "Star holes": "stars", "Square": "none"}
PICTURES = {title: name for name, (title, _) in TITLES.items()}
COLORS = {"Diverging": "diverging", "Fire": "fire", "Cividis": "cividis"}


class Sidebar:
    """Widgets bound to the State; nothing is decided here."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer, self.state = explorer, explorer.state
        self.start = pn.widgets.Button(label="Start", color="primary", **_WIDE)
        self.pause = pn.widgets.Button(label="Pause", **_WIDE)
        self.stop = pn.widgets.Button(label="Stop", **_WIDE)
        self.upload = Upload(explorer.uploads)
        self.any_depth, self.regions = Depth(explorer), Regions(self.state)
        self.tools = Tools(explorer)
        self.whole = pn.widgets.Button(label="Back to the whole field", **_WIDE)
        self.pictures = Boxes(label="Maps", **_WIDE)
        self.field_words = text("")
        self.kind_words = text("")
        self.sampler_words = text("")
        self.layout = pn.Column(
            self._field_step(),
            self._sampler_step(),
            self._sample_step(),
            self._picture(),
            css_classes=["mg-sidebar"],
            stylesheets=[sheet("page")],
            sizing_mode="stretch_width",
            margin=0,
        )
        self.start.on_click(self._on_start)
        self.pause.on_click(self._on_pause)
        self.stop.on_click(lambda _: explorer.stop())
        self.whole.on_click(lambda _: self.state.param.update(region=None))
        self.depth.param.watch(self._on_depth, "value")
        self.pictures.param.watch(self._on_pictures, "value")
        self.state.param.watch(self._offer_pictures, ["source", "sampler", "pictures"])
        self._offer_pictures()
        self.beside.param.watch(self._on_beside, "value")
        self.state.param.watch(self._offer_beside, ["sampler", "beside"])
        self._offer_beside()
        names = ["source", "region", "kind", "depth", "file"]
        self.state.param.watch(self._update_choices, names)
        self._update_choices()

    def update(self, phase: str) -> None:
        """Which buttons do something in `phase`."""
        active = phase in ("running", "paused")
        self.start.param.update(
            disabled=active or phase in ("empty", "opening"),
            label="Start again" if phase in ("finished", "stopped", "failed") else "Start",
        )
        self.pause.param.update(
            disabled=not active, label="Go on" if phase == "paused" else "Pause"
        )
        self.stop.disabled = not active

    def describe(self, sampler: str, field: str) -> None:
        """Say what the field is and what the sampler was made for."""
        self.sampler_words.object = f'<p class="quiet">{escape(sampler)}</p>'
        hint = ""
        if field and self.state.source == "cosmos" and self.state.region is None:
            hint = "<br>Drag a box on the galaxy map to study a part."
        self.field_words.object = f'<p class="quiet">{escape(field)}{hint}</p>'

    def _on_start(self, _: object) -> None:
        self.explorer.start()

    def _on_pause(self, _: object) -> None:
        self.explorer.pause()

    def _on_depth(self, event: object) -> None:
        self.state.depth = None if event.new == COSMOS_DEPTH else event.new

    def _offer_pictures(self, *_: object) -> None:
        """Only the maps that can be: a real sky has no truth, the Wiener filter no calibration."""
        hidden = self.state.hidden()
        options = {title: name for title, name in PICTURES.items() if name not in hidden}
        value = [name for name in options.values() if name in self.state.pictures]
        self.pictures.param.update(options=options, value=value)

    def _on_pictures(self, event: object) -> None:
        # What is not offered now keeps its mark for when it is.
        kept = [name for name in self.state.pictures if name in self.state.hidden()]
        chosen = {*event.new, *kept}
        if chosen != set(self.state.pictures):
            self.state.pictures = [name for name in PICTURES.values() if name in chosen]

    def _update_choices(self, *_: object) -> None:
        depth = self.state.depth or COSMOS_DEPTH
        known = depth in DEPTHS.values()
        options = DEPTHS if known else {**DEPTHS, f"{depth:g} per arcmin²": depth}
        self.depth.param.update(options=options, value=depth)
        self.kind_words.object = f'<p class="quiet">{escape(KIND_WORDS[self.state.kind])}</p>'
        self.simulated.visible = self.state.source == "simulated"
        self.whole.visible = self.state.source == "cosmos" and self.state.region is not None
        self.file.visible = self.state.source == "file" and len(self.file.options) > 1
        self.upload.layout.visible = self.state.source == "file" and self.state.file is None

    def _field_step(self) -> pn.Column:
        state, widgets = self.state, pn.widgets
        sources = {"COSMOS": "cosmos", "Simulated": "simulated", "My file": "file"}
        sources = {k: name for k, name in sources.items() if name in state.param.source.objects}
        files = [name for name in state.param.file.objects if name is not None]
        source = Segments.from_param(
            state.param.source,
            options=sources,
            label="Field",
            **_WIDE,
        )
        names = {name.rsplit("/", 1)[-1]: name for name in files}
        names |= {"Another file …": None} if None in state.param.file.objects else {}
        self.file = widgets.Select.from_param(
            state.param.file, label="File", options=names, **_WIDE
        )
        self.depth = widgets.Select(
            label="Galaxies per arcmin²", description=state.param.depth.doc, **_WIDE
        )
        self.simulated = _column(
            widgets.Select.from_param(state.param.kind, label="Sky", options=KINDS, **_WIDE),
            self.kind_words,
            self.depth,
            self.any_depth.layout,
            _pair(
                widgets.Select.from_param(
                    state.param.outline, label="Outline", options=OUTLINES, **_WIDE
                ),
                widgets.IntInput.from_param(state.param.sky_seed, label="Sky number", **_WIDE),
            ),
        )
        return _card(
            step(1, "Field"),
            source,
            self.regions.choice,
            self.simulated,
            self.file,
            *([self.upload.layout] if self.explorer.takes_files else []),
            self.field_words,
            self.whole,
        )

    def _sampler_step(self) -> pn.Column:
        names = {called(name): name for name in self.state.param.sampler.objects}
        choice = pn.widgets.Select.from_param(
            self.state.param.sampler,
            label="Sampler",
            options=names,
            css_classes=["mg-unlabelled"],  # the heading above it says so
            **_WIDE,
        )
        self.beside = pn.widgets.Select(
            label="Beside it", description=self.state.param.beside.doc, **_WIDE
        )
        return _card(step(2, "Sampler"), choice, self.sampler_words, self.beside)

    def _on_beside(self, event: object) -> None:
        self.state.beside = event.new

    def _offer_beside(self, *_: object) -> None:
        """Any other sampler."""
        others = [name for name in self.state.param.sampler.objects if name != self.state.sampler]
        options = {"None": "", **{called(name): name for name in others}}
        self.beside.param.update(options=options, value=rival(self.state))

    def _sample_step(self) -> pn.Column:
        state, widgets = self.state, pn.widgets
        return _card(
            step(3, "Sample"),
            _triple(
                widgets.IntInput.from_param(state.param.n, label="Samples", **_WIDE),
                widgets.IntInput.from_param(state.param.seed, label="Seed", **_WIDE),
                widgets.Select.from_param(
                    state.param.batch, label="At a time", options=list(BATCHES), **_WIDE
                ),
            ),
            self.start,
            _pair(self.pause, self.stop),
        )

    def _picture(self) -> pn.Column:
        state, widgets = self.state, pn.widgets
        return _card(
            text('<div class="step">Picture</div>'),
            self.pictures,
            widgets.Select.from_param(
                state.param.colors, label="Colours", options=COLORS, **_WIDE
            ),
            slider(state.param.limit, "Colour limit ±κ", 0.02, 0.4, 0.01),
            slider(
                state.param.smoothing,
                "Blur of Kaiser–Squires and chance [′]",
                *(0.0, 5.0, 0.1),
                throttled=True,
            ),
            slider(
                state.param.blur,
                "Blur of sample, mean, uncertainty [′]",
                *(0.0, 5.0, 0.1),
                throttled=True,
            ),
            slider(state.param.threshold, "Chance of κ above", -0.05, 0.3, 0.005),
            Tick.from_param(state.param.shared, label="Same limits on all κ maps", **_WIDE),
            Tick.from_param(state.param.clusters, label="X-ray clusters", **_WIDE),
            self.tools.layout,
        )


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


def _column(*parts: object, kind: str = "mg-stack") -> pn.Column:
    return pn.Column(*parts, css_classes=[kind], stylesheets=[sheet("page")], **_WIDE)


def _card(*parts: object) -> pn.Column:
    return _column(*parts, kind="mg-card")


def _pair(*parts: object) -> pn.Column:
    return _column(*parts, kind="mg-pair")


def _triple(*parts: object) -> pn.Column:
    return _column(*parts, kind="mg-triple")
