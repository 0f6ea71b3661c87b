"""A survey on HEALPix pixels (nested order), each made by the patch that owns its middle.

A HEALPix pixel is the mean of the patch's pixels whose middles lie in it, or where it holds none
the nearest one; sample by sample, so that STD is that of the mean.

References:
    Górski et al. (2005), https://ui.adsabs.harvard.edu/abs/2005ApJ...622..759G
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from massgan_core.posterior import RunningMoments, Summary
from massgan_core.sky.tangent import directions, on_grid, pixels_of

if TYPE_CHECKING:
    import xarray

    from massgan_core.surveying_plan import Survey

CHUNK = 1 << 20  #: pixels of the joined map in one chunk

_MEANING = {
    "mean": "posterior mean of the convergence kappa",
    "std": "posterior standard deviation of kappa (ddof = 1)",
    "low": "lower end of the interval of kappa",
    "high": "upper end of the interval of kappa",
    "ngal": "galaxies whose patch pixel lies in the pixel",
}


def healpy():
    """The library, or the sentence that says how to get it.

    Raises:
        ImportError: It is not there.
    """
    try:
        import healpy
    except ImportError:
        raise ImportError("HEALPix maps need healpy: pip install 'massgan[cluster]'") from None
    return healpy


def piece_of(survey: Survey, patch: int, summary: Summary) -> dict[str, np.ndarray]:
    """Pixels that a patch owns within its footprint, and their maps.

    Returns:
        ``pixel`` (nested) and float32 ``mean``, ``std``, ``low``, ``high``, int32 ``ngal``.
    """
    hp, nside = healpy(), survey.nside
    grid, rings = survey.patches.grid(patch), survey.patches.rings
    (ra,), (dec,) = rings.center(np.array([patch]))
    disc = hp.query_disc(
        nside,
        directions(ra, dec),
        np.deg2rad(survey.patches.reach) + 2 * hp.max_pixrad(nside),
        nest=True,
    )
    own_ra, own_dec = hp.pix2ang(nside, disc, nest=True, lonlat=True)
    disc = disc[rings.find(own_ra, own_dec) == patch]
    own_ra, own_dec = hp.pix2ang(nside, disc, nest=True, lonlat=True)
    nearest, on = on_grid(grid, *pixels_of(grid, own_ra, own_dec))
    disc, nearest = disc[on], nearest[on]

    y, x = np.indices(grid.shape)
    sky = (v.ravel() for v in grid.pixel_to_sky(x, y))
    target = hp.ang2pix(nside, *sky, nest=True, lonlat=True)
    order = np.argsort(disc)
    at = np.searchsorted(disc[order], target).clip(max=max(len(disc) - 1, 0))
    mine = disc[order][at] == target if len(disc) else np.zeros(target.shape, bool)
    area = summary.field.footprint.cpu().numpy().ravel()
    used = mine & area
    bins, length = order[at[used]], len(disc)
    count = np.bincount(bins, minlength=length)
    kept = (count > 0) | area[nearest]

    def gather(values: np.ndarray) -> np.ndarray:
        total = np.bincount(bins, values[used], length)
        return np.where(count > 0, total / np.maximum(count, 1), values[nearest])[kept]

    moments, drawn = RunningMoments(), []
    for sample in summary.samples.numpy():
        drawn.append(gather(sample.ravel()).astype(np.float32))
    import torch

    drawn = np.stack(drawn)
    moments = moments.update(torch.from_numpy(drawn))
    tail = (1 - survey.level) / 2
    low, high = np.quantile(drawn, (tail, 1 - tail), axis=0) if len(drawn) > 1 else 2 * (np.nan,)
    counts = summary.field.counts.cpu().numpy().ravel().astype(float)
    return {
        "pixel": disc[kept],
        "mean": moments.mean.numpy().astype(np.float32),
        "std": moments.std.numpy().astype(np.float32),
        "low": np.broadcast_to(low, kept.sum()).astype(np.float32),
        "high": np.broadcast_to(high, kept.sum()).astype(np.float32),
        "ngal": np.bincount(bins, counts[used], length)[kept].astype(np.int32),
    }


def join(survey: Survey, patches: np.ndarray) -> None:
    """Write the group ``healpix`` of the store from the pieces, one after the other."""
    import zarr

    root = zarr.open_group(survey.store, mode="a", zarr_format=2)
    group = root.create_group("healpix", overwrite=True)
    sizes = []
    for patch in patches.tolist():
        with np.load(survey.piece(patch)) as piece:
            sizes.append(len(piece["pixel"]))
    total, arrays = sum(sizes), {}
    with np.load(survey.piece(int(patches[0]))) as piece:
        for name, values in piece.items():
            arrays[name] = group.create_array(
                name,
                shape=(total,),
                chunks=(min(CHUNK, max(total, 1)),),
                dtype=values.dtype,
                fill_value=None,  # else xarray takes zeros for gaps
            )
            arrays[name].attrs["_ARRAY_DIMENSIONS"] = ["pixel"]
            if name in _MEANING:
                arrays[name].attrs["long_name"] = _MEANING[name]
    group.attrs.update({"nside": survey.nside, "order": "nested", "pixels": total})
    start = 0
    for patch, size in zip(patches.tolist(), sizes, strict=True):
        with np.load(survey.piece(patch)) as piece:
            for name, values in piece.items():
                arrays[name][start : start + size] = values
        start += size


def full_map(dataset: xarray.Dataset, name: str) -> np.ndarray:
    """A map of the group ``healpix`` over the whole sky, nested, UNSEEN where there is none."""
    hp = healpy()
    values = np.full(hp.nside2npix(dataset.attrs["nside"]), hp.UNSEEN, np.float32)
    values[dataset["pixel"].values] = dataset[name].values
    return values
