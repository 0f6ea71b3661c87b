"""What each picture is called, and what a person is told of it."""

from __future__ import annotations

from explorer.state import LEVEL

TITLES = {
    "truth": ("Truth", "The mass that was put into the simulation. No method gets to see it."),
    "ks": (
        "Kaiser–Squires",
        "The textbook map: galaxy shapes turned straight into mass and blurred. "
        "Noise looks like structure.",
    ),
    "b_mode": (
        "B mode",
        "The same from galaxies turned by 45°. Mass makes none: what shows is noise or a flaw.",
    ),
    "wiener": (
        "Wiener filter",
        "The best map of a sky without peaks or voids beyond chance: smooth, its peaks too low.",
    ),
    "sample": (
        "One sample",
        "One mass map that could have produced the data. Watch what stays from one to the next.",
    ),
    "mean": ("Mean", "The average of all samples so far: what they agree on."),
    "std": (
        "Uncertainty",
        "How far the samples differ from pixel to pixel: where not to be sure.",
    ),
    "snr": (
        "Signal to noise",
        "The mean over its uncertainty, pixel by pixel: how far from 0 for sure.",
    ),
    "low": (
        "Lower bound",
        f"The low end of the interval that holds the true κ in {LEVEL:.0%} of simulated skies.",
    ),
    "high": (
        "Upper bound",
        "The high end of that interval.",
    ),
    "chance": (
        "Chance of mass",
        "In how many of the samples κ is larger than the threshold.",
    ),
    "residual": (
        "Mean less truth",
        "What the samples get wrong together. Red: mass that is not there.",
    ),
    "fit": (
        "Fit to the shear",
        "How far the measured shear lies from the samples' own, over the noise: 1 is right.",
    ),
}
UNITS = {
    "std": "std of κ",
    "snr": "κ over its std",
    "chance": "share of samples",
    "fit": "χ² per measurement",
}
GALAXIES = {
    "galaxies": (
        "Galaxies",
        "Each measured galaxy shape is one faint hint of the mass before it. "
        "Drag a box to study a part.",
    ),
    "depth": (
        "Depth of the survey",
        "How many galaxies were measured here: the more, the surer. Drag a box to study a part.",
    ),
    "shear": (
        "Mean shear",
        "How galaxies are stretched on average, mostly by chance; lines run round mass. "
        "Drag a box to study a part.",
    ),
}
GUIDE = """
<div class="title">How to read these maps</div>
<p class="quiet" style="margin: 6px 0 14px">Mass bends light, so it stretches the images of
galaxies behind it a little, all in one pattern. From many galaxies one can tell where the mass
lies – but not exactly. Each sample is one answer that fits the data.</p>
<dl>
<dt>κ</dt><dd>Convergence: how much mass lies along the line of sight, against the average of the
field (0). No unit.</dd>
<dt>Circles</dt><dd>Clusters of galaxies found by their X-ray light, independently of lensing.
Real peaks should sit on some of them.</dd>
<dt>Plain areas</dt><dd>No galaxies were measured there: bright stars, the edge of the survey.</dd>
<dt>East</dt><dd>is left and North is up, as one sees the sky.</dd>
<dt>Moving</dt><dd>Drag to move all maps together, Ctrl + wheel to zoom, hover for position and
value.</dd>
<dt>Colours</dt><dd>Drag the ends of a colour bar, or its middle, to other values; double-click
for the usual ones.</dd>
<dt>Keys</dt><dd>Space starts and pauses, ? shows them all.</dd>
</dl>
"""
EMPTY = {
    "sample": "Press Start to draw one",
    "mean": "The average will grow here",
    "std": "The uncertainty will grow here",
    "snr": "Needs two samples",
    "low": "Calibrated networks, at rest",
    "high": "Calibrated networks, at rest",
    "chance": "Needs samples to count",
    "residual": "Needs a mean to compare",
    "fit": "Needs samples, at rest",
}
KAPPA_MAPS = ("truth", "ks", "b_mode", "wiener", "sample", "mean", "low", "high", "residual")
SIGNED = (*KAPPA_MAPS, "snr", "fit")
POSTERIOR = tuple(EMPTY)  #: maps that come from samples
PAIRED = ("std", "snr")  #: need two samples
FIXED = {"chance": (0.0, 1.0), "fit": (0.5, 1.5)}  #: limits that no picture changes


def called(sampler: str) -> str:
    """A sampler in the words of the page."""
    method, _, checkpoint = sampler.partition(":")
    return {"gan": f"GAN – {checkpoint}", "score": f"Learned prior – {checkpoint}"}.get(
        method, "Wiener filter"
    )
