"""Write the bundled N-body skies from a store of simulated maps.

    python benchmarks/make_skies.py boxes.zarr [--maps 3]

Of the maps with the COSMOS n(z), those whose S8 = σ8 √(Ω_m/0.3) is nearest to 0.82, one of a box,
as float16.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

import massgan_core as mg
from massgan_core.simulate import bundled_skies

S8 = 0.82
WARNING = (
    "For looking and teaching, not for tests: networks were calibrated on boxes of the same run."
)
OUT = Path(bundled_skies.__file__).parent / "bundled" / "nbody_skies.npz"


def main() -> None:
    """Choose the maps and write the file beside the package's other ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="made by `massgan simulate --kind nbody`")
    parser.add_argument("--maps", type=int, default=3)
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    store = mg.MapStore.open(given.store)
    side = bundled_skies.SIDE
    if store.kind != "nbody" or store.shape != (side, side):
        raise SystemExit(f"the store must hold maps of kind nbody of {side}² pixels")
    distance = np.abs(store.rows("sigma8") * np.sqrt(store.rows("omega_m") / 0.3) - S8)
    redshift = mg.cosmos_sources().mean
    like = [i for i, n in enumerate(store.sources) if abs(n.mean / redshift - 1) < 1e-3]
    box, usable = store.rows("box"), {*store.done()} & {*store.where(sources=like)}
    rows: list[int] = []
    for row in np.argsort(distance, kind="stable").tolist():
        if row in usable and box[row] not in box[rows]:
            rows.append(row)
        if len(rows) == given.maps:
            break
    names = ("box", "seed", "omega_m", "sigma8", "h", "w")
    card = {
        "use": WARNING,
        "seed": store.settings["seed"],
        "preset": store.settings["preset"]["name"],
        "sources": "COSMOS n(z)",
        "pixel_scale": store.pixel_scale,
        "maps": [{name: store.rows(name)[row].item() for name in names} for row in rows],
    }
    if len(rows) < given.maps:
        raise SystemExit(f"the store has such maps of {len(rows)} boxes, not of {given.maps}")
    kappa = store.read(rows).numpy().astype(np.float16)
    np.savez_compressed(given.out, kappa=kappa, card=json.dumps(card))
    print(f"{given.out.name}: {len(rows)} maps, {given.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
