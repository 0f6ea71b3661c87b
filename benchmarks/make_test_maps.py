"""Test maps from boxes that are simulated already: a store for benchmarks/evaluate_checkpoint.py.

    python benchmarks/make_test_maps.py BOX_FOLDER … --out TEST.zarr [--maps-per-box 8]
                                        [--stretch 1] [--seed 0]

BOX_FOLDER holds the planes of one box (benchmarks/make_boxes.py makes them; `massgan simulate
--planes DIR` leaves them in DIR). Maps are 600² of 0.29′. With several factors in --stretch every
box gives that many maps for each n(z): the COSMOS one with its redshifts times the factor; 0.426,
0.71 and 1 put the mean at 0.6, 1.0 and 1.4. The same command goes on where it stopped; `massgan
simulate` itself makes new boxes, and does not take those of other seeds.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from massgan_core.data import MapStore
from massgan_core.simulate import PLANCK, LightCone
from massgan_core.simulate.boxes import read_card
from massgan_core.simulate.suite import Suite
from massgan_core.simulating_plan import Run, facts, tables
from massgan_core.sky import Grid, generator

_TEST = 81  # key of the random stream behind a seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("boxes", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--maps-per-box", type=int, default=8)
    parser.add_argument("--stretch", default="1")
    parser.add_argument("--side", type=int, default=300, help="pixels of a crop; maps are twice")
    parser.add_argument("--preset", default="standard", help="that the boxes were made with")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    stretch = [float(factor) for factor in given.stretch.split(",")]
    run = Run(
        out=given.out,
        kind="nbody",
        seed=given.seed,
        grid=Grid((2 * given.side, 2 * given.side), 0.29),
        sources=tables(None, stretch),
        suite=Suite(PLANCK, {}, given.seed),
        per_box=given.maps_per_box * len(stretch),
        preset=given.preset,
        planes=given.boxes[0].parent,
        keep=True,
        root=None,
        boxes=None,
        dtype="float16",
        device="cpu",
    )
    store = MapStore.plan(given.out, plan(run, given.boxes), **facts(run))
    fill(run, store, given.boxes)
    print(f"{len(store.done())} maps from {len(store.boxes())} boxes are in {given.out}")


def plan(run: Run, folders: list[Path]) -> dict[str, np.ndarray]:
    """One row a map, box after box; a box is known by the seed of its initial conditions."""
    cards = [read_card(folder) for folder in folders]
    for folder, card in zip(folders, cards, strict=True):
        if card["preset"] != asdict(run.box_preset):
            raise ValueError(f"{folder} holds a box of other settings than `{run.preset}`")
    each = np.arange(run.per_box)
    rows = {
        "box": np.repeat([card["seed"] for card in cards], run.per_box),
        "sources": np.tile(each % len(run.sources), len(cards)),
    }
    keys = zip(rows["box"].tolist(), np.tile(each, len(cards)).tolist(), strict=True)
    rows["seed"] = np.array([_key(run.seed, box, number) for box, number in keys])
    for name in asdict(PLANCK):
        rows[name] = np.repeat([card["cosmology"][name] for card in cards], run.per_box)
    cones = [_cone(folders[0], run, i) for i in range(len(run.sources))]
    rows["tiled"] = np.round([cone.tiled for cone in cones], 4)[rows["sources"]]
    return rows


def fill(run: Run, store: MapStore, folders: list[Path]) -> None:
    """Make the maps that are missing."""
    where = {read_card(folder)["seed"]: folder for folder in folders}
    boxes, sources, seeds = (store.rows(name) for name in ("box", "sources", "seed"))
    missing = [row for row in store.missing() if int(boxes[row]) in where]
    order = sorted(missing, key=lambda row: (boxes[row], sources[row], row))
    cone, current = None, None
    for row in tqdm(order, disable=None):
        if (boxes[row], sources[row]) != current:
            current = boxes[row], sources[row]
            cone = _cone(where[int(boxes[row])], run, int(sources[row]))
        store.write(row, cone(generator(int(seeds[row]))))


def _cone(folder: Path, run: Run, source: int) -> LightCone:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the share that is tiled stands in the plan
        return LightCone(folder, run.grid, run.sources[source])


def _key(*words: int) -> int:
    return int(np.random.SeedSequence([_TEST, *words]).generate_state(1, np.uint64)[0]) >> 2


if __name__ == "__main__":
    main()
