"""Open a FITS file; whatever is wrong with the file itself becomes one sentence."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.io import fits


@contextmanager
def open_fits(path: str | Path) -> Iterator[fits.HDUList]:
    """The HDUs of `path`, also for reading their data, within a ``with`` block.

    Raises:
        ValueError: The file is truncated or no FITS file.
        OSError: No such file.
    """
    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    try:
        with warnings.catch_warnings():
            # Astropy goes on after these two with part of the file.
            damage = "(?s).*(truncated|Error validating header)"
            warnings.filterwarnings("error", damage, AstropyUserWarning)
            # Opened here, for astropy leaves a file open that it cannot read.
            with open(path, "rb") as file, fits.open(file) as hdus:
                len(hdus)  # reads every header now
                yield hdus
    except FileNotFoundError:
        raise
    except (OSError, EOFError, TypeError, KeyError, IndexError, AstropyUserWarning) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f"{path} is damaged or no FITS file: {lines[0].rstrip('.')}") from None


def tables_of(hdus: fits.HDUList) -> list[fits.BinTableHDU | fits.TableHDU]:
    """Those HDUs that are tables."""
    from astropy.io import fits

    return [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]


def held_by(hdus: fits.HDUList) -> str:
    """The names of the HDUs, for a message."""
    return ", ".join(hdu.name or "unnamed" for hdu in hdus)
