"""The fields of the page: what a script hands to it, and what the networks are told of each.

A script works without a server, where a page may fetch nothing. Maps travel as integers between
two limits, row by row, pixels of the footprint alone, in base64; floats only where a network
reads them.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import massgan_core as mg
from explorer.elements.colors import picture_limits
from explorer.elements.contours import nice
from explorer.elements.scale_bar import SHARE
from explorer.elements.sky import cluster_columns, plane_columns
from explorer.first_look import CHOICE, SAMPLER, first_look
from explorer.state import State
from explorer.store import circles, seen
from massgan_core.gan.to_onnx import field_inputs
from massgan_core.peaks import inspect_places
from page.latents import latents

if TYPE_CHECKING:
    from explorer.store import Circles
    from massgan_core.gan import GanSampler
    from massgan_core.posterior import Summary
    from massgan_core.sky import ShearField

SHOWN = 16  #: samples in the player
JUDGED = 64  #: samples that say how sure a cluster is
CHECKED = 64  #: pixels by which the page checks a sample of its own
BATCH = 8


@dataclass(frozen=True)
class Choice:
    """A field that the page offers."""

    name: str
    title: str
    words: str

    def open(self) -> ShearField:
        """The field itself."""
        return mg.cosmos() if self.name == "cosmos" else mg.simulated(self.name, seed=0)


CHOICES = (
    Choice(
        "cosmos",
        "Real sky: COSMOS",
        "417,117 real galaxies, photographed by the Hubble Space Telescope in a piece of sky "
        "three times as wide as the Moon. Nobody knows the true map. Circles are clusters of "
        "galaxies found by their X-ray light: an independent witness.",
    ),
    Choice(
        "nbody",
        "Simulated: dark matter",
        "A sky computed from dark matter alone and observed as COSMOS was: as noisy, with the "
        "same holes. Here the truth is known, so the maps can be judged.",
    ),
    Choice(
        "ktng",
        "Simulated: gas and stars",
        "A sky of the IllustrisTNG project, computed with gas, stars and black holes beside the "
        "dark matter (Osato et al. 2021). The network has never seen one like it.",
    ),
)


def draw(field: ShearField, network: GanSampler, choice: Choice, n: int) -> tuple[Summary, Any]:
    """What was drawn of a field beforehand, and the samples that are kept.

    COSMOS has the summary that comes with the explorer, others one of `n` samples.
    """
    known = first_look(CHOICE, SAMPLER) if choice.name == "cosmos" else None
    wanted = JUDGED if known else n
    *_, summary = mg.stream(network, field, wanted, BATCH, keep=JUDGED)
    return known or summary, summary.samples


def script(
    choice: Choice, field: ShearField, network: GanSampler, n: int
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What the page shows of a field before anything is drawn, and what the networks need.

    Args:
        choice: Which of them.
        field: The field.
        network: That draws the samples.
        n: Samples that are drawn beforehand, where none come with the explorer.
    """
    summary, samples = draw(field, network, choice, n)
    area = field.footprint.numpy()
    smoothing = State.param.smoothing.default
    maps = {"ks": seen("ks", field, smoothing), "mean": summary.mean, "std": summary.std}
    if choice.name != "cosmos":
        maps["truth"] = field.truth.float()
    maps = {name: np.asarray(image) for name, image in maps.items()}
    spread = picture_limits(maps["std"], area, signed=False)
    sure = picture_limits(maps["mean"] / maps["std"], area, signed=True)
    high = float(State.param.limit.default)
    told = field_inputs(network, field)
    page = {
        "title": choice.title,
        "words": choice.words,
        "shape": list(field.grid.shape),
        "scale": field.grid.pixel_scale,
        "bounds": list(field.grid.bounds),
        "plane": {name: value for name, [value] in plane_columns(field.grid).items()},
        "bar": nice(SHARE * field.grid.extent[1]),
        "area": text(np.packbits(area.ravel())),
        "limits": {"kappa": [-high, high], "std": list(spread), "snr": list(sure)},
        "maps": {name: packed(image[area], np.uint16) for name, image in maps.items()},
        "samples": packed(samples[:SHOWN].numpy()[:, area], np.uint8),
        "shown": min(SHOWN, len(samples)),
        "n": summary.n,
        "clusters": clusters(circles(field), samples, field),
        "check": check(field, network, tuple(told["condition"].shape[-2:])),
    }
    return page, told


def text(array: np.ndarray) -> str:
    """The bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def packed(values: np.ndarray, kind: type) -> dict[str, Any]:
    """Finite values as integers of `kind` in even steps from the lowest to the highest."""
    low, high = float(values.min()), float(values.max())
    steps = np.iinfo(kind).max
    levels = np.rint((values - low) / ((high - low) or 1.0) * steps).astype(kind)
    return {"low": low, "high": high, "bits": 8 * levels.itemsize, "data": text(levels)}


def clusters(
    rings: Circles | None, samples: torch.Tensor, field: ShearField
) -> list[dict[str, Any]]:
    """Place, name and facts of each cluster, and in which share of the samples it is found."""
    if rings is None:
        return []
    places = np.stack([rings.x, rings.y], axis=1)
    found = inspect_places(samples, field.grid, field.footprint, places, rings.radius)
    columns = cluster_columns(rings)
    rows = [
        {name: _plain(columns[name][i]) for name in columns} for i in range(len(columns["name"]))
    ]
    return [
        row | {"found": None if one is None else one.found}
        for row, one in zip(rows, found, strict=True)
    ]


def check(field: ShearField, network: GanSampler, padded: tuple[int, int]) -> dict[str, Any]:
    """A few pixels of sample 0 of seed 0, as torch paints it from the page's own latents."""
    white = [torch.from_numpy(a) for a in latents(network.network.latent_shapes(padded), 0, 0)]
    kappa = network.paint(field, white)[0]
    kappa = (kappa - kappa[field.footprint].mean()).flatten()
    seen_at = torch.nonzero(field.footprint.flatten())[:, 0]
    at = seen_at[torch.linspace(0, len(seen_at) - 1, CHECKED).long()]
    return {"at": at.tolist(), "kappa": kappa[at].tolist()}


def _plain(value: Any) -> Any:
    """A number that JSON knows: NaN is not one."""
    if isinstance(value, str):
        return str(value)
    return round(float(value), 4) if np.isfinite(value) else None
