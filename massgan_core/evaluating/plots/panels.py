"""One map in its axes: a κ map or its STD, what was not observed, sky coordinates, clusters.

The plane is that of :class:`massgan_core.sky.Grid`: arcminutes about the centre of the field,
North up and East left. Pixels outside the footprint are drawn as unobserved, whatever a method
says of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.evaluating.plots.colors import (
    FAINT,
    HATCH,
    INK,
    UNOBSERVED,
    diverging,
    sequential,
)
from massgan_core.evaluating.plots.page import HEAD, SMALL, TEXT, Page
from massgan_core.sky import ShearField

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

LEFT = 1.0  #: room beside the first map, for the names and numbers of the axes [in]

_WITHIN = (0.5, 99.5)  # percentiles between which the colours change
_BAR = 0.25  # of the field's width: the length that a scale bar has about


@runtime_checkable
class Circles(Protocol):
    """Clusters of galaxies: positions [deg] and radii [arcmin]."""

    ra: np.ndarray
    dec: np.ndarray
    r500: np.ndarray


@dataclass(frozen=True)
class Scale:
    """What the colours of maps of one kind mean; one for all of them.

    Args:
        low: Value of the first colour.
        high: Value of the last.
        signed: κ or a difference, with zero in white; else a standard deviation.
    """

    low: float
    high: float
    signed: bool = True

    @classmethod
    def of(
        cls, maps: Sequence[Tensor], area: Bool[Tensor, "H W"], *, signed: bool = True
    ) -> Scale:
        """From the middle 99 % of the footprint's pixels of all maps together, two digits."""
        values = np.concatenate([m[area].numpy(force=True).ravel() for m in maps])
        values = values[np.isfinite(values)]
        if not values.size:
            return cls(-1.0, 1.0) if signed else cls(0.0, 1.0, False)
        low, high = np.percentile(values, _WITHIN)
        if signed:
            high = float(f"{max(abs(low), abs(high)):.2g}") or 1.0
            return cls(-high, high)
        low, high = float(f"{low:.2g}"), float(f"{high:.2g}")
        return cls(low, high if high > low else low + (abs(low) or 1.0), False)


def draw_map(
    axes: Axes,
    image: Float[Tensor, "H W"],
    field: ShearField,
    scale: Scale,
    *,
    title: str = "",
    clusters: Circles | None = None,
    left: bool = True,
    bottom: bool = True,
    ruler: bool = False,
) -> AxesImage:
    """Draw a map; the image that bears its colours.

    Args:
        axes: Empty ones of the field's proportions.
        image: κ, a difference of two, or a standard deviation.
        field: Whose footprint and grid count.
        scale: Colours.
        title: Above the map.
        clusters: Drawn as circles of radius r500, where they lie in the footprint.
        left: Write declinations (or y) at the left edge.
        bottom: Write right ascensions (or x) at the bottom edge.
        ruler: Draw a scale bar and, on the sky, where North and East are.
    """
    area, grid = field.footprint.numpy(force=True), field.grid
    x0, y0, x1, y1 = grid.bounds
    axes.set_facecolor(UNOBSERVED)
    axes.patch.set(hatch="////", edgecolor=HATCH, linewidth=0)
    drawn = axes.imshow(
        np.where(area, image.numpy(force=True), np.nan),
        cmap=diverging() if scale.signed else sequential(),
        vmin=scale.low,
        vmax=scale.high,
        extent=(x0, x1, y0, y1),
        origin="lower",
        aspect="auto",
        interpolation="antialiased",
    )
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    axes.set_title(title, fontsize=HEAD, color=INK, pad=5)
    for spine in axes.spines.values():
        spine.set(color=FAINT, linewidth=0.8)
    _tick(axes, field, left, bottom)
    if clusters is not None:
        mark(axes, clusters, field, "black" if scale.signed else "white")
    if ruler:
        _ruler(axes, field)
    return drawn


def on_sky(field: ShearField) -> bool:
    """Whether the field is a real one: a simulated sky has no right ascension."""
    return field.grid.wcs is not None and field.kappa is None


def axis_names(field: ShearField) -> tuple[str, str]:
    """What is written along the bottom and the left of a map."""
    return ("RA [deg]", "Dec [deg]") if on_sky(field) else ("x [arcmin]", "y [arcmin]")


def name_axes(page: Page, field: ShearField, tops: Sequence[float], tall: float) -> None:
    """Name the axes once for all maps: before the numbers of the last row, and at the left.

    Args:
        page: With rows of maps that begin at `LEFT`.
        field: Theirs.
        tops: Upper edge of each row [in].
        tall: Height of a map [in].
    """
    below, beside = axis_names(field)
    page.text(LEFT - 0.08, tops[-1] + tall + 0.05, below, ha="right", va="top", size=SMALL)
    for top in tops:
        turned = {"rotation": 90, "ha": "center", "va": "center", "size": SMALL}
        page.text(0.2, top + tall / 2, beside, **turned)


def inside(clusters: Circles, field: ShearField) -> np.ndarray:
    """Offsets (x, y) and radius [arcmin] of the clusters in the footprint, one a row."""
    height, width = field.grid.shape
    column, row = field.grid.sky_to_pixel(clusters.ra, clusters.dec)
    good = (column >= -0.5) & (column < width - 0.5) & (row >= -0.5) & (row < height - 0.5)
    column, row, radius = column[good], row[good], np.asarray(clusters.r500)[good]
    area = field.footprint.numpy(force=True)
    here = area[np.rint(row).astype(int), np.rint(column).astype(int)]
    x, y = field.grid.pixel_to_plane(column[here], row[here])
    return np.stack([x, y, radius[here]], 1)


def mark(axes: Axes, clusters: Circles, field: ShearField, color: str) -> None:
    """Draw a circle of radius r500 around every cluster in the footprint."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    circles = [Circle((x, y), r) for x, y, r in inside(clusters, field)]
    style = {"facecolor": "none", "edgecolor": color, "linewidth": 0.7, "alpha": 0.75}
    axes.add_collection(PatchCollection(circles, **style))


def color_bar(axes: Axes, image: AxesImage, label: str, *, upright: bool = False) -> None:
    """Fill `axes` with the colour bar of `image`; pointed ends where values lie beyond."""
    scale, shown = image.norm, image.get_array().compressed()
    low, high = (shown < scale.vmin).any(), (shown > scale.vmax).any()
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max"}.get((low, high), "both")
    bar = axes.figure.colorbar(
        image,
        cax=axes,
        orientation="vertical" if upright else "horizontal",
        extend=extend,
        extendfrac=0.03,
    )
    bar.set_label(label, fontsize=TEXT, color=INK, labelpad=3)
    bar.ax.tick_params(labelsize=SMALL, colors=INK, length=3, pad=2)
    width, height = axes.figure.get_size_inches() * axes.get_position().size
    bar.ax.locator_params(nbins=max(3, int(1.2 * max(width, height))))
    bar.outline.set(edgecolor=FAINT, linewidth=0.8)


def _tick(axes: Axes, field: ShearField, left: bool, bottom: bool) -> None:
    x, y = _ticks(field)
    axes.set_xticks([at for at, _ in x], [name for _, name in x] if bottom else [])
    axes.set_yticks([at for at, _ in y], [name for _, name in y] if left else [])
    axes.tick_params(labelsize=SMALL, colors=INK, length=3, pad=2)


def _ticks(field: ShearField) -> tuple[list[tuple[float, str]], list[tuple[float, str]]]:
    """Places [arcmin] and names of a few round coordinates along the bottom and the left."""
    grid, (x0, y0, x1, y1) = field.grid, field.grid.bounds
    if not on_sky(field):
        return tuple(_round(*2 * (np.array(ends),)) for ends in ((x0, x1), (y0, y1)))
    x, y = np.linspace(x0, x1, 65), np.linspace(y0, y1, 65)
    along, up = grid.plane_to_pixel(x, y0 + 0 * x), grid.plane_to_pixel(x0 + 0 * y, y)
    ra = np.unwrap(grid.pixel_to_sky(*along)[0], period=360)
    return _round(x, ra, 360.0), _round(y, grid.pixel_to_sky(*up)[1])


def _round(
    place: np.ndarray, value: np.ndarray, period: float | None = None
) -> list[tuple[float, str]]:
    """Where round values lie along an edge on which `value` rises or falls with `place`."""
    from matplotlib.ticker import MaxNLocator

    low, high = float(value.min()), float(value.max())
    marks = MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    room = 0.04 * (high - low)  # names at the very corners would run into the neighbour's
    marks = [m for m in marks if low + room <= m <= high - room]
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    digits = next(d for d in range(8) if abs(round(step, d) - step) < 1e-6 * step or d == 7)
    order = np.argsort(value)
    at = np.interp(marks, value[order], place[order])
    named = [m % period if period else m for m in marks]
    names = [f"{m:.{digits}f}".replace("-", "−") for m in named]
    return list(zip(at.tolist(), names, strict=True))


def _ruler(axes: Axes, field: ShearField) -> None:
    """A scale bar in the lower left corner; arrows to North and East in the lower right."""
    from matplotlib.patheffects import withStroke

    x0, y0, x1, y1 = field.grid.bounds
    width, height = x1 - x0, y1 - y0
    length = _nice(_BAR * width)
    halo = [withStroke(linewidth=3, foreground="white")]
    style = {"color": INK, "path_effects": halo}
    x, y = x0 + 0.05 * width, y0 + 0.06 * height
    axes.plot([x, x + length], [y, y], lw=2.5, solid_capstyle="butt", **style)
    words = {"fontsize": SMALL, "ha": "center", **style}
    axes.text(x + length / 2, y + 0.025 * height, f"{length:g}′", va="bottom", **words)
    if not on_sky(field):
        return
    x, y, reach = x1 - 0.07 * width, y0 + 0.06 * height, 0.11 * min(width, height)
    arrow = {"arrowstyle": "-|>", "color": INK, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    for dx, dy, name in ((0, reach, "N"), (-reach, 0, "E")):
        axes.annotate("", (x + dx, y + dy), (x, y), arrowprops={**arrow, "path_effects": halo})
        axes.text(x + 1.45 * dx, y + 1.45 * dy, name, va="center", **words)


def _nice(length: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ that is no longer."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(f * power for f in (1, 2, 5) if f * power <= length * (1 + 1e-9)))
