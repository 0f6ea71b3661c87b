"""Cost of simulating, as ratios in one run: a particle-mesh step, a map, the data path, memory.

    python benchmarks/simulation_speed.py [--particles 128] [--box-folder BOX] [--repeats 7]

Medians of interleaved repeats. The step is one of paint, transform, gravity, transform, kick
and drift; it is held against its own two transforms plus two passes over the particles (one
that paints them, one that reads a gradient at them). A map is 600² (a 300² crop with its margin)
and 300² from the planes of BOX on one thread. The data path is that of
massgan_core.data.Dataset on `--device`.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import numpy as np
import torch

import massgan_core as mg
from massgan_core.data import Dataset, MapStore, Observe
from massgan_core.simulate import PLANCK
from massgan_core.simulate.boxes import PRESETS, run_box
from massgan_core.simulate.light_cone import LightCone
from massgan_core.simulate.mesh import add_gradient, drift, fft, ifft, paint
from massgan_core.simulate.particle_mesh import ParticleMesh
from massgan_core.sky import Grid, generator


def clock(work, timer=perf_counter) -> float:
    start = timer()
    work()
    return timer() - start


def step(particles: int, repeats: int) -> dict[str, float]:
    """Seconds of a step, of its transforms, and of its two passes over the particles."""
    box = particles * 2 / 3
    pm = ParticleMesh(PLANCK, box=box, particles=particles, mesh=2 * particles, seed=1)
    for _ in pm.evolve([0.2, 0.4, 0.7, 1.0]):
        pass
    mesh = 2 * particles
    field = paint(pm.x, mesh, box)

    def whole() -> None:
        potential = ifft(pm.gravity(pm.modes()))
        add_gradient(pm.u, 0.9, potential, pm.x, box, 0.1)
        drift(pm.x, pm.u, 0.0, box)

    def transforms() -> None:
        ifft(fft(field.clone()))

    def passes() -> None:
        paint(pm.x, mesh, box)
        add_gradient(pm.u, 1.0, field, pm.x, box, 0.0)

    parts = {"step": whole, "transforms": transforms, "two passes": passes}
    times = [{k: clock(f) for k, f in parts.items()} for _ in range(repeats + 1)][1:]
    return {k: median(t[k] for t in times) for k in parts}


def memory(particles: int) -> tuple[float, int]:
    """Peak bytes of a whole run_box on a short light cone, and those of particles and meshes."""

    def run(n: int, depth: float) -> int:
        settings = replace(
            PRESETS["small"], box=n * 2 / 3, particles=n, mesh=2 * n, depth=depth, early=1
        )
        with tempfile.TemporaryDirectory() as folder:
            run_box(Path(folder) / "box", settings, PLANCK, 1)
        return settings.memory()

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux: kB

    run(16, 0.05)  # compiles the loops
    before = peak()
    least = run(particles, 0.15)
    return float(peak() - before), least


def maps(folder: Path, repeats: int) -> dict[int, float]:
    """Seconds of one core a map, by its side."""
    out = {}
    for side in (300, 600):
        cone = LightCone(folder, Grid((side, side), 0.29), mg.cosmos_sources())
        times = [
            clock(lambda c=cone, i=i: c(generator(i)), process_time) for i in range(repeats + 3)
        ]
        out[side] = median(times[3:])  # the first ones bring the planes into memory
    return out


def data_path(device: str, batch: int, repeats: int) -> float:
    """Fields of 300² a second, from maps in memory to noisy shear."""
    kappa = 0.02 * torch.randn(32, 600, 600, generator=generator(1))
    rows = {"box": np.arange(32), "seed": np.arange(32)}
    rows |= {k: getattr(PLANCK, k) for k in ("omega_m", "omega_b", "h", "sigma8", "n_s")}
    n_z = mg.cosmos_sources()
    tables = [{"redshift": n_z.redshift, "density": n_z.density, "sigma_kappa": 0.02}]
    with tempfile.TemporaryDirectory() as folder:
        store = MapStore.create(
            Path(folder) / "maps.zarr",
            rows,
            shape=(600, 600),
            pixel_scale=0.29,
            kind="lognormal",
            sources=tables,
        )
        for i in range(32):
            store.write(i, kappa[i])
        observe = Observe(mg.cosmos().sigma, 0.29)
        data = Dataset(store, list(range(32)), observe, batch=batch, device=device)
        wait = torch.cuda.synchronize if device == "cuda" else lambda: None

        def some(i: int) -> None:
            data(i)
            wait()

        some(0)
        # On the CPU one thread works (maps() sets that): its time, whatever else runs.
        timer = process_time if device == "cpu" else perf_counter
        times = [clock(lambda i=i: some(i), timer) for i in range(1, repeats + 1)]
    return batch / median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--particles", type=int, default=128)
    parser.add_argument("--memory-particles", type=int, default=256)
    parser.add_argument("--box-folder", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    peak, least = memory(given.memory_particles)
    found = step(given.particles, given.repeats)
    floor = found["transforms"] + found["two passes"]
    print(f"threads {torch.get_num_threads()}; seconds: {found}")
    print(f"step / (transforms + two passes) = {found['step'] / floor:.2f}")
    print(f"peak memory / (particles + meshes) = {peak / least:.2f} ({peak / 1e9:.2f} GB)")
    print({name: f"{p.memory() / 1e9:.1f} GB" for name, p in PRESETS.items()})
    torch.set_num_threads(1)
    if given.box_folder:
        times = maps(given.box_folder, given.repeats)
        print({f"{side}² map": f"{1e3 * t:.0f} ms of one core" for side, t in times.items()})
    rate = data_path(given.device, 8 if given.device == "cpu" else 64, given.repeats)
    print(f"data path on {given.device}: {rate:.0f} fields/s")


if __name__ == "__main__":
    main()
