"""Small plots on matplotlib figures: curves with errors, and dots in rows.

A plot has neither title nor legend of its own: the page writes both as text, which wraps and
can be read aloud. What is missing (`None`, NaN) is left out; a plot without any value is `None`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from massgan_core.evaluating.report.palette import CARD, FAINT, FINE, INK, LINE, Look
from massgan_core.evaluating.report.rounding import rounded
from massgan_core.evaluating.report.svg import to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 5.0, 3.1  #: of a plot [in]; 72 units of the page each
SIZE, SMALL = 11.5, 11  # of type
_BROAD = 3.1  # a wide plot over one of three in a row
Values = Float[np.ndarray, " K"]
Band = tuple[float, float, float, float]  # left, right, low, high


@dataclass(frozen=True, eq=False)
class Series:
    """What one method shows in a plot.

    Args:
        method: Its name.
        x: Places.
        y: Values, NaN where there is none.
        error: Std errors, NaN where there is none.
        note: Said beside the name in the legend.
        hollow: Drawn as an outline: a companion of the method's filled marks.
    """

    method: str
    x: Values
    y: Values
    error: Values
    note: str = ""
    hollow: bool = False

    @property
    def known(self) -> bool:
        """Whether there is any value."""
        return bool(np.isfinite(self.y).any())


@dataclass(frozen=True, eq=False)
class Chart:
    """A plot and the words around it.

    Args:
        name: For anchors.
        title: A few words.
        caption: One sentence: what is good.
        alt: What the plot shows, for those who do not see it.
        figure: Without title and legend.
        legend: Methods, and what is said of each.
        wide: It needs the whole width of the page.
    """

    name: str
    title: str
    caption: str
    alt: str
    figure: Figure
    legend: tuple[tuple[str, str], ...] = ()
    wide: bool = False

    def svg(self) -> str:
        """The drawing in the colours of the page."""
        return to_svg(self.figure, self.name)


@dataclass(frozen=True)
class Axis:
    """How one axis is drawn.

    Args:
        label: With its unit.
        log: Logarithmic.
        ticks: Places and their names; chosen by matplotlib if empty.
        limits: Ends; from the values if `None`.
    """

    label: str = ""
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()
    limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Frame:
    """What stands behind the curves.

    Args:
        ideal: Where perfect values would be: a level, or a curve (x, y).
        bands: Acceptable values: left, right, low, high.
        truth: `ideal` is the truth, drawn as a strong line, not a hint.
    """

    ideal: float | tuple[Values, Values] | None = None
    bands: Sequence[Band] = ()
    truth: bool = False


def numbers(table: Mapping[str, Any], name: str, like: Values | None = None) -> Values:
    """A list of a report as floats, `None` as NaN; all NaN, as long as `like`, if missing."""
    values = table.get(name)
    if not isinstance(values, list):
        values = [values]
    found = np.array([np.nan if v is None else v for v in values], float)
    if like is not None and len(found) != len(like):
        return np.full(len(like), np.nan)
    return found


def curves(
    name: str,
    title: str,
    caption: str,
    series: Sequence[Series],
    looks: Mapping[str, Look],
    x: Axis,
    y: Axis,
    frame: Frame = Frame(),
    *,
    apart: bool = False,
    marks: bool = True,
    wide: bool = False,
) -> Chart | None:
    """Values of methods against x.

    Args:
        name: For anchors.
        title: A few words.
        caption: What is good.
        series: One or more of each method.
        looks: Of each method.
        x: Horizontal axis.
        y: Vertical axis.
        frame: Ideal, and acceptable values.
        apart: Methods stand beside each other at every x, each with its error bar and no line.
        marks: Draw markers.
        wide: Over the whole width of the page.
    """
    series = [s for s in series if s.known]
    if not series:
        return None
    figure, axes = blank(_BROAD * WIDTH if wide else WIDTH)
    _axis(axes, x, y)
    _frame(axes, frame)
    names = list(dict.fromkeys(s.method for s in series))
    for one in series:
        shift = _shift(names.index(one.method), len(names), one.x, x.log) if apart else 0.0
        _draw(axes, one, looks[one.method], shift, apart, marks)
    _limits(axes, series, x, y, frame)
    notes = {s.method: s.note for s in reversed(series)}
    alt = f"{title}: {y.label} against {x.label}. " + " ".join(_said(s) for s in series)
    legend = tuple((n, notes[n]) for n in names)
    return Chart(name, title, caption, alt, figure, legend, wide)


def dots(
    name: str,
    title: str,
    caption: str,
    series: Sequence[Series],
    looks: Mapping[str, Look],
    label: str,
    frame: Frame = Frame(),
) -> Chart | None:
    """One row for each method, with its value and error; arguments as in :func:`curves`."""
    series = [s for s in series if s.known]
    if not series:
        return None
    names = list(dict.fromkeys(s.method for s in series))
    figure, axes = blank(height=max(HEIGHT, 0.9 + 0.3 * len(names)), top=0.12)
    left = min(0.06 + 0.019 * max(len(_short(n)) for n in names), 0.34)
    box = axes.get_position()
    axes.set_position((left, box.y0, box.x1 - left, box.height))
    _axis(axes, Axis(label), Axis())
    axes.set_yticks(range(len(names)), [_short(n) for n in names], color=INK, fontsize=SIZE)
    axes.set_ylim(len(names) - 0.4, -0.6)
    if isinstance(frame.ideal, float | int):
        axes.axvline(frame.ideal, color=INK, lw=1.1, ls=(0, (4, 3)), zorder=1)
    for one in series:
        look, row = looks[one.method], names.index(one.method)
        at = row + (0.22 if one.hollow else 0.0)
        bar = np.where(np.isfinite(one.error), one.error, 0.0)
        style = _marker(look, one.hollow) | {"color": look.color, "markersize": 7}
        axes.errorbar(one.y, [at] * len(one.y), xerr=bar, lw=1.4, ls="none", zorder=3, **style)
    reach = [v for s in series for v in (s.y - _or_zero(s.error), s.y + _or_zero(s.error))]
    reach += [np.array([frame.ideal])] if isinstance(frame.ideal, float | int) else []
    axes.set_xlim(*_around(np.concatenate(reach), 0.08))
    alt = f"{title}. " + " ".join(_said(s) for s in series)
    return Chart(name, title, caption, alt, figure)


def blank(width: float = WIDTH, height: float = HEIGHT, top: float = 0.34) -> tuple[Figure, Axes]:
    """A figure with quiet axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="none")
    left, right, bottom = 0.56, 0.24, 0.54  # margins [in]
    place = (left / width, bottom / height)
    size = (1 - (left + right) / width, 1 - (top + bottom) / height)
    axes = figure.add_axes((*place, *size), facecolor="none")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set(color=LINE, linewidth=1)
    axes.grid(color=LINE, lw=0.7, zorder=0)
    axes.set_axisbelow(True)
    axes.tick_params(colors=FAINT, labelsize=SMALL, length=0, which="both", pad=4)
    return figure, axes


def _draw(axes: Axes, one: Series, look: Look, shift: Any, apart: bool, marks: bool) -> None:
    good = np.isfinite(one.y)
    x, y = (one.x * shift if np.ndim(shift) else one.x + shift)[good], one.y[good]
    error = np.where(np.isfinite(one.error), one.error, 0.0)[good]
    style = {"color": look.color, "zorder": 3} | (_marker(look, one.hollow) if marks else {})
    if apart or one.hollow:
        axes.errorbar(x, y, yerr=error, ls="none", lw=1.1, markersize=4.5, **style)
        return
    axes.fill_between(x, y - error, y + error, color=look.color, alpha=0.18, lw=0, zorder=2)
    axes.plot(x, y, lw=1.6, markersize=4, **style)


def _marker(look: Look, hollow: bool) -> dict[str, Any]:
    face = CARD if hollow else look.color
    return {"marker": look.marker, "mfc": face, "mec": look.color, "mew": 1.2 if hollow else 0.6}


def _shift(index: int, count: int, x: Values, log: bool) -> Any:
    """How far a method stands beside the place x: a distance, or factors on a log axis."""
    step = 0.55 * (index - (count - 1) / 2) / max(count, 3)
    if log:
        return np.full(len(x), (x[1] / x[0]) ** step if len(x) > 1 else 1.0)
    return step * (float(np.min(np.diff(x))) if len(x) > 1 else 1.0)


def _frame(axes: Axes, frame: Frame) -> None:
    from matplotlib.patches import Rectangle

    for left, right, low, high in frame.bands:
        size = (right - left, high - low)
        axes.add_patch(Rectangle((left, low), *size, color=FINE, alpha=0.13, lw=0, zorder=1))
    style = {"color": INK, "lw": 1.1, "ls": (0, (4, 3)), "zorder": 1.5}
    if isinstance(frame.ideal, tuple):
        if frame.truth:
            style |= {"lw": 1.8, "ls": "-", "zorder": 2.5}
        axes.plot(*frame.ideal, **style)
    elif frame.ideal is not None:
        axes.axhline(frame.ideal, **style)


def _axis(axes: Axes, x: Axis, y: Axis) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel(x.label, fontsize=SIZE, color=INK, labelpad=4)
    # Above the axis, not beside it: upright words are hard to read, and take the width.
    axes.figure.text(
        0.1 / axes.figure.get_figwidth(), 0.99, y.label, fontsize=SIZE, color=INK, va="top"
    )
    for axis, scale in ((x, axes.set_xscale), (y, axes.set_yscale)):
        if axis.log:
            scale("log")
    axes.minorticks_off()
    for axis, ends in ((x, axes.xaxis), (y, axes.yaxis)):
        if not axis.log:
            ends.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    if x.ticks:
        axes.set_xticks([at for at, _ in x.ticks], [text for _, text in x.ticks])
    if y.ticks:
        axes.set_yticks([at for at, _ in y.ticks], [text for _, text in y.ticks])


def _limits(axes: Axes, series: Sequence[Series], x: Axis, y: Axis, frame: Frame) -> None:
    """Ends from values, their errors as far as these are no longer than the values' range."""
    if x.limits:
        axes.set_xlim(*x.limits)
    if y.limits:
        axes.set_ylim(*y.limits)
        return
    values = np.concatenate([s.y for s in series])
    most = max(np.nanmax(values) - np.nanmin(values), 1e-9)
    bars = [np.minimum(_or_zero(s.error), most) for s in series]
    ends = [e for s, b in zip(series, bars, strict=True) for e in (s.y - b, s.y + b)]
    ends += [np.array(b[2:]) for b in frame.bands]
    if frame.ideal is not None:
        ends.append(
            np.atleast_1d(frame.ideal[1] if isinstance(frame.ideal, tuple) else frame.ideal)
        )
    axes.set_ylim(*_around(np.concatenate(ends), 0.06))


def _around(values: Values, margin: float) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = margin * ((high - low) or abs(high) or 1.0)
    return low - room, high + room


def _or_zero(error: Values) -> Values:
    return np.where(np.isfinite(error), error, 0.0)


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"


def _said(one: Series) -> str:
    """A series in words: its value, or the first, the least, the largest and the last."""
    good = np.isfinite(one.y)
    y, error = one.y[good], one.error[good]
    what = f"{one.method}{f' ({one.note})' if one.note else ''}"
    if len(y) == 1:
        return f"{what}: {rounded(float(y[0]), float(error[0]))}."
    first, last, low, high = (rounded(float(v)) for v in (y[0], y[-1], y.min(), y.max()))
    return f"{what}: from {first} to {last}, between {low} and {high}."
