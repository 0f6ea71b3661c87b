"""How long `import massgan_core` takes beside `import torch` alone.

    python benchmarks/import_time.py --repeat 15

Fresh processes, one of each kind in turn, so that a busy machine slows all alike. Medians of the
processor's seconds and of the clock's, and the ratio to torch of the medians and, as pairs, of
each turn. Prints a table, then one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys

from rich.console import Console
from rich.table import Table

KINDS = {
    "import torch": "import torch",
    "import massgan_core": "import massgan_core",
    "… and the first names": "import massgan_core as mg; mg.Grid, mg.ShearField, mg.stream",
    "… and all names": "import massgan_core as mg; [getattr(mg, name) for name in mg.__all__]",
    "massgan --version": "import massgan_core.cli.main",
}
SCRIPT = """
import time
wall, own = time.perf_counter(), time.process_time()
{}
print(time.perf_counter() - wall, time.process_time() - own)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeat", type=int, default=15, help="turns")
    asked = parser.parse_args()
    turns = [{name: seconds(what) for name, what in KINDS.items()} for _ in range(asked.repeat)]
    base, found = "import torch", {}
    table = Table("", "clock [s]", "processor [s]", "over torch", "over torch, pairs")
    for name in KINDS:
        wall, own = (statistics.median(turn[name][i] for turn in turns) for i in (0, 1))
        of_medians = own / statistics.median(turn[base][1] for turn in turns)
        of_pairs = statistics.median(turn[name][1] / turn[base][1] for turn in turns)
        found[name] = [wall, own, of_medians, of_pairs]
        table.add_row(name, *(f"{value:.2f}" for value in found[name]))
    Console().print(table)
    print(json.dumps({"repeat": asked.repeat, **found}))


def seconds(statement: str) -> tuple[float, float]:
    """Of the clock and of the processor, in a process of its own."""
    command = [sys.executable, "-c", SCRIPT.format(statement)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, own = done.stdout.split()
    return float(wall), float(own)


if __name__ == "__main__":
    main()
