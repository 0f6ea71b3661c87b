"""Mass on the X-ray clusters of the real COSMOS field, and none in its B mode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.ndimage import binary_fill_holes, distance_transform_edt

import massgan_core as mg
from massgan_core.evaluate import paired_stacks, smoothed, stack
from massgan_core.sky import ShearField, remove_mean

from .classical import Classical

EDGE = 3.0  #: clusters lie on the footprint, this far from its outer edge [arcmin]
WIDTH = 4 * 0.29  #: smoothing of the second set of figures [arcmin]


def inner(field: ShearField) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels well inside the field, and row and column of the clusters on them."""
    area = field.footprint.numpy()
    room = field.grid.pixel_scale * distance_transform_edt(binary_fill_holes(area))
    inside, found = area & (room >= EDGE), mg.clusters()
    column, row = (np.rint(v).astype(int) for v in field.grid.sky_to_pixel(found.ra, found.dec))
    height, width = area.shape
    on = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    on[on] = inside[row[on], column[on]]
    return torch.from_numpy(inside), torch.from_numpy(np.stack([row[on], column[on]], 1))


def score(sampler: mg.Sampler, classical: Classical, n: int) -> tuple[dict[str, Any], dict]:
    """Stacks in the GAN mean and the Wiener mean, of the field and of its shear turned by 45°.

    Returns:
        The report, and the maps for pictures.
    """
    field, power = mg.cosmos(), mg.cosmos_spectrum()
    turned = field.rotated()
    inside, places = inner(field)
    maps: dict[str, torch.Tensor] = {}
    for name, one in (("", field), (" 45°", turned)):
        *_, last = mg.stream(sampler, one, n, seed=2007, keep=0)
        maps[f"gan{name}"] = last.mean
        maps[f"wiener{name}"] = remove_mean(classical.wiener([one], power)[0], one.footprint)
    report: dict[str, Any] = {"clusters": len(places)}
    for name, kappa in maps.items():
        height, signal = stack(kappa, inside, places)
        soft = smoothed(kappa, field.grid, WIDTH, field.footprint)
        report[name] = {
            "kappa": height,
            "snr": signal,
            "snr_smoothed": stack(soft, inside, places)[1],
            "std": kappa[inside].std().item(),
        }
    gan, wiener = report["gan"], report["wiener"]
    report["ratio"] = gan["snr"] / wiener["snr"]
    report["difference"] = list(paired_stacks(maps["gan"], maps["wiener"], inside, places))
    report["b_mode_left"] = {
        name: report[f"{name} 45°"]["std"] / report[name]["std"] for name in ("gan", "wiener")
    }
    return report, maps


def plot(path: Path, maps: dict[str, torch.Tensor]) -> None:
    """The four maps with the clusters on them."""
    import matplotlib.pyplot as plt

    field = mg.cosmos()
    _, places = inner(field)
    figure, axes = plt.subplots(1, 4, figsize=(20, 5.2), layout="constrained")
    for axis, (name, kappa) in zip(axes, maps.items(), strict=True):
        image = np.where(field.footprint, kappa, np.nan)
        axis.imshow(image, origin="lower", vmin=-0.05, vmax=0.05, cmap="RdBu_r")
        axis.scatter(*places.T.flip(0), s=40, facecolors="none", edgecolors="k", lw=0.6)
        axis.set_title(name)
    figure.savefig(path, dpi=60)
    plt.close(figure)
