"""Regenerate the tables bundled in massgan_core/survey/bundled from the original files.

    python benchmarks/make_cosmos_tables.py DATA_FOLDER [--spectrum-only]

`DATA_FOLDER` holds ``cosmos/cosmos_shapes.fits``, ``cosmos/cosmos_nz.csv`` and ``clusters/*.csv``.
The catalogue is rewritten without loss (same rows, same order, same bits).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np

from massgan_core.sky import Sources

BUNDLED = Path(__file__).parents[1] / "massgan_core" / "survey" / "bundled"


def catalogue(source: Path) -> None:
    """FITS table → Parquet; bytes of equal significance side by side compress best."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from astropy.io import fits

    rows = fits.getdata(source, "COSMOS_SHAPES")
    native = {name: rows[name].astype(rows[name].dtype.newbyteorder("=")) for name in rows.names}
    pq.write_table(
        pa.table(native),
        BUNDLED / "cosmos_shapes.parquet",
        compression="zstd",
        compression_level=22,
        use_dictionary=False,
        use_byte_stream_split=True,
        row_group_size=len(rows),
    )


def spectrum(nz: Path) -> None:
    """Theory C_ℓ of κ for the COSMOS n(z), 80 points from ℓ = 10 to 1e5."""
    import pyccl as ccl

    sources = Sources.read(str(nz))
    cosmology = ccl.Cosmology(
        Omega_c=0.26,
        Omega_b=0.049,
        h=0.677,
        sigma8=0.81,
        n_s=0.965,
        transfer_function="eisenstein_hu",
        matter_power_spectrum="halofit",
    )
    tracer = ccl.WeakLensingTracer(cosmology, dndz=(sources.redshift, sources.density))
    ell = np.geomspace(10, 1e5, 80)
    power = ccl.angular_cl(cosmology, tracer, tracer, ell)
    header = "ell,c_ell"
    table = np.column_stack([ell, power])
    path = BUNDLED / "cosmos_power.csv"
    np.savetxt(path, table, "%.8e", ",", header=header, comments="")


def main() -> None:
    """Rewrite every table, or the power spectrum alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--spectrum-only", action="store_true")
    given = parser.parse_args()
    if not given.spectrum_only:
        catalogue(given.data / "cosmos" / "cosmos_shapes.fits")
        shutil.copyfile(given.data / "cosmos" / "cosmos_nz.csv", BUNDLED / "cosmos_nz.csv")
        for path in (given.data / "clusters").glob("*.csv"):
            shutil.copyfile(path, BUNDLED / path.name)
    spectrum(BUNDLED / "cosmos_nz.csv")


if __name__ == "__main__":
    main()
