"""What was measured, in words and tables: numbers come in, nothing is computed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.elements.curves import Chart, Layer, limits, with_gaps
from explorer.regions import named

if TYPE_CHECKING:
    from explorer.measurer import Measurement, Row, Ruler, Section
    from massgan_core.peaks import Sampled

LEVELS = (0.68, 0.95)
LEAST = (7, 40)  #: samples from which intervals of these levels are known
HEADS = {
    "Region": "As it is numbered on the maps",
    "Area": "Of its part that was observed [arcmin²]",
    "Mean κ": "Mean of κ inside, above the mean of the field: posterior mean ± std",
    "κ > 0": "In how many samples the mean κ inside is above that of the field",
    "Highest pixel": "Highest κ inside, in each sample: higher than in the mean map",
    "Aperture mass": "Of circles: M_ap, which no constant added to κ changes",
}
DRAW = {
    "move": "Choose a shape above, then draw it on any map.",
    "circle": "Drag on any map, from the centre of the circle outwards.",
    "box": "Drag on any map, from corner to corner.",
    "polygon": "Click the corners on any map; double-click, or click the first one, to close it.",
    "line": "Drag on any map, from one end of the line to the other.",
}
NO_SAMPLES = "Draw samples, then pause or let them finish, to measure them."


def standing(found: Measurement | None, *, live: bool, busy: bool, empty: bool) -> tuple[str, str]:
    """A word for scripts, and a sentence on what the numbers are of."""
    if empty:
        return "empty", "Draw a region or a line on any map, or type one below."
    if busy:
        return "busy", "Measuring …"
    if live:
        return "old", "Measured anew once the run rests."
    if found is None or found.summary is None:
        return "waiting", NO_SAMPLES
    if not found.n:
        return "mean", (
            f"From the mean of {found.summary.n} samples drawn beforehand: press Start for error "
            "bars."
        )
    if found.n == 1:
        return "current", "From one sample: error bars need more."
    few = [
        f"{level:.0%} from {n}" for level, n in zip(LEVELS, (7, 40), strict=True) if found.n < n
    ]
    shows = f" Intervals show from enough samples: {', '.join(few)}." if few else ""
    return "current", f"From {found.n} samples.{shows}"


def table(regions: Sequence[tuple], found: Measurement | None, chosen: int | None) -> str:
    """All regions, each with its posterior."""
    heads = "".join(f'<th title="{escape(w)}">{escape(h)}</th>' for h, w in HEADS.items())
    rows = {} if found is None else found.rows
    body = "".join(
        f'<tr{" class=chosen" * (i == chosen)}><th scope="row"><b>{i + 1}</b> '
        f"{escape(named(region))}</th>{_cells(rows.get(region))}</tr>"
        for i, region in enumerate(regions)
    )
    return (
        '<div class="measured" id="massgan-regions"><table>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cells(row: Row | None) -> str:
    if row is None:
        return f'<td class="why" colspan="{len(HEADS) - 1}">not measured yet</td>'
    if row.found is None:
        return f'<td class="why" colspan="{len(HEADS) - 1}">{escape(row.problem)}</td>'
    found = row.found
    seen = f"<small>{found.seen:.0%} of it seen</small>" if found.seen < 0.995 else ""
    n = len(found.kappa.values)
    above = f"{found.kappa.above()} of {n}<small>samples</small>" if n > 1 else "–"
    mass = "–" if row.mass is None else posterior(row.mass, 4)
    cells = (f"{found.area:.1f} ′²{seen}", posterior(found.kappa), above)
    return "".join(f"<td>{cell}</td>" for cell in (*cells, posterior(found.peak), mass))


def posterior(number: Sampled, digits: int = 3) -> str:
    """Mean ± std, and the intervals below it that so many samples can tell."""
    if len(number.values) < 2:
        return signed(number.mean, digits)
    lines = [f"{signed(number.mean, digits)} ± {number.std:.{digits}f}"]
    for level in LEVELS:
        ends = number.interval(level)
        if ends is not None:
            low, high = (signed(v, digits) for v in ends)
            lines.append(f"<small>{level:.0%}: {low} … {high}</small>")
    return "".join(lines)


def signed(value: float, digits: int = 3) -> str:
    """A number with a true minus."""
    return f"{value:.{digits}f}".replace("-", "−")


def facts(ruler: Ruler) -> str:
    """The length of the line."""
    rows = {"Length": f"{ruler.length:.2f}′"}
    if ruler.angle is not None:
        rows["Position angle, N to E"] = f"{ruler.angle:.1f}°"
    at = f"at z {ruler.redshift:.3g}"
    rows[f"Proper length {at}"] = f"{ruler.proper:.3g} Mpc"
    rows["Comoving"] = f"{ruler.comoving:.3g} Mpc"
    items = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in rows.items())
    return f'<dl class="facts" id="massgan-ruler">{items}</dl>'


def chart() -> Chart:
    """The figure of κ along the line, empty."""
    return Chart(
        "section",
        "along the line [′]",
        "κ",
        {
            "along_wide": Layer("band", "samples", "samples, 95%"),
            "along_samples": Layer("band", "samples", "samples, 68%"),
            "along_ks": Layer("dashed", "law", "Kaiser–Squires"),
            "along_mean": Layer("line", "mean", "mean of samples"),
            "along_truth": Layer("line", "truth", "truth"),
        },
        tooltip=[("along", "@x{0.0}′"), ("κ", "@y{0.000}")],
    )


def curves(section: Section) -> tuple[Any, dict[str, dict[str, np.ndarray]]] | None:
    """Limits and arrays of that figure; None where nothing is known along the line."""
    lines = {k: getattr(section, k) for k in ("mean", "truth", "ks")}
    arrays = {
        f"along_{k}": {"x": v.distance, "y": v.kappa.numpy()}
        for k, v in lines.items()
        if v is not None
    }
    heights = [columns["y"] for columns in arrays.values()]
    for key, level in zip(("samples", "wide"), LEVELS, strict=True):
        band = None if section.samples is None else section.samples.band(level)
        if band is not None:
            arrays[f"along_{key}"] = with_gaps(section.samples.distance, *band.numpy())
            heights += [arrays[f"along_{key}"]["low"], arrays[f"along_{key}"]["high"]]
    if not any(np.isfinite(h).any() for h in heights):
        return None
    end = max(v.distance[-1] for v in lines.values() if v is not None)
    return ((0.0, float(end)), limits(*heights)), arrays
