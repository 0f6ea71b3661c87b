"""Write the bundled skies: N-body ones from a store of simulated maps, and one of κTNG.

    python benchmarks/make_skies.py boxes.zarr [--maps 3]
    python benchmarks/make_skies.py --ktng ktng_cosmos_kappa_360.fits

Of the maps with the COSMOS n(z), those whose S8 = σ8 √(Ω_m/0.3) is nearest to 0.82, one of a box,
as float16. The κTNG map is resampled to the same pixels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from astropy.io import fits

import massgan_core as mg
from massgan_core.simulate import bundled_skies
from massgan_core.simulate.resample import resample

S8 = 0.82
WARNING = (
    "For looking and teaching, not for tests: networks were calibrated on boxes of the same run."
)
BUNDLED = Path(bundled_skies.__file__).parent / "bundled"


def main() -> None:
    """Choose the maps and write the file beside the package's other ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", help="made by `massgan simulate --kind nbody`")
    parser.add_argument("--ktng", type=Path, help="a FITS map of κ with PIXSCALE [arcmin]")
    parser.add_argument("--maps", type=int, default=3)
    given = parser.parse_args()
    if (given.store is None) == (given.ktng is None):
        parser.error("give a store, or --ktng and a FITS file")
    if given.ktng is not None:
        write_ktng(given.ktng)
        return
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
    write("nbody_skies.npz", kappa, card)


def write_ktng(path: Path) -> None:
    """Resample the κTNG map and write it."""
    with fits.open(path) as file:
        kappa = torch.from_numpy(file[0].data.astype(np.float32))
        scale = float(file[0].header["PIXSCALE"])
    step = bundled_skies.SCALE / scale
    side = int(min(kappa.shape) / step)
    whole = resample(kappa, (0.0, 0.0), step, (side, side))
    card = {
        "use": "One map, for looking: `massgan evaluate --ktng` judges methods by the same one.",
        "source": "Osato, Liu & Haiman 2021, https://ui.adsabs.harvard.edu/abs/2021MNRAS.502.5593O",
        "sources": "COSMOS n(z)",
        "pixel_scale": bundled_skies.SCALE,
        "resampled_from": scale,
    }
    write("ktng_sky.npz", (whole - whole.mean()).numpy().astype(np.float16), card)


def write(name: str, kappa: np.ndarray, card: dict) -> None:
    """Write the maps beside the package's other ones."""
    path = BUNDLED / name
    np.savez_compressed(path, kappa=kappa, card=json.dumps(card))
    print(f"{name}: {kappa.shape}, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
