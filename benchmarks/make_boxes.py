"""Simulate boxes of a preset at the default cosmology: planes for benchmarks/validate_maps.py.

    python benchmarks/make_boxes.py standard FOLDER [--boxes 4]

Box number i has seed i, from 1 on. Boxes that are there are left alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from massgan_core.simulate import PLANCK
from massgan_core.simulate.boxes import preset, run_box


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--boxes", type=int, default=4)
    given = parser.parse_args()
    settings = preset(given.preset)
    for seed in range(1, given.boxes + 1):
        with tqdm(total=1.0, desc=f"box {seed}", bar_format="{l_bar}{bar}| {elapsed}") as bar:
            folder = given.folder / f"box_{seed:05d}"
            run_box(
                folder, settings, PLANCK, seed, progress=lambda done, b=bar: b.update(done - b.n)
            )


if __name__ == "__main__":
    main()
