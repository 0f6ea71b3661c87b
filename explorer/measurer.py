"""When regions and the line are measured: in a thread, at rest, and only while they are open.

Nothing is computed here: every number comes from a call of ``massgan_core``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import param
import torch

from explorer.asking import Asking
from explorer.regions import outline, to_plane
from explorer.runner import sentence
from massgan_core.peaks import (
    Measured,
    Profile,
    Sampled,
    aperture_mass,
    circle_mask,
    measure_region,
    profile,
    separation,
)
from massgan_core.simulate import Cosmology
from massgan_core.sky import inside_polygon

if TYPE_CHECKING:
    from explorer.viewer import Explorer
    from massgan_core.posterior import Summary
    from massgan_core.sky import ShearField

LENS = 0.4  #: redshift where sources like COSMOS's are lensed most
WATCHED = ("measure", "regions", "line", "lens_redshift", "cluster")


@dataclass(frozen=True, eq=False)
class Row:
    """A region measured, or one sentence on why it could not be."""

    found: Measured | None = None
    mass: Sampled | None = None  #: aperture mass, of a circle that is mostly in the footprint
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Ruler:
    """How long a line is."""

    length: float  #: [arcmin]
    angle: float | None  #: position angle, North through East [deg]; None off the sky
    redshift: float
    proper: float  #: [Mpc]
    comoving: float  #: [Mpc]


@dataclass(frozen=True, eq=False)
class Section:
    """Maps along the line; `samples` where they are kept."""

    mean: Profile | None = None
    samples: Profile | None = None
    truth: Profile | None = None
    ks: Profile | None = None
    problem: str = ""


@dataclass(frozen=True, eq=False)
class Measurement:
    """All that is measured of one field."""

    summary: Summary | None  #: whose it is
    rows: dict[tuple, Row] = field(default_factory=dict)
    section: Section | None = None
    ruler: Ruler | None = None

    @property
    def n(self) -> int:
        """Samples that have numbers of their own; 0 where their mean alone is known."""
        return 0 if self.summary is None else self.summary.kept


@dataclass(frozen=True, eq=False)
class Wish:
    """What is to be measured."""

    field: ShearField
    summary: Summary | None
    regions: tuple
    line: tuple | None
    redshift: float
    ks: Any

    def same(self, other: Wish | None) -> bool:
        """Nothing has changed since `other`."""
        return (
            other is not None
            and all(getattr(self, k) is getattr(other, k) for k in ("field", "summary", "ks"))
            and (self.regions, self.line, self.redshift)
            == (
                other.regions,
                other.line,
                other.redshift,
            )
        )


class Measurer(Asking):
    """Keeps the latest :class:`Measurement` of the open field."""

    found = param.Parameter(default=None, doc="The Measurement last made; None before.")

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(spawn=explorer._spawn, quietly=explorer._quietly)
        self._explorer, self._done = explorer, None
        explorer.state.param.watch(self._look, list(WATCHED))
        explorer.runner.param.watch(self._look, ["phase", "summary"])
        explorer.param.watch(self._look, ["known"])
        explorer.store.param.watch(self._look, ["seen"])
        explorer.store.param.watch(self._on_field, ["field"])

    def _on_field(self, *_: param.parameterized.Event) -> None:
        self.found = self._done = None
        self._look()

    def redshift(self) -> float:
        """Where lengths are measured: chosen, or of the chosen cluster, or that of most lenses."""
        state, circles = self._explorer.state, self._explorer.store.circles
        if state.lens_redshift is not None:
            return state.lens_redshift
        at = [] if circles is None else np.flatnonzero(circles.name == state.cluster)
        return float(circles.redshift[at[0]]) if len(at) else LENS

    def _wanted(self) -> Wish | None:
        explorer, state, runner = self._explorer, self._explorer.state, self._explorer.runner
        if not state.measure or explorer.store.field is None or runner.phase == "running":
            return None
        summary = runner.summary if runner.at_rest else explorer.known
        ks, regions = explorer.store.seen.get("ks"), tuple(map(tuple, state.regions))
        line = None if state.line is None else tuple(state.line)
        wish = Wish(explorer.store.field, summary, regions, line, self.redshift(), ks)
        return None if wish.same(self._done) else wish

    async def _answer(self, wish: Wish) -> bool:
        self._done = wish
        found = await self._quietly(measure, wish, self.found)
        if wish.field is self._explorer.store.field:
            self.found = found
        return True


def measure(wish: Wish, before: Measurement | None = None) -> Measurement:
    """Measure what is wished for; regions of the same samples are taken from `before`."""
    known = before.rows if before is not None and before.summary is wish.summary else {}
    samples = None
    if wish.summary is not None and (wish.line or set(wish.regions) - known.keys()):
        samples = wish.summary.samples if wish.summary.kept else wish.summary.mean[None]
    rows = {}
    for region in wish.regions if wish.summary is not None else ():
        rows[region] = known.get(region) or row(wish.field, samples, region)
    if wish.line is None:
        return Measurement(wish.summary, rows)
    return Measurement(wish.summary, rows, section(wish, samples), ruler(wish))


def row(field: ShearField, samples: Any, region: tuple) -> Row:
    """One region, in all samples."""
    grid, area = field.grid, field.footprint.cpu()
    try:
        if region[0] != "circle":
            inside = inside_polygon(grid, outline(grid, region))
            return Row(measure_region(samples, grid, area, inside))
        place, radius = to_plane(grid, region[1:3]), region[3]
        found = measure_region(samples, grid, area, circle_mask(grid, tuple(place[0]), radius))
        mass = aperture_mass(samples, grid, area, place, radius)[:, 0]
        return Row(found, None if bool(mass.isnan().any()) else Sampled(mass))
    except ValueError as error:
        off = "inside" in str(error)
        return Row(problem="outside the footprint" if off else sentence(error))


def section(wish: Wish, samples: Any) -> Section:
    """Every map along the line."""
    grid, area = wish.field.grid, wish.field.footprint.cpu()
    start, end = (tuple(map(float, place)) for place in to_plane(grid, wish.line))

    def along(image: Any) -> Profile | None:
        return None if image is None else profile(image, grid, area, start, end)

    try:
        truth, summary = wish.field.truth, wish.summary
        return Section(
            mean=None if summary is None else along(summary.mean),
            samples=along(samples) if summary is not None and summary.kept > 1 else None,
            truth=None if truth is None else along(truth.float().cpu()),
            ks=None if wish.ks is None else along(torch.from_numpy(wish.ks)),
        )
    except ValueError as error:
        return Section(problem=sentence(error))


def ruler(wish: Wish) -> Ruler:
    """The length of the line."""
    length, angle = separation(wish.line[:2], wish.line[2:])
    sizes = [Cosmology().size(length, wish.redshift, comoving=c) for c in (False, True)]
    on_sky = wish.field.grid.wcs is not None
    return Ruler(length, angle if on_sky else None, wish.redshift, *sizes)
