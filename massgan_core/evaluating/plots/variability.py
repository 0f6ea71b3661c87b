"""How posterior samples differ: some side by side, each less the MEAN, MEAN and STD of them all.

Each sample is shown less the MEAN and not less another sample: that is what STD is the size of,
and what the error of the MEAN, where the truth is known, should look like.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from massgan_core.evaluating.plots.page import SLIDE, Page, made_by
from massgan_core.evaluating.plots.panels import (
    LEFT,
    Circles,
    Scale,
    color_bar,
    draw_map,
    name_axes,
    on_sky,
)
from massgan_core.posterior import Summary

MOST = 6  #: samples that fit side by side

KAPPA = "convergence κ: projected mass, no unit; 0 is the mean of the field"
DIFFERENCE = "difference of κ (no unit)"
SPREAD = "STD of κ (no unit)"

_RIGHT, _GAP, _WIDE = 0.2, 0.1, 0.3  # beside the maps [in]
_LARGEST, _NARROWEST = 2.3, 9.0  # map and page [in]
_SHORT, _LINE = 1.8, 0.22  # maps too narrow for a name in one line, and a line more [in]
_NAME, _TICKS, _BAR, _BAR_NAMES = 0.3, 0.24, 0.13, 0.44  # above and below the maps [in]


@dataclass(frozen=True, eq=False)
class Rows:
    """The maps by name: κ above; differences and, last, STD below.

    Args:
        kappa: Samples, the truth where known, MEAN.
        difference: Of each but the last, from MEAN.
        std: Of all samples.
    """

    kappa: dict[str, Float[Tensor, "H W"]]
    difference: dict[str, Float[Tensor, "H W"]]
    std: Float[Tensor, "H W"]

    @classmethod
    def of(cls, summary: Summary, show: int) -> Rows:
        """The maps of a summary that kept at least `show` samples."""
        mean, truth = summary.mean, summary.field.truth
        kappa = {f"sample {i + 1}": summary.samples[i] for i in range(show)}
        difference = {f"{name} − MEAN": image - mean for name, image in kappa.items()}
        if truth is not None:
            kappa["TRUTH"] = truth.cpu()
            difference["TRUTH − MEAN"] = truth.cpu() - mean
        kappa[f"MEAN of {summary.n}"] = mean
        return cls(kappa, difference, summary.std)


def variability(
    summary: Summary,
    show: int = 4,
    *,
    title: str = "How sure is the mass map?",
    clusters: Circles | None = None,
) -> Page:
    """Samples, their differences from the MEAN, MEAN and STD; the truth where it is known.

    Args:
        summary: Of at least two samples, of which it kept `show` or more.
        show: Samples side by side, 1 to `MOST`.
        title: Of the page.
        clusters: X-ray clusters, drawn on the maps of a real field.

    Raises:
        ValueError: Too few samples.
    """
    if not 1 <= show <= MOST:
        raise ValueError(f"`show` must lie between 1 and {MOST}, got {show}")
    if summary.n < 2 or len(summary.samples) < show:
        raise ValueError(
            f"`summary` must hold at least {max(show, 2)} samples, got {summary.n} of which "
            f"{len(summary.samples)} were kept"
        )
    field, rows = summary.field, Rows.of(summary, show)
    clusters = clusters if on_sky(field) else None
    columns, ratio = len(rows.kappa), field.grid.extent[0] / field.grid.extent[1]
    spare = LEFT + _RIGHT + (columns - 2) * _GAP + _WIDE
    side = min((SLIDE - spare) / columns, _LARGEST, _LARGEST / ratio)
    tall, below = side * ratio, _GAP + _BAR + _BAR_NAMES
    names = _NAME + (_LINE if side < _SHORT else 0)  # above the lower row
    page = Page.of(
        title,
        f"{field.name}  ·  {summary.n} samples  ·  {made_by(summary.provenance)}",
        _caption(summary, clusters),
        width=max(columns * side + spare, _NARROWEST),
        body=_NAME + names + 2 * (tall + below) + _TICKS,
    )
    lefts = [LEFT + i * (side + _GAP) for i in range(columns)]
    lefts[-1] += _WIDE - _GAP
    first = page.top + _NAME
    second = first + tall + below + names

    def row(top: float, maps: dict[str, Tensor], scale: Scale, start: int, label: str) -> None:
        """Maps from column `start` on, and their colour bar."""
        last = top == second
        for left, (name, image) in zip(lefts[start:], maps.items(), strict=False):
            axes, edge = page.axes(left, top, side, tall), left == lefts[0]
            if side < _SHORT:
                name = name.replace(" −", "\n−")
            look = {"title": name, "left": edge, "bottom": last, "ruler": edge and not last}
            drawn = draw_map(axes, image, field, scale, clusters=clusters, **look)
        under = top + tall + _GAP + (_TICKS if last else 0)
        bar = page.axes(lefts[start], under, left + side - lefts[start], _BAR)
        color_bar(bar, drawn, label)

    area, std = field.footprint, {f"STD of {summary.n}": rows.std}
    row(first, rows.kappa, Scale.of([*rows.kappa.values()], area), 0, KAPPA)
    row(second, rows.difference, Scale.of([*rows.difference.values()], area), 0, DIFFERENCE)
    row(second, std, Scale.of([rows.std], area, signed=False), columns - 1, SPREAD)
    name_axes(page, field, [first, second], tall)
    return page


def _caption(summary: Summary, clusters: Circles | None) -> str:
    words = [
        "The shear of galaxies is noisy, so many mass maps fit it: each sample is one that does, "
        "drawn at random. Upper row: samples, and the MEAN of all, the mass they agree on. "
        f"Lower row: each sample minus that MEAN of {summary.n}, that is, what the data leave "
        "open; STD is the usual size of these differences in each pixel."
    ]
    if summary.field.truth is not None:
        words.append(
            "If the samples are honest, TRUTH − MEAN, the error, could pass for one of them."
        )
    if clusters is not None:
        words.append(
            "Circles: clusters of galaxies known from X-rays (radius r500), which no map was "
            "told of."
        )
    return " ".join([*words, "Hatched: not observed."])
