"""The choices of one session: what the widgets set, the URL holds and a notebook can read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import param

from explorer import beside, recipes
from explorer.beside import COMPARISONS, RIVALS
from explorer.holes import Holes, frozen
from explorer.lessons.choices import KEPT, LessonChoices
from explorer.links import value_of
from explorer.own_limits import OwnLimits
from explorer.recipes import BOUNDS, PICTURES, TRUTHS
from explorer.regions import Line, Regions

VERSION = 1  #: of the names and meanings below, as written into links

SOURCES = ("cosmos", "simulated", "file")
LAYERS = ("galaxies", "depth", "shear")
KINDS = ("lognormal", "nbody", "ktng", "gaussian", "nfw")
OUTLINES = ("cosmos", "stars", "none")
BATCHES = (1, 2, 4, 8, 16)
THEMES = ("light", "dark")
CATALOGS = ("finoguenov2007", "george2011", "own")
COLORS = ("diverging", "fire", "cividis")
STRETCHES = ("linear", "asinh", "sqrt")
#: Where the colours of κ maps end → share of each map's own pixels inside [%], if that decides.
SPANS = {"limit": None, "typed": None, "90": 90, "95": 95, "99": 99, "99.5": 99.5, "full": 100}
USUAL_SHARE = 99  #: of maps whose limits no one chose
CONTOURS = ("none", "snr", "mean", "wiener", "ks")
TOOLS = ("move", "circle", "box", "polygon", "line")  #: what a drag on a map does
LEVEL = 0.95  #: probability inside the interval that the page speaks of


class State(LessonChoices):
    """Every choice, JSON-serialisable; results live in the Store."""

    version = param.Integer(default=VERSION, constant=True, doc="Version of these names.")

    source = param.Selector(default="cosmos", objects=SOURCES, doc="Where the shear comes from.")
    region = param.NumericTuple(
        default=None,
        length=4,
        allow_None=True,
        doc="Part of COSMOS: RA, Dec of its centre [deg], width, height [arcmin]; None = all.",
    )
    kind = param.Selector(default="lognormal", objects=KINDS, doc="Kind of simulated sky.")
    sky_seed = param.Integer(
        default=0, bounds=(0, 2**31 - 1), doc="Which simulated sky: its mass, galaxies, noise."
    )
    depth = param.Number(
        default=None,
        bounds=(1, 1000),
        allow_None=True,
        doc="Galaxies per arcmin² of a simulated field; None = the real COSMOS noise.",
    )
    outline = param.Selector(
        default="cosmos",
        objects=OUTLINES,
        doc="Mask of a simulated field: COSMOS's, round a few stars and bad columns, or none.",
    )
    cut = Holes(default=[], doc="Holes cut by hand into a simulated field: polygons [arcmin].")
    redraw = param.Boolean(
        default=True, doc="Whether samples are drawn anew when the slider of the depth moves."
    )
    file = param.Selector(
        default=None, objects=[None], doc="One of the INPUT files given; None = an upload."
    )
    upload = param.Dict(
        default=None,
        doc="The upload that is open: number, name, call. Not in any link: it is gone.",
    )

    sampler = param.Selector(
        default="wiener",
        objects=["wiener"],
        doc="Who draws: `wiener`, or `gan:` or `score:` + checkpoint.",
    )
    beside = param.Selector(
        default="",
        objects=["", "wiener"],
        doc="Another sampler that draws of the same field beside it; empty = none.",
    )
    smoothing = param.Number(
        default=1.0,
        bounds=(0, 10),
        doc="Blur of Kaiser–Squires, B mode, chance and fit, std [arcmin].",
    )
    blur = param.Number(
        default=0.0,
        bounds=(0, 10),
        doc="Blur of the samples, their mean, uncertainty and S/N, std [arcmin]; 0 = none.",
    )

    n = param.Integer(default=64, bounds=(1, 4096), doc="Number of samples.")
    seed = param.Integer(
        default=0, bounds=(0, 2**31 - 1), doc="Sample i depends on this number and i alone."
    )
    batch = param.Selector(default=2, objects=BATCHES, doc="Samples drawn together.")

    pictures = param.ListSelector(
        default=["truth", "ks", "sample", "mean", "std"],
        objects=PICTURES,
        doc="Maps on the page; truth and residual only where the truth is known.",
    )
    threshold = param.Number(
        default=0.05,
        bounds=(-1, 1),
        doc="κ that the map of the chance looks for, in samples blurred by `smoothing`.",
    )
    limit = param.Number(
        default=0.1, bounds=(0.01, 1), doc="Shared colour limit of the κ maps: −limit … +limit."
    )
    shared = param.Boolean(default=True, doc="The same colour limits on all κ maps.")
    span = param.Selector(
        default="limit",
        objects=list(SPANS),
        doc="Where the colours end: ± the limit, as typed or dragged on a colour bar, or so that "
        "this share of each map's pixels lies inside.",
    )
    low = param.Number(default=-0.1, bounds=(-10, 10), doc="κ of the first colour, if typed.")
    high = param.Number(default=0.1, bounds=(-10, 10), doc="κ of the last colour, if typed.")
    own_limits = OwnLimits(
        default={},
        doc="Colour limits of maps that do not share theirs, dragged on their bars: [low, high].",
    )
    stretch = param.Selector(
        default="linear",
        objects=STRETCHES,
        doc="How values become colours: asinh and sqrt tell small values apart.",
    )
    contours = param.Selector(
        default="none", objects=CONTOURS, doc="The map whose contours lie over all maps."
    )
    layer = param.Selector(
        default="galaxies",
        objects=LAYERS,
        doc="What the map of the galaxies shows: each of them, how many there are, or how they "
        "are stretched.",
    )
    graticule = param.Boolean(default=False, doc="Lines of equal RA and of equal Dec.")
    scale_bar = param.Boolean(default=False, doc="A bar of a round length on every map.")
    hatched = param.Boolean(default=False, doc="Hatch what was not observed.")
    place = param.String(
        default="",
        regex=r"^[^<>&]{0,60}$",
        doc="Where the maps were sent: RA and Dec, or a cluster's name; empty = nowhere.",
    )
    clusters = param.Boolean(default=True, doc="Show the X-ray clusters.")
    cluster = param.String(
        default="",
        regex=r"^[\w .+-]{0,60}$",
        doc="Name of the X-ray cluster that is looked into; empty = none.",
    )
    catalog = param.Selector(
        default="finoguenov2007", objects=CATALOGS, doc="Which list of clusters is shown."
    )
    redshifts = param.Range(
        default=None, bounds=(0, 10), allow_None=True, doc="Redshifts shown; None = all."
    )
    masses = param.Range(
        default=None, bounds=(0, 1000), allow_None=True, doc="M500 shown [1e13 M☉]; None = all."
    )
    labels = param.Boolean(default=False, doc="Names beside the circles.")
    tables = param.Boolean(default=False, doc="Whether the tables of clusters and peaks are open.")
    peaks = param.Boolean(default=False, doc="Show the peaks of the posterior mean on the maps.")
    peak = param.Integer(
        default=0, bounds=(0, 1000), doc="Peak that is marked, 1 = the highest; 0 = none."
    )
    peak_height = param.Number(
        default=0.02, bounds=(0, 1), doc="Least κ of a peak, in maps blurred by `smoothing`."
    )
    peak_radius = param.Number(
        default=1.0,
        bounds=(0.1, 10),
        doc="How far from a peak of the mean that of a sample may lie [arcmin].",
    )
    colors = param.Selector(default="diverging", objects=COLORS, doc="Colours of the κ maps.")
    checks = param.Boolean(default=False, doc="Whether the checks of the samples are open.")
    compare = param.Selector(
        default="off", objects=COMPARISONS, doc="How the maps A and B are compared."
    )
    first = param.Selector(
        default="ks", objects=[*PICTURES, *RIVALS], doc="Map A of the comparison."
    )
    second = param.Selector(
        default="mean", objects=[*PICTURES, *RIVALS], doc="Map B of the comparison."
    )
    curtain = param.Number(
        default=0.5, bounds=(0, 1), doc="Where the line lies between A and B, share of the width."
    )
    measure = param.Boolean(default=False, doc="Whether regions are open, and can be drawn.")
    tool = param.Selector(default="circle", objects=TOOLS, doc="What a drag on a map does.")
    regions = Regions(default=(), doc="Regions measured, see `explorer.regions`.")
    line = Line(default=None, doc="Line measured: RA, Dec, RA, Dec [deg]; None = none.")
    lens_redshift = param.Number(
        default=None,
        bounds=(0.001, 10),
        allow_None=True,
        doc="Of lengths in Mpc; None = that of the chosen cluster, else 0.4.",
    )
    theme = param.Selector(default="light", objects=THEMES, doc="Light or dark page.")

    def __init__(
        self,
        inputs: Iterable[str] = (),
        trained: Iterable[str] = (),
        lessons: Iterable[str] = (),
        *,
        takes_files: bool = True,
        **params: Any,
    ) -> None:
        """Give the files, trained samplers (``gan:default``) and lessons to choose from."""
        super().__init__(**params)
        files = [name for name in inputs if name != "cosmos"]
        self.param.file.objects = [*files, None] if takes_files or not files else files
        if not takes_files and not files:
            self.param.source.objects = [name for name in SOURCES if name != "file"]
        self.param.lesson.objects = ["", *lessons]
        samplers = [*trained, "wiener"]
        self.param.sampler.objects = samplers
        self.param.beside.objects = ["", *samplers]
        if "sampler" not in params:
            self.sampler = samplers[0]
        if files:
            first = next(iter(inputs))
            self.param.update(file=files[0], source="cosmos" if first == "cosmos" else "file")
        self._defaults = {name: getattr(self, name) for name in self.names()}

    @classmethod
    def names(cls) -> list[str]:
        """Names of all choices that a link may hold."""
        return [name for name in cls.param if name not in ("name", "version", "upload")]

    def reset(self, *names: str, **choices: Any) -> None:
        """Take the defaults of this session, of these `names` or of all but `choices`, at once.

        A lesson goes on.
        """
        kept = {name: getattr(self, name) for name in LessonChoices.param if name != "name"}
        wanted = {name: self._defaults[name] for name in names or self._defaults}
        self.param.update(**(wanted if names else {**wanted, **kept, **choices}))

    def changed(self) -> dict[str, Any]:
        """The choices that differ from the defaults, and the version: what a link holds.

        In a lesson the step decides all others.
        """
        names = KEPT if self.lesson else self.names()
        differ = {k: getattr(self, k) for k in names if getattr(self, k) != self._defaults[k]}
        return {"version": self.version, **differ} if differ else {}

    def query(self) -> dict[str, str]:
        """:meth:`changed` as texts for a URL; plain words stay bare."""
        return {k: v if isinstance(v, str) else json.dumps(v) for k, v in self.changed().items()}

    def restore(self, query: Mapping[str, Any], *, of: str = "link") -> list[str]:
        """Take the choices of a link; returns one sentence for each that had to be left out."""
        known = {k: v for k, v in query.items() if k in self.names()}
        if known and str(query.get("version", VERSION)) != str(VERSION):
            return [
                f"`version` of the {of} must be {VERSION}, got {query['version']!r}; "
                "its choices were left out"
            ]
        problems = []
        for name, text in known.items():
            try:
                self.take(name, text)
            except (ValueError, TypeError) as error:
                problems.append(f"`{name}` of the {of} was left out: {error}")
        return problems

    def take(self, name: str, value: Any) -> None:
        """Set one choice from the text of a link, or from JSON."""
        value, several = value_of(value), isinstance(self.param[name], param.ListSelector | Holes)
        setattr(self, name, list(value) if several and isinstance(value, tuple) else value)

    def field_choice(self) -> tuple:
        """What decides the field: equal choices give equal fields."""
        if self.source == "cosmos":
            return ("cosmos", self.region)
        if self.source == "file":
            uploaded = self.file is None and self.upload is not None
            return ("upload", self.upload["number"]) if uploaded else ("file", self.file)
        return ("simulated", self.kind, self.sky_seed, self.depth, self.outline, frozen(self.cut))

    def code(self) -> str:
        """The run as a few lines of Python."""
        field = {
            "cosmos": "mg.cosmos()"
            if self.region is None
            else f"mg.cosmos(center={self.region[:2]}, size={self.region[2:]})",
            "file": self._open_field(),
            "simulated": f"mg.simulated({self.kind!r}, seed={self.sky_seed}, "
            f"depth={self.depth}, mask={self.outline!r}{self._cut()})",
        }[self.source]
        method, _, checkpoint = self.sampler.partition(":")
        extra = f", checkpoint={checkpoint!r}" if checkpoint else ""
        return (
            "import massgan_core as mg\n\n"
            f"field = {field}\n"
            f"sampler = mg.sampler({method!r}, field{extra})\n"
            f"n, batch, seed = {self.n}, {self.batch}, {self.seed}\n"
            "stream = mg.stream(sampler, field, n, batch, seed=seed, keep=n)\n"
            "for summary in stream:\n"
            "    print(summary.n)\n"
            f"{beside.stream(self)}{self._interval()}{recipes.soft(self)}"
            f"maps = {{\n{recipes.recipes(self)}{beside.recipes(self)}}}\n"
        )

    def _cut(self) -> str:
        return f", cut={self.cut!r}" if self.cut else ""

    def _open_field(self) -> str:
        """The call that opens the file, wherever the person keeps it."""
        if self.file is not None or self.upload is None:
            return f"mg.open_field({self.file!r})"
        words = "".join(f", {key}={value!r}" for key, value in self.upload["call"].items())
        return f"mg.open_field({self.upload['name']!r}{words})"

    def _interval(self) -> str:
        """The calibrated interval, where it is on the page."""
        if not self._bounded or self.blur or not set(BOUNDS) & set(self.pictures):
            return ""
        return (
            f"calibration = mg.calibration_of({self.sampler.partition(':')[2]!r})\n"
            "interval, reasons = mg.guaranteed(\n"
            f"    summary, calibration, {LEVEL}, sampler.in_domain(field)\n"
            ")\n"
        )

    @property
    def _bounded(self) -> bool:
        """Whether the sampler may have a calibrated interval."""
        return self.sampler.startswith("gan:")

    def hidden(self) -> tuple[str, ...]:
        """Maps that cannot be: a real sky has no truth, and not all samplers are calibrated."""
        return (TRUTHS if self.source == "cosmos" else ()) + (() if self._bounded else BOUNDS)
