"""Peak memory of whole processes, over one that imports torch alone."""

from __future__ import annotations

from pathlib import Path

from performance.processes import peak

RECONSTRUCT = """
import sys, tempfile
from massgan_core.cli.main import main
with tempfile.TemporaryDirectory() as folder:
    sys.argv = ["massgan", "reconstruct", "cosmos", "--method", "gan", "--samples", "{n}",
                "--out", folder + "/out.fits"]
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""
STREAM = """
import massgan_core as mg
field = mg.simulated("lognormal", seed=1)
for summary in mg.stream(mg.load("default"), field, n={n}, batch=8):
    pass
"""
STEP = """
import sys, tempfile
from pathlib import Path
sys.path.insert(0, {path!r})
from performance.step import Step, simulated
with tempfile.TemporaryDirectory() as folder:
    Step(simulated("cpu"), {n}, Path(folder), "default")()
"""


def bench_memory(bench):
    """Each once: the peak of a process hardly changes."""
    here = str(Path(__file__).resolve().parents[1])
    n = 8 if bench.quick else 64
    codes = {
        "torch": "import torch",
        f"reconstruct cosmos, {n} samples": RECONSTRUCT.format(n=n),
        f"a stream of {n} samples": STREAM.format(n=n),
        f"a stream of {2 * n} samples": STREAM.format(n=2 * n),
        "an adversarial step of 4 fields": STEP.format(path=here, n=1 if bench.quick else 4),
    }
    found: dict[str, float] = {}
    bench.in_turn(
        {k: lambda k=k, code=code: found.update({k: peak(code)}) for k, code in codes.items()},
        rounds=1,
        warm=False,
    )
    for name, most in found.items():
        if name != "torch":
            bench.say(f"{name}: peak over that of `import torch`", most / found["torch"], "×")
            bench.say(f"{name}: peak", 1e-9 * most, "GB")
