"""The results of one session, and how they are asked of the library.

Nothing is computed here: every number comes from a call of ``massgan_core``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import param

import massgan_core as mg
from explorer.elements.galaxies import CROWD, GalaxyLayer, shade, sticks
from explorer.recipes import FITTED, LEAST_WINDOW, linear
from explorer.sampling import SAMPLING
from explorer.shelf import SHELF, Batches, Drawn, Reader
from explorer.state import LEVEL
from explorer.turns import TURNS
from massgan_core.serving import Request, Source
from massgan_core.simulate import COSMOS_DEPTH as COSMOS_DEPTH
from massgan_core.sky import galaxy_density, mean_shear

if TYPE_CHECKING:
    from explorer.state import State
    from massgan_core.evaluate.calibration import Calibration
    from massgan_core.peaks import Inspection
    from massgan_core.posterior import Sampler, Summary
    from massgan_core.sky import Grid, ShearField
    from massgan_core.survey import Clusters

WIENER = (
    "Exact for a sky that is purely Gaussian, which the real one is not: its peaks come out too "
    "low. Needs no training."
)
SCORE = (
    "A prior learned from simulated skies, and the shear as it was measured: {steps} rounds from "
    "noise to a map. Slow, seconds a sample."
)
SHEAR_WINDOW = 2.0  #: std of the window of the mean shear [arcmin]
STICK = 5.0  #: distance of the lines of shear, and length of the longest [arcmin]
STRONG = 0.04  #: shear of the strongest colour
_READING = Lock()  # one reader at a time: two tabs asking for one field cost it once


@dataclass(frozen=True, eq=False)
class Circles:
    """X-ray clusters on the tangent plane of a field."""

    x: np.ndarray  #: offset to the right [arcmin]
    y: np.ndarray  #: offset upwards [arcmin]
    radius: np.ndarray  #: r500 [arcmin]
    name: np.ndarray
    redshift: np.ndarray
    mass: np.ndarray  #: M500 [1e13 Msun]
    rows: Clusters | None = None  #: of the list they were drawn from


class Store(param.Parameterized):
    """What is known of the chosen field; samples are with the Runner."""

    field = param.Parameter(default=None, doc="The open ShearField; None while there is none.")
    choice = param.Parameter(default=None, doc="The `State.field_choice` that gave the field.")
    seen = param.Dict(default={}, doc="Maps made of the field alone: name → float32 [H, W].")
    truth = param.Parameter(default=None, doc="True κ less its footprint mean, float32 [H, W].")
    footprint = param.Parameter(default=None, doc="True where the maps are to be trusted [H, W].")
    circles = param.Parameter(default=None, doc="X-ray clusters in the field, or None.")
    galaxies = param.Parameter(default=None, doc="The GalaxyPicture, once it is drawn.")

    def take(self, opened: dict[str, Any]) -> None:
        """Show what :func:`open_field` brought, all at once."""
        self.param.update(**opened)

    def clear(self) -> None:
        """Forget the field."""
        names = ("field", "choice", "truth", "footprint", "circles")
        self.param.update(seen={}, **dict.fromkeys(names))


def open_field(
    choice: tuple,
    smoothing: float,
    pictures: Iterable[str] = ("ks",),
    uploaded: ShearField | None = None,
) -> dict[str, Any]:
    """Everything about the field of `choice` that is shown before the first sample.

    Args:
        choice: A `State.field_choice`.
        smoothing: Of the maps of the shear itself, std [arcmin].
        pictures: Maps made of the field alone, see :func:`seen`.
        uploaded: The field itself, where `choice` is an upload of this session.
    """
    field = uploaded if choice[0] == "upload" else read(choice)
    truth = field.truth
    return {
        "field": field,
        "choice": choice,
        "seen": {name: seen(name, field, smoothing) for name in pictures},
        "truth": None if truth is None else _array(truth),
        "footprint": field.footprint.cpu().numpy(),
        "circles": circles(field),
    }


def read(choice: tuple) -> ShearField:
    """The field of a `State.field_choice`."""
    with _READING:
        source, *rest = choice
        if source == "cosmos":
            return mg.cosmos() if rest[0] is None else _part(*rest[0])
        if source == "simulated":
            return _simulated(*rest)
        if rest[0] is None:
            raise ValueError(
                "`file` must be one of the INPUT files given at the start, got none; "
                "start with `python -m explorer INPUT`"
            )
        return mg.open_field(rest[0])


@lru_cache(maxsize=8)
def _part(ra: float, dec: float, width: float, height: float) -> ShearField:
    return mg.cosmos(center=(ra, dec), size=(width, height))


@lru_cache(maxsize=32)  # a class walks through a lesson at its own paces
def _simulated(
    kind: str, seed: int, depth: float | None, outline: str, cut: tuple = ()
) -> ShearField:
    return mg.simulated(kind, seed=seed, depth=depth, mask=outline, cut=cut)


def seen(name: str, field: ShearField, smoothing: float) -> np.ndarray:
    """A map made of the field alone, float32 [H, W]: ``ks``, ``b_mode`` or ``wiener``."""
    if name == "wiener":
        return _array(mg.Wiener(mg.spectrum_of(field)).map(field))
    textbook = mg.KaiserSquires(smoothing)
    return _array(textbook.b_mode(field) if name == "b_mode" else textbook.map(field))


def circles(field: ShearField) -> Circles | None:
    """The X-ray clusters inside a real field; None for a simulated one or off the sky."""
    if field.grid.wcs is None or field.kappa is not None:
        return None
    return circles_on(field.grid, mg.clusters())


def circles_on(grid: Grid, table: Clusters) -> Circles | None:
    """The clusters of a list inside `grid`; None where there is none."""
    x, y = grid.sky_to_plane(table.ra, table.dec)
    height, width = grid.extent
    inside = (np.abs(x) < width / 2) & (np.abs(y) < height / 2)
    if not inside.any():
        return None
    columns = (x, y, table.r500, table.name, table.redshift, table.m500)
    return Circles(*(np.asarray(column)[inside] for column in columns), table[inside])


_SAMPLERS: dict[str, Sampler] = {}  # loaded once for the process; written by its one worker


def sampler(name: str, field: ShearField) -> Sampler:
    """The sampler a State calls `name`, ready for `field`."""
    method, _, checkpoint = name.partition(":")
    if name in _SAMPLERS:
        return _SAMPLERS[name]
    made = mg.sampler(method, field, checkpoint=checkpoint or None)
    if hasattr(made, "stop"):  # slow enough on large fields to be asked on the way
        made.stop = TURNS.given_up
    if method == "gan":  # the others are made for the n(z) of one field
        _SAMPLERS[name] = made
    return made


def draw(state: State, field: ShearField, who: str = "") -> Callable[[], Reader]:
    """A call that opens the stream of the present choices; they are read now, not later.

    Args:
        state: The choices.
        field: What samples are drawn of.
        who: Another sampler than the chosen one.
    """
    name, n, batch, seed = who or state.sampler, state.n, state.batch, state.seed

    def opened() -> Batches:
        workers = SAMPLING.workers()
        if workers is None:
            return Drawn(sampler(name, field), field, batch, seed)
        return Source(workers, Request(name, batch, seed), field, TURNS.given_up)

    def begin() -> Reader:
        return Reader(SHELF.tape((name, batch, seed), field, opened), n)

    return begin


def trained() -> list[str]:
    """The trained samplers that come with the package, as a State calls them."""
    from massgan_core.score import checkpoints as priors

    gans = [f"gan:{name}" for name in mg.checkpoints()]
    return gans + [f"score:{name}" for name in priors()]


def about(name: str, field: ShearField) -> tuple[str, str]:
    """What a person should know about the sampler and about the field."""
    height, width = field.grid.extent
    rows, columns = field.grid.shape
    words = (
        f"{field.name}: {width:.0f}′ × {height:.0f}′ on the sky, "
        f"{columns} × {rows} pixels of {field.grid.pixel_scale:.2f}′"
    )
    if name == "wiener":
        return WIENER, words
    network = sampler(name, field)
    told = f"Trained on {network.card['trained_on']}."
    if name.startswith("score:"):
        told = f"{SCORE.format(steps=network.steps)} {told}"
    outside = network.in_domain(field)
    if outside:
        told += f" This field is outside of that: {'; '.join(outside)}."
    return told, words


@dataclass(frozen=True, eq=False)
class Promise:
    """What the spread of the samples is worth."""

    words: str  #: a sentence
    low: np.ndarray | None = None  #: ends of the calibrated interval; None where there is none
    high: np.ndarray | None = None


def promise(name: str, summary: Summary) -> Promise | None:
    """What the spread of samples is worth; None for an exact sampler, which needs no promise.

    Only inside the domain of a calibration does it say "calibrated", and gives an interval.
    """
    if name == "wiener" or summary.n < 2:
        return None
    network = sampler(name, summary.field)
    known = calibration(name)
    if known is None:
        return Promise("Not calibrated: this checkpoint has no calibration.")
    outside = network.in_domain(summary.field)
    interval, reasons = mg.guaranteed(summary, known, LEVEL, outside)
    if interval is None:
        return Promise(f"Not calibrated: {'; '.join(reasons)}.")
    half = (interval.high - interval.low)[summary.field.footprint.cpu()].median().item() / 2
    maps, boxes = (interval.facts[f"calibration_{what}"] for what in ("maps", "boxes"))
    words = (
        f"Calibrated {LEVEL:.0%}: over simulated skies the true κ lies within ±{half:.2g} of the "
        f"mean ({maps} maps of {boxes} boxes; a typical pixel)."
    )
    return Promise(words, _array(interval.low), _array(interval.high))


@lru_cache(maxsize=8)
def calibration(name: str) -> Calibration | None:
    """The calibration of the checkpoint of a sampler; None where it has none."""
    method, _, checkpoint = name.partition(":")
    return mg.calibration_of(checkpoint) if method == "gan" else None


@dataclass(frozen=True, eq=False)
class Chance:
    """In how many of the samples κ exceeds a threshold."""

    image: np.ndarray  #: share, float32 [H, W]
    threshold: float


def chance(smoothed: mg.SmoothedSamples, summary: Summary, threshold: float) -> Chance:
    """Count the samples, smoothing those that were not there before."""
    return Chance(_array(smoothed.probability(summary, threshold)), threshold)


def fit(summary: Summary, sampler: str, smoothing: float) -> np.ndarray:
    """χ² of the shear that the samples predict, float32 [H, W], NaN where nothing counts."""
    window, samples = max(smoothing, LEAST_WINDOW), summary.last(FITTED)
    return _array(mg.predictive_map(samples, summary.field, window, linear=linear(sampler)))


def inspection(summary: Summary, circles: Circles, name: str) -> Inspection | str:
    """What the samples say of a cluster, or one sentence on why they cannot."""
    at = np.flatnonzero(circles.name == name)
    if not at.size:
        return f"{name} is not in this field."
    x, y, radius = (float(v[at[0]]) for v in (circles.x, circles.y, circles.radius))
    field = summary.field
    area = field.footprint.cpu()
    try:
        return mg.inspect_place(summary.samples, field.grid, area, (x, y), radius)
    except ValueError as error:
        return str(error)


@dataclass(frozen=True, eq=False)
class GalaxyPicture:
    """All COSMOS galaxies on the plane of the whole field."""

    layers: dict[str, GalaxyLayer]  #: pictures by name
    half: float  #: half the width of the square picture [arcmin]
    number: int  #: of galaxies
    grid: Grid  #: of the whole field
    circles: Circles  #: X-ray clusters on it


@lru_cache(maxsize=1)
def galaxy_picture() -> GalaxyPicture:
    """The datashaded COSMOS galaxies; drawn once for the process."""
    field, catalog = mg.cosmos(), mg.cosmos_catalog()
    x, y = field.grid.sky_to_plane(catalog.ra, catalog.dec)
    half = max(field.grid.extent) / 2
    layers = {
        "galaxies": GalaxyLayer(
            shade(np.asarray(x), np.asarray(y), half), CROWD, "galaxies per cell"
        ),
        "depth": depth_layer(field),
        "shear": shear_layer(field),
    }
    return GalaxyPicture(layers, half, len(catalog.ra), field.grid, circles(field))


def depth_layer(field: ShearField) -> GalaxyLayer:
    """How many galaxies there are round each pixel."""
    image = _array(galaxy_density(field))
    return GalaxyLayer(image, float(np.nanpercentile(image, 99.5)), "galaxies per arcmin²")


def shear_layer(field: ShearField) -> GalaxyLayer:
    """How strongly, and along which lines, the galaxies round each pixel are stretched."""
    shear = mean_shear(field, SHEAR_WINDOW)
    image, high = np.abs(shear.numpy()).astype(np.float32), STRONG
    step = round(STICK / field.grid.pixel_scale)
    rows, columns = (np.arange(step // 2, n, step) for n in field.grid.shape)
    at = shear.numpy()[np.ix_(rows, columns)]
    x, y = field.grid.pixel_to_plane(*np.meshgrid(columns.astype(float), rows.astype(float)))
    seen = np.isfinite(at)
    lines = sticks(at[seen], x[seen], y[seen], STICK / high)
    return GalaxyLayer(image, high, "mean shear", lines)


def _array(image: Any) -> np.ndarray:
    return image.detach().float().cpu().numpy()
