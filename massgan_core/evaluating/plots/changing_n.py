r"""A page on how the mean of ever more samples settles: scores against N, and the map itself.

Exact posterior samples gain :math:`10 \log_{10} 2N/(N + 1)` dB in PSNR, samples of another
spread what :mod:`massgan_core.evaluate.convergence` derives. RMSE follows from either by
:math:`\mathrm{RMSE}_N = \mathrm{RMSE}_1\,10^{-\mathrm{gain}/20}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from massgan_core.evaluating.plots.colors import BLUE, FAINT, INK, ORANGE
from massgan_core.evaluating.plots.growth import Growth, Settled
from massgan_core.evaluating.plots.page import HEAD, SLIDE, SMALL, TEXT, Page
from massgan_core.evaluating.plots.panels import LEFT, Scale, color_bar, draw_map, name_axes
from massgan_core.sky import ShearField

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TITLES = {
    "psnr": "PSNR [dB], higher is better",
    "rmse": "RMSE, lower is better",
    "r": "Pearson r, 1 is perfect",
    "ssim": "SSIM, 1 is perfect",
}
KAPPA = "convergence κ (no unit)"

_RIGHT, _GAP = 0.15, 0.1  # beside the maps, at least [in]
_BAR, _BAR_NAMES = 0.14, 0.7  # the colour bar at their right, and its numbers [in]
_KEY, _NAME, _TICKS, _BETWEEN, _CURVE = 0.3, 0.3, 0.52, 0.1, 2.0  # heights [in]
_NUMBERS = 0.78  # room for the numbers at the left of a curve [in]
_LARGEST = 2.8  # side of a map [in]


def changing_n(growth: Growth, example: Settled, *, made_by: str = "") -> Page:
    """Scores against the number of samples above, and below how the mean of one field settles.

    Args:
        growth: Over all fields.
        example: One of them.
        made_by: Method and seed, in words.
    """
    field, total = example.field, growth.found.n[-1]
    maps = {f"MEAN of {n}" if n > 1 else "1 sample": m for n, m in example.maps.items()}
    maps["TRUTH"] = field.truth
    ratio = field.grid.extent[0] / field.grid.extent[1]
    spare = LEFT + _RIGHT + len(maps) * _GAP + _BAR + _BAR_NAMES
    side = min((SLIDE - spare) / len(maps), _LARGEST, _LARGEST / ratio)
    tall = side * ratio
    many = f"{growth.fields} fields" if growth.fields > 1 else field.name
    page = Page.of(
        "How many samples are enough?",
        "  ·  ".join(filter(None, (many, f"1 to {total} samples", made_by))),
        _caption(growth, field),
        width=SLIDE,
        body=_KEY + _NAME + _CURVE + _TICKS + _BETWEEN + _NAME + tall + 0.25,
    )
    top = page.top + _KEY + _NAME
    _curves(page, growth, top)
    _maps(page, maps, field, top + _CURVE + _TICKS + _BETWEEN + _NAME, (side, tall))
    return page


def _curves(page: Page, growth: Growth, top: float) -> None:
    """The four scores side by side, and one key for all of them."""
    wide = (page.width - LEFT - _RIGHT + _NUMBERS) / len(TITLES)
    for place, (name, title) in enumerate(TITLES.items()):
        axes = page.axes(LEFT + place * wide, top, wide - _NUMBERS, _CURVE)
        _curve(axes, growth, name)
        axes.set_title(title, fontsize=HEAD, color=INK, pad=5)
    first = page.figure.axes[0]
    key = page.figure.legend(
        *first.get_legend_handles_labels(),
        loc="upper left",
        bbox_to_anchor=(0.05 / page.width, 1 - (page.top - 0.02) / page.height),
        ncols=3,
        fontsize=TEXT,
        frameon=False,
        borderpad=0.1,
        columnspacing=1.6,
    )
    key.set_in_layout(False)


def _curve(axes: Axes, growth: Growth, name: str) -> None:
    found, values = growth.found, growth.values(name)
    for gains, label, style in (
        (found.ideal, "exact posterior samples: + 10·log₁₀(2N/(N+1)) dB", {"ls": "--", "lw": 2}),
        (found.law, f"law for the measured spread/skill {growth.spread_skill:.2f}", {"lw": 2}),
    ):
        if name in ("psnr", "rmse"):
            color = ORANGE if gains is found.ideal else FAINT
            axes.plot(found.n, _follow(values[0], gains, name), color=color, label=label, **style)
    errors = growth.changes[name] if growth.boxes > 1 else None
    if name not in ("psnr", "rmse"):  # no law: a line to lead the eye
        axes.plot(found.n, values, color=BLUE, lw=1, alpha=0.5)
    points = {"fmt": "o", "ms": 7, "lw": 2, "capsize": 4, "color": BLUE, "zorder": 3}
    axes.errorbar(found.n, values, errors, label="mean of N samples", **points)
    axes.set_xscale("log", base=2)
    marks = found.n if len(found.n) <= 5 else found.n[:: 2 if len(found.n) <= 9 else 3]
    axes.set_xticks(marks, [str(n) for n in marks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("N samples averaged", fontsize=TEXT, color=INK, labelpad=2)
    axes.tick_params(labelsize=SMALL, colors=INK, length=3, pad=2)
    axes.locator_params(axis="y", nbins=5)
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.grid(color="#dddddd", lw=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _follow(first: float, gains: Sequence[float], name: str) -> list[float]:
    """PSNR or RMSE of the mean of N samples whose PSNR gains this much [dB]."""
    if name == "psnr":
        return [first + gain for gain in gains]
    return [first * 10 ** (-gain / 20) for gain in gains]


def _maps(
    page: Page,
    maps: dict[str, Tensor],
    field: ShearField,
    top: float,
    size: tuple[float, float],
) -> None:
    """The means in a row as wide as the page, the truth, and one colour bar at the right."""
    (side, tall), left = size, LEFT
    room = page.width - LEFT - _RIGHT - _BAR - _BAR_NAMES
    apart = (room - len(maps) * side - _GAP) / (len(maps) - 1)
    scale = Scale.of([*maps.values()], field.footprint)
    for place, (name, image) in enumerate(maps.items()):
        look = {"title": name, "left": place == 0, "ruler": place == 0}
        drawn_map = draw_map(page.axes(left, top, side, tall), image, field, scale, **look)
        left += side + apart
    left = LEFT + room
    color_bar(page.axes(left, top, _BAR, tall), drawn_map, KAPPA, upright=True)
    name_axes(page, field, [top], tall)


def _caption(growth: Growth, field: ShearField) -> str:
    found, total = growth.found, growth.found.n[-1]
    if growth.boxes > 1:
        units = "simulation boxes" if growth.boxes < growth.fields else "fields"
        bars = f"Bars: 1 std error of the change since N = 1, from {growth.boxes} {units} redrawn."
    else:
        bars = "One field, no error bars."
    above = (
        "Each sample is one mass map that fits the noisy shear. Averaging N of them cancels what "
        "they do not agree on, fast at first: the mean of 8 exact samples has 2.5 of the 3.0 dB "
        f"that infinitely many gain. Here {total} gain {found.gain[-1]:.2f} dB, exact ones "
        f"{found.ideal[-1]:.2f} dB. Spread/skill is the scatter of the samples over the error of "
        f"their mean: 1 where they are exact. {bars}"
    )
    below = f"Below: the mean settling on {field.name}. Hatched: not observed."
    return f"{above} {below}"
