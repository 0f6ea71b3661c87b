"""Galaxies a second from arrays to a shear field, and memory from a file to one.

    python benchmarks/gridding.py --galaxies 4000000
    python benchmarks/gridding.py --galaxies 10000000 --files

One thread. First the steps, each the median of several repeats by the processor's own clock,
beside what the machine can do: copying the columns once, and one `numpy.bincount` with weights.
With `--files` the same galaxies are written as Parquet and FITS and opened by `mg.open_field` in
a process of its own, whose peak memory is given above what it has after its imports, and the
time of opening. Prints a table, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402

import massgan_core as mg  # noqa: E402
from massgan_core.survey.binning import ROWS, PixelSums  # noqa: E402
from massgan_core.survey.tangent_plane import places  # noqa: E402

CENTER, SCALE = (150.1, 2.2), 0.29


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--galaxies", type=int, default=4_000_000)
    parser.add_argument("--side", type=int, default=300, help="of the field [pixels]")
    parser.add_argument("--repeat", type=int, default=5, help="times each step is measured")
    parser.add_argument("--files", action="store_true", help="also open files of them")
    asked = parser.parse_args()
    columns = galaxies(asked.galaxies, asked.side)
    rates = steps(columns, asked.side, asked.repeat)
    found = {"galaxies": asked.galaxies, "side": asked.side, "million_a_second": rates}
    table = Table("step", "million galaxies/s", title="one thread")
    for name, rate in rates.items():
        table.add_row(name, f"{rate:.1f}")
    Console().print(table)
    if asked.files:
        found["files"] = files(columns)
        table = Table("file", "MB above imports", "seconds")
        for name, (memory, seconds) in found["files"].items():
            table.add_row(name, f"{memory:.0f}", f"{seconds:.1f}")
        Console().print(table)
    print(json.dumps(found))


def galaxies(n: int, side: int) -> dict[str, np.ndarray]:
    """Columns as catalogues have them, over a little more than the field."""
    rng, half = np.random.default_rng(0), 0.52 * side * SCALE / 60
    ra, dec = (rng.uniform(c - half, c + half, n) for c in CENTER)
    e1, e2 = 0.28 * rng.standard_normal((2, n), np.float32)
    return {"ra": ra, "dec": dec, "e1": e1, "e2": e2, "weight": rng.random(n, np.float32) + 0.1}


def steps(columns: dict[str, np.ndarray], side: int, repeat: int) -> dict[str, float]:
    """Million galaxies a second of each step."""
    grid = mg.Grid.tan((side, side), SCALE, center=CENTER)
    catalog, n = mg.Catalog(**columns), len(columns["ra"])
    size = side * side
    index, values = np.random.default_rng(1).integers(0, size, n), np.random.rand(n)
    sums = PixelSums(grid)

    def project() -> None:
        for _, place in places(grid, catalog.ra, catalog.dec):
            place.turn  # noqa: B018 (made when asked for)

    def bin_parts() -> None:
        rows = max(ROWS, size)
        for start in range(0, n, rows):
            part = slice(start, start + rows)
            sums._bin(index[part], values[part], values[part], values[part])

    what = {
        "columns copied": lambda: [c.copy() for c in columns.values()],
        "one numpy.bincount": lambda: np.bincount(index, values, size),
        "projection and North": project,
        "binning: counts and four sums": bin_parts,
        "all of it: grid_catalog": lambda: mg.grid_catalog(catalog, grid),
        "from arrays: Catalog, grid_catalog": lambda: mg.grid_catalog(mg.Catalog(**columns), grid),
    }
    return {name: n / 1e6 / median(step, repeat) for name, step in what.items()}


def median(step: Callable[[], object], repeat: int) -> float:
    """Of the processor's seconds."""
    times = []
    for _ in range(repeat + 1):
        start = time.process_time()
        step()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


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
