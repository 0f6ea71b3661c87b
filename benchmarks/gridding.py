"""Memory from a file of galaxies to a shear field.

    python benchmarks/gridding.py --galaxies 10000000 --side 300

The same galaxies are written as Parquet and FITS and opened by `mg.open_field` in a process of
its own, whose peak memory is given above what it has after its imports, and the seconds of
opening; one thread. How fast arrays are gridded is part of `make bench BENCH=gridding`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

CENTER, SCALE = (150.1, 2.2), 0.29


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--galaxies", type=int, default=10_000_000)
    parser.add_argument("--side", type=int, default=300, help="of the field [pixels]")
    asked = parser.parse_args()
    table = Table("file", "MB above imports", "seconds")
    for name, (memory, seconds) in files(galaxies(asked.galaxies, asked.side)).items():
        table.add_row(name, f"{memory:.0f}", f"{seconds:.1f}")
    Console().print(table)


def galaxies(n: int, side: int) -> dict[str, np.ndarray]:
    """Columns as catalogues have them, over a little more than the field."""
    rng, half = np.random.default_rng(0), 0.52 * side * SCALE / 60
    ra, dec = (rng.uniform(c - half, c + half, n) for c in CENTER)
    e1, e2 = 0.28 * rng.standard_normal((2, n), np.float32)
    return {"ra": ra, "dec": dec, "e1": e1, "e2": e2, "weight": rng.random(n, np.float32) + 0.1}


def files(columns: dict[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """Memory [MB] and seconds of opening each kind of file."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from astropy.table import Table as Rows

    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("galaxies.parquet", "galaxies.fits"):
            path = Path(folder) / name
            if path.suffix == ".fits":
                Rows(columns).write(path)
            else:
                pq.write_table(pa.table(columns), path)
            done = subprocess.run(
                [sys.executable, "-c", OPENED, str(path)], capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError(done.stderr)
            found[name] = tuple(json.loads(done.stdout.splitlines()[-1]))
            path.unlink()
    return found


#: What a process of its own does; a small catalogue brings in all that is imported late.
OPENED = """
import json, sys, time
import numpy as np
import massgan_core as mg

def peak():
    # Not ru_maxrss, which begins with that of the process that started this one.
    (line,) = (x for x in open("/proc/self/status") if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1024

import astropy.io.fits, pyarrow.parquet
mg.cosmos()
base, start = peak(), time.monotonic()
field = mg.open_field(sys.argv[1])
print(json.dumps([peak() - base, time.monotonic() - start]))
"""

if __name__ == "__main__":
    main()
