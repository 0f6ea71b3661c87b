"""A summary as FITS: one image a map, the field's WCS, provenance in the primary header.

The same summary gives the same bytes: no date and no checksum is written.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from massgan_core.export.maps import Maps
from massgan_core.export.whole import whole
from massgan_core.posterior import Summary
from massgan_core.sky import Grid

#: Fact → (keyword, comment). Facts without a keyword become HISTORY.
KEYWORDS = {
    "version": ("VERSION", "MassGAN version"),
    "method": ("METHOD", "how kappa was inferred"),
    "field": ("OBJECT", "field"),
    "checkpoint": ("CKPT", "checkpoint of the network"),
    "digest": ("CKPTDIG", "digest of the checkpoint"),
    "n": ("NSAMP", "samples behind MEAN and STD"),
    "kept": ("NKEPT", "samples behind PROB, quantiles, STD_SM"),
    "seed": ("SEED", "sample i depends on (SEED, i) alone"),
    "batch": ("BATCH", "samples a network call"),
    "threads": ("THREADS", "CPU threads"),
    "dtype": ("DTYPE", "arithmetic of the sampler"),
    "device": ("DEVICE", "device of the sampler"),
    "pixel_scale": ("PIXSCALE", "[arcmin] side of a pixel"),
    "zero_point": ("ZEROPT", "what was subtracted from every map"),
    "level": ("LEVEL", "probability between LOW and HIGH"),
    "calibrated": ("CALIB", "whether LOW and HIGH are calibrated"),
    "interval_method": ("CALMETH", "how they were: residual, cqr or rcps"),
    "calibration_maps": ("CALMAPS", "simulated maps behind the calibration"),
    "calibration_boxes": ("CALBOXES", "simulation boxes they come from"),
    "calibration_samples": ("CALSAMP", "posterior samples of each of them"),
    "in_domain": ("INDOMAIN", "field lies in the domain of the checkpoint"),
    "threshold": ("PROBTHR", "threshold of PROB on smoothed kappa"),
    "prob_smoothing": ("PROBSMO", "[arcmin] Gaussian std of that smoothing"),
    "ks_smoothing": ("KSSMO", "[arcmin] Gaussian std of KS and KS_B"),
    "blur": ("BLUR", "[arcmin] Gaussian std of the maps named _SM"),
}

#: Facts repeated in the header of the maps they are about.
_ABOUT = {
    "LOW": ("level", "calibrated", "interval_method"),
    "HIGH": ("level", "calibrated", "interval_method"),
    "PROB": ("threshold", "prob_smoothing"),
    "KS": ("ks_smoothing",),
    "KS_B": ("ks_smoothing",),
    **dict.fromkeys(("MEAN_SM", "STD_SM", "SNR_SM"), ("blur", "kept")),
}

_PLAIN = str.maketrans(
    {"κ": "kappa", "γ": "gamma", "σ": "sigma", "′": "'", "″": '"', "°": " deg", "²": "^2"}
    | {"≥": ">=", "≤": "<=", "×": "x", "±": "+-", "–": "-", "—": "-", "−": "-", "…": "..."}
)


def to_fits(
    summary: Summary,
    path: str | PathLike[str],
    *,
    overwrite: bool = False,
    **choices: Any,
) -> Path:
    """Write the maps of a summary as image HDUs of a FITS file, whole or not at all.

    Args:
        summary: Of the samples drawn.
        path: File to write.
        overwrite: Replace a file that stands there.
        choices: ``ks``, ``level``, ``threshold``, ``prob_smoothing``, ``blur``, ``outside``,
            ``interval``, ``uncalibrated`` and ``save_samples`` of
            :meth:`massgan_core.export.Maps.of`.

    Returns:
        The path written.

    Raises:
        ValueError: A choice that makes no sense for this summary.
        OSError: The file exists, or cannot be written.
    """
    path = Path(path)
    hdus = _hdus(Maps.of(summary, **choices))
    with whole(path, overwrite=overwrite) as part:
        hdus.writeto(part, output_verify="exception")
    return path


def _hdus(maps: Maps) -> fits.HDUList:
    wcs = _wcs_header(maps.grid)
    hdus = fits.HDUList([fits.PrimaryHDU(header=_primary(maps))])
    for name, image in maps.images.items():
        header = wcs.copy()
        _add_facts(header, {k: maps.facts[k] for k in _ABOUT.get(name, ()) if k in maps.facts})
        header.add_comment(_plain(maps.meaning[name]))
        hdus.append(fits.ImageHDU(image, header, name=name))
    if maps.samples is not None:
        hdus.append(fits.ImageHDU(maps.samples, _cube_header(wcs), name="SAMPLES"))
    return hdus


def _primary(maps: Maps) -> fits.Header:
    header = fits.Header()
    _add_facts(header, maps.facts)
    header.add_comment("SNR = MEAN / STD of the posterior; it is no detection significance.")
    facts = dict(maps.facts)
    if facts["calibrated"]:
        header.add_comment(_plain(f"LOW and HIGH: {facts.pop('promise')}."))
    else:
        header.add_comment("LOW and HIGH are not calibrated: they carry no guarantee.")
    spare = [f"{k} = {v}" for k, v in facts.items() if k not in KEYWORDS]
    for line in (*spare, *maps.remarks):
        header.add_history(_plain(line))
    return header


def _add_facts(header: fits.Header, facts: dict[str, Any]) -> None:
    for fact, (keyword, comment) in KEYWORDS.items():
        if fact in facts:
            value = facts[fact]
            header[keyword] = (_plain(value) if isinstance(value, str) else value, comment)


def _wcs_header(grid: Grid) -> fits.Header:
    """The WCS as keywords; without one, the pixel scale."""
    header = fits.Header()
    if grid.wcs is None:
        header["PIXSCALE"] = (grid.pixel_scale, "[arcmin] side of a pixel")
        return header
    header.update(grid.wcs.to_header(relax=True))
    # `to_header` prints 12 digits: give the numbers that fix the position in full.
    exact = {"CRPIX": grid.wcs.wcs.crpix, "CRVAL": grid.wcs.wcs.crval}
    if not grid.wcs.wcs.has_cd():
        exact["CDELT"] = grid.wcs.wcs.cdelt
    for stem, values in exact.items():
        for axis, value in enumerate(values, start=1):
            if np.isclose(header.get(f"{stem}{axis}", 0 if stem != "CDELT" else 1), value):
                header[f"{stem}{axis}"] = float(value)
    return header


def _cube_header(wcs: fits.Header) -> fits.Header:
    """Sky axes as in the maps, and the number of the sample along the third."""
    header = wcs.copy()
    if "WCSAXES" in header:
        header["WCSAXES"] = 3
        header["CTYPE3"] = ("SAMPLE", "number of the sample, from 0")
        header["CRPIX3"], header["CRVAL3"], header["CDELT3"] = 1.0, 0.0, 1.0
    header.add_comment("posterior samples of kappa")
    return header


def _plain(text: str) -> str:
    """`text` in the printable ASCII that FITS headers are made of."""
    text = text.translate(_PLAIN).encode("ascii", "replace").decode()
    return "".join(c if c.isprintable() else " " for c in text)
