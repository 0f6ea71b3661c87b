"""A particle-mesh step, a box's memory, and maps from the store to the network's input."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

import numpy as np
import torch

import massgan_core as mg
from massgan_core.data import Dataset, MapStore, Observe
from massgan_core.simulate import PLANCK
from massgan_core.simulate.boxes import PRESETS
from massgan_core.simulate.mesh import add_gradient, drift, fft, ifft, paint
from massgan_core.simulate.particle_mesh import ParticleMesh
from massgan_core.sky import generator
from performance.limits import transform
from performance.processes import peak

_BOX = """
import tempfile
from dataclasses import replace
from pathlib import Path
from massgan_core.simulate import PLANCK
from massgan_core.simulate.boxes import PRESETS, run_box
def run(n, depth):
    settings = replace(
        PRESETS["small"], box=n * 2 / 3, particles=n, mesh=2 * n, depth=depth, early=1
    )
    with tempfile.TemporaryDirectory() as folder:
        run_box(Path(folder) / "box", settings, PLANCK, 1)
run(16, 0.05)  # compiles the loops
{then}
"""

MAPS, SIDE = 32, 600  # in the store; pixels on a side, a 300² crop with its margin


def bench_particle_mesh(bench):
    """A step, over its own two transforms and two passes over the particles."""
    particles = 32 if bench.quick else 128
    mesh, box = 2 * particles, particles * 2 / 3
    pm = ParticleMesh(PLANCK, box=box, particles=particles, mesh=mesh, seed=1)
    for _ in pm.evolve([0.2, 0.4, 0.7, 1.0]):
        pass
    field = paint(pm.x, mesh, box)

    def step() -> None:
        potential = ifft(pm.gravity(pm.modes()))
        add_gradient(pm.u, 0.9, potential, pm.x, box, 0.1)
        drift(pm.x, pm.u, 0.0, box)

    def passes() -> None:
        paint(pm.x, mesh, box)
        add_gradient(pm.u, 1.0, field, pm.x, box, 0.0)

    transforms = {"transforms": lambda: ifft(fft(field.clone())), "passes": passes}
    times = bench.in_turn({"step": step} | transforms)
    rows = zip(times["step"], times["transforms"], times["passes"], strict=True)
    over = median(s / (t + p) for s, t, p in rows)
    words = f"step of {particles}³ particles over its transforms and two passes"
    bench.say(words, over, "×")


def bench_box_memory(bench):
    """Peak of a box on a short light cone, over its particles and meshes."""
    n = 64 if bench.quick else 192
    settings = replace(
        PRESETS["small"], box=n * 2 / 3, particles=n, mesh=2 * n, depth=0.15, early=1
    )
    least, found = settings.memory(), {}
    codes = {"imports": _BOX.format(then=""), "box": _BOX.format(then=f"run({n}, 0.15)")}
    works = {k: lambda k=k, code=code: found.update({k: peak(code)}) for k, code in codes.items()}
    bench.in_turn(works, rounds=1, warm=False)
    over = (found["box"] - found["imports"]) / least
    bench.say(f"memory of a box of {n}³ over its particles and meshes", over, "×")


def bench_data_path(bench, tmp_path):
    """Maps of 600² on disk to noisy shear of 300², and to the network's input; one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _data_path(bench, _store(tmp_path), 8)
    finally:
        torch.set_num_threads(threads)


def _data_path(bench, store: MapStore, batch: int) -> None:
    observe = Observe(mg.cosmos().sigma, 0.29)
    normalizer = mg.load("default").normalizer
    multiple = mg.load("default").network.multiple
    options = {"batch": batch, "ahead": 0, "budget": 0.0}
    fields = Dataset(store, list(range(MAPS)), observe, **options)
    inputs = Dataset(
        store,
        list(range(MAPS)),
        observe,
        **options,
        finish=lambda field, scale: normalizer.condition(field, multiple, scale),
    )
    turn = iter(range(10**6))
    times = bench.in_turn(
        {
            "inputs": lambda: inputs(next(turn)),
            "fields": lambda: fields(next(turn)),
            "transform": transform((batch, SIDE, SIDE)),
        }
    )
    each = median(times["transform"])
    for name, words in (("fields", "noisy shear"), ("inputs", "the network's input")):
        seconds = median(times[name])
        bench.say(f"store to {words}, over one FFT there and back", seconds / each, "×")
        bench.say(f"store to {words}, one thread", batch / seconds, "maps/s")


def _store(folder) -> MapStore:
    kappa = 0.02 * torch.randn(MAPS, SIDE, SIDE, generator=generator(1))
    rows = {"box": np.arange(MAPS), "seed": np.arange(MAPS)}
    rows |= {k: getattr(PLANCK, k) for k in ("omega_m", "omega_b", "h", "sigma8", "n_s")}
    n_z = mg.cosmos_sources()
    tables = [{"redshift": n_z.redshift, "density": n_z.density, "sigma_kappa": 0.02}]
    store = MapStore.create(
        folder / "maps.zarr",
        rows,
        shape=(SIDE, SIDE),
        pixel_scale=0.29,
        kind="lognormal",
        sources=tables,
    )
    for i in range(MAPS):
        store.write(i, kappa[i])
    return store
