"""The run that is shown as files of maps, and its X-ray circles as DS9 regions.

The library writes the maps, as ``massgan reconstruct`` does: into a folder that is gone when
its bytes have been read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import massgan_core as mg
from explorer import store
from explorer.state import LEVEL

if TYPE_CHECKING:
    from explorer.store import Circles
    from massgan_core.export import Interval
    from massgan_core.posterior import Summary
    from massgan_core.survey import Clusters

LARGEST = 512e6  #: of the samples in a file that a page hands over [bytes]


@dataclass(frozen=True, eq=False)
class Run:
    """Samples, who drew them, and how the page looks at them."""

    summary: Summary
    sampler: str  #: as :attr:`explorer.state.State.sampler` calls it
    smoothing: float  #: of Kaiser–Squires and of the chance [arcmin]
    threshold: float  #: κ of the chance
    blur: float = 0.0  #: of the samples, for maps beside the plain ones [arcmin]; 0: no such maps

    @property
    def name(self) -> str:
        """Field, sampler, number of samples and seed, fit for a file's name."""
        seed = self.summary.provenance["seed"]
        words = f"{self.summary.field.name} {self.sampler} n{self.summary.n} seed{seed}"
        return file_name(words)


def file_name(words: str) -> str:
    """`words` as the beginning of a file's name."""
    return re.sub(r"[^\w.-]+", "-", words).strip("-.")[:80] or "massgan"


def fits(run: Run) -> bytes:
    """FITS: an image with WCS for each map."""
    return made(lambda path: _write(run, path), "maps.fits")


def netcdf(run: Run) -> bytes:
    """NetCDF: the maps and the samples kept, with coordinates."""
    _check_size(run.summary)
    return made(lambda path: _write(run, path, save_samples=True), "maps.nc")


def zarr(run: Run) -> bytes:
    """A Zarr store of the same, zipped: as ``zarr.storage.ZipStore`` reads it, or unpacked."""
    _check_size(run.summary)

    def write(path: Path) -> None:
        folder = _write(run, path.with_suffix(""), save_samples=True)
        with ZipFile(path, "w") as archive:  # its chunks are compressed already
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    archive.write(file, file.relative_to(folder))

    return made(write, "maps.zarr.zip")


def made(write: Callable[[Path], Any], name: str) -> bytes:
    """The bytes that `write` puts into a file of this name, of which nothing is left behind."""
    try:
        with TemporaryDirectory(prefix="massgan-") as folder:
            path = Path(folder) / name
            write(path)
            return path.read_bytes()
    except OSError as error:
        # Its own words name a folder of the server.
        raise OSError(
            f"the file could not be made: {error.strerror or 'no reason known'}"
        ) from error


def regions(circles: Circles, chosen: str = "") -> bytes:
    """The clusters of a field as DS9 regions: circles of radius r500; `chosen` is thick.

    References:
        https://ds9.si.edu/doc/ref/region.html
    """
    table = rows_of(circles)
    lines = [
        "# Region file format: DS9 version 4.1",
        f"# clusters of galaxies, radius r500; massgan {mg.__version__}",
        "global color=green width=1",
        "fk5",
    ]
    for name, ra, dec, radius in zip(table.name, table.ra, table.dec, table.r500, strict=True):
        mark = " width=3 tag={chosen}" * (name == chosen)
        lines.append(f"circle({ra:.6f},{dec:+.6f},{radius:.4f}') # text={{{name}}}{mark}")
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def rows_of(circles: Circles) -> Clusters:
    """The rows of the list that `circles` were drawn from."""
    return circles.rows


def _write(run: Run, path: Path, *, save_samples: bool = False) -> Path:
    """Write the maps as `massgan reconstruct` does, by the suffix of `path`."""
    from massgan_core.export import write

    outside, interval, reasons = _guarantee(run)
    return write(
        run.summary,
        path,
        ks=mg.KaiserSquires(run.smoothing),
        level=LEVEL,
        interval=interval,
        uncalibrated=reasons,
        threshold=run.threshold,
        prob_smoothing=run.smoothing,
        blur=run.blur,
        outside=outside,
        save_samples=save_samples,
    )


def _guarantee(run: Run) -> tuple[list[str] | None, Interval | None, list[str]]:
    """Why the field is outside the domain, the calibrated interval, and why there is none."""
    method, _, checkpoint = run.sampler.partition(":")
    if not checkpoint:
        return None, None, [f"{method} has no calibration"]
    outside = store.sampler(run.sampler, run.summary.field).in_domain(run.summary.field)
    known = store.calibration(run.sampler)
    if known is None:
        return outside, None, [f"checkpoint {checkpoint!r} has no calibration"]
    return outside, *mg.guaranteed(run.summary, known, LEVEL, outside)


def _check_size(summary: Summary) -> None:
    height, width = summary.field.grid.shape
    size = 4 * summary.kept * height * width
    if size > LARGEST:
        raise ValueError(
            f"{summary.kept} samples of {width} × {height} pixels take {size / 1e6:.0f} MB, and a "
            f"page hands over at most {LARGEST / 1e6:.0f} MB: draw fewer of them, or take "
            "`massgan reconstruct --save-samples`"
        )
