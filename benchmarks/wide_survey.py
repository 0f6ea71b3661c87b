"""A wide survey on this machine: time, Dask efficiency, memory, and what 14,000 deg² would cost.

    python benchmarks/wide_survey.py [--folder runs/wide] [--degrees 10] [--galaxies 10000000]
                                     [--samples 16] [--method gan] [--workers 1 2] [--write]

Makes a catalogue of a lognormal sky (COSMOS n(z), reduced shear, σ_e = 0.295), written to Parquet
in parts, once; then runs ``massgan reconstruct CATALOGUE --dask local:N`` for each N one after
the other and watches its processes. `--write` fills the figures into docs/howto/wide-surveys.md.
With the settings above on two cores: about half an hour, 2 GB of disk. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from math import ceil
from pathlib import Path
from threading import Event, Thread
from time import perf_counter, sleep

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from massgan_core.simulate import Lognormal
from massgan_core.sky import Grid, ShearOperator, generator, reduced_shear
from massgan_core.sky.noise import COSMOS_SCATTER
from massgan_core.sky.tangent import north_of, on_grid
from massgan_core.survey import cosmos_spectrum
from massgan_core.surveying_plan import INTERIOR, MARGIN, PIXEL_SCALE

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/howto/wide-surveys.md"
CENTER = (150.0, 30.0)  #: of the made survey (RA, Dec) [deg]
SKY = 0.6  #: side of a pixel of the made sky [arcmin]
ROWS = 500_000
WIDE = 14_000.0  #: deg² of the survey on paper


def make_catalogue(path: Path, degrees: float, galaxies: int, seed: int = 0) -> None:
    """Galaxies, uniform on a tangent plane, with the reduced shear of one lognormal sky."""
    side = ceil(degrees * 60 / SKY)
    plane, large = Grid.tan((side, side), SKY, center=CENTER), Grid((2 * side, 2 * side), SKY)
    kappa = Lognormal(large, cosmos_spectrum())(generator(seed))
    kappa -= kappa.mean()
    part = slice(side // 2, side // 2 + side)
    gamma = ShearOperator(large)(kappa)[part, part]
    shear = reduced_shear(gamma, kappa[part, part]).numpy().ravel()
    turn = np.conj(north_of(plane).ravel()) ** 2  # from the plane's axes to North
    schema = pa.schema(
        [(n, pa.float64()) for n in ("ra", "dec")]
        + [(n, pa.float32()) for n in ("e1", "e2", "weight")]
    )
    temporary = path.with_suffix(".part")
    with pq.ParquetWriter(temporary, schema) as file:
        for start in range(0, galaxies, ROWS):
            rng, n = np.random.default_rng([seed, start]), min(ROWS, galaxies - start)
            x, y = rng.uniform(-0.5, side - 0.5, (2, n))
            at, _ = on_grid(plane, x, y)
            ra, dec = plane.pixel_to_sky(x, y)
            shape = COSMOS_SCATTER * (rng.normal(size=n) + 1j * rng.normal(size=n))
            e = shear[at] * turn[at] + shape
            columns = (ra, dec, e.real.astype("f4"), e.imag.astype("f4"), np.ones(n, "f4"))
            file.write_table(pa.table(dict(zip(schema.names, columns, strict=True))))
    os.replace(temporary, path)


def run(catalogue: Path, out: Path, workers: int, args: argparse.Namespace) -> dict[str, float]:
    """Seconds of the stages of one run, and peaks of memory [GiB] of its processes."""
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(f"{out}.parts", ignore_errors=True)
    words = ["reconstruct", str(catalogue), "--dask", f"local:{workers}", "--out", str(out)]
    words += ["--method", args.method, "--samples", str(args.samples), "--batch", "8"]
    command = [sys.executable, "-m", "massgan_core.cli.main", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    started = perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    over, peaks = Event(), {}
    watcher = Thread(target=watch, args=(child.pid, over, peaks))
    watcher.start()
    text, _ = child.communicate()
    over.set()
    watcher.join()
    if child.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}: {text}")
    print(text, flush=True)
    took = {name: float(s) for name, s in re.findall(r"(reading|coarse|patches) ([\d.]+) s", text)}
    busy, cpu = re.search(r"workers busy (\d+)%, ([\d.]+) s of processor", text).groups()
    patches = int(re.search(r"galaxies in (\d+) patches", text)[1])
    disk = sum(f.stat().st_size for f in out.rglob("*") if f.is_file())
    client = peaks.pop(child.pid, 0)
    return {
        **took,
        "all": perf_counter() - started,
        "busy": int(busy) / 100,
        "cpu": float(cpu),
        "count": patches,
        "client": client / 2**30,
        "worker": max(peaks.values(), default=0) / 2**30,
        "disk": disk / 2**30,
        "load": os.getloadavg()[1],
    }


def watch(pid: int, over: Event, peaks: dict[int, int]) -> None:
    """The largest resident memory of a process and of each of its descendants."""
    parent = psutil.Process(pid)
    while not over.is_set():
        try:
            for process in [parent, *parent.children(recursive=True)]:
                used = process.memory_info().rss
                peaks[process.pid] = max(peaks.get(process.pid, 0), used)
        except psutil.NoSuchProcess:
            pass
        sleep(0.5)


def table(runs: dict[int, dict[str, float]], args: argparse.Namespace) -> str:
    """What was measured, and the same for a wide survey by patches, as Markdown."""
    few, many = min(runs), max(runs)
    ratio = many / few
    one = runs[few]
    whole = one["all"] / runs[many]["all"] / ratio
    only = one["patches"] / runs[many]["patches"] / ratio
    lines = [
        f"Measured: {args.galaxies:,} galaxies on {args.degrees**2:.0f} deg², {args.samples} "
        f"samples of `{args.method}`, {one['count']} patches, {os.cpu_count()} cores with a load "
        f"of {one['load']:.1f} and {runs[many]['load']:.1f} (on a quiet machine it is the number "
        "of workers):",
        "",
        "| workers | reading [s] | coarse field [s] | patches [s] | all [s] | workers busy "
        "| processor time of a patch [s] | memory of a worker, of the client [GiB] |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for count, row in runs.items():
        lines.append(
            f"| {count} | {row['reading']:.0f} | {row['coarse']:.0f} | {row['patches']:.0f} | "
            f"{row['all']:.0f} | {row['busy']:.0%} | {row['cpu']:.2f} | "
            f"{row['worker']:.2f}, {row['client']:.2f} |"
        )
    alone = runs[many]["busy"] / one["busy"] * one["cpu"] / runs[many]["cpu"]
    patch = one["cpu"]  # with its fixed part: little less than that of the samples
    side = INTERIOR * PIXEL_SCALE / 60
    patches = WIDE / side**2
    rows = one["reading"] / args.galaxies * args.galaxies / args.degrees**2 * WIDE
    work = patches * patch / args.samples
    lines += [
        "",
        f"Efficiency from {few} to {many} workers: {only:.0%} for the patches, {whole:.0%} for "
        f"the whole command; {alone:.0%} from the workers' idle time and the processor time of a "
        "patch, which other programs on the machine hardly touch.",
        "",
        f"On paper, {WIDE:,.0f} deg² as deep as that, by the same machine's cores: "
        f"{patches:,.0f} patches of {side:.2f}° with a margin of {MARGIN * PIXEL_SCALE:.0f}′; "
        f"{work / 3600:,.1f} core hours for each sample, "
        f"{64 * work / 3600:,.0f} for 64, which is {64 * work / 3600 / 256:.1f} hours on 256 "
        f"cores; {rows / 3600:.1f} hours for the one pass over "
        f"{args.galaxies / args.degrees**2 * WIDE / 1e9:.1f} billion galaxies; "
        f"{one['disk'] / one['count'] * patches:,.0f} GiB of maps; and memory that does not grow: "
        f"{one['worker']:.1f} GiB a worker.",
    ]
    return "\n".join(lines)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--folder", type=Path, default=Path("runs/wide"))
    words.add_argument("--degrees", type=float, default=10.0)
    words.add_argument("--galaxies", type=int, default=10_000_000)
    words.add_argument("--samples", type=int, default=16)
    words.add_argument("--method", default="gan")
    words.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    words.add_argument("--write", action="store_true", help="fill the figures into the page")
    args = words.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    catalogue = args.folder / f"{args.degrees:g}deg-{args.galaxies}.parquet"
    if not catalogue.is_file():
        make_catalogue(catalogue, args.degrees, args.galaxies)
    runs = {}
    for count in args.workers:
        runs[count] = run(catalogue, args.folder / f"{count}.zarr", count, args)
        print(json.dumps({count: runs[count]}), flush=True)
    text = table(runs, args)
    print(text)
    (args.folder / "figures.json").write_text(
        json.dumps({**vars(args), "runs": runs}, default=str)
    )
    if args.write:
        start, end = "<!-- benchmarks/wide_survey.py -->", "<!-- end of the figures -->"
        before, rest = PAGE.read_text().split(start)
        PAGE.write_text(f"{before}{start}\n{text}\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
