"""Simulated boxes on disk: planes of projected mass, painted while the box evolves.

A box is a folder with one ``.npy`` file a slab of the light cone, nearest first: the surface
density over its mean, projected along each of the three axes [3, P, P], float16, and
``box.json`` that says what made it. It is written under another name and renamed when it is
whole. No snapshot of particles is ever kept.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from massgan_core import __version__
from massgan_core.simulate.cores import Cores
from massgan_core.simulate.cosmology import Cosmology
from massgan_core.simulate.mesh import paint_sheet
from massgan_core.simulate.particle_mesh import ParticleMesh
from massgan_core.simulate.sharpen import Sharpening
from massgan_core.simulate.slabs import Slabs
from massgan_core.sky.grid import ARCMIN

FORMAT = "massgan-box"
VERSION = 1
AXES = 3


@dataclass(frozen=True)
class Preset:
    """Size and resolution of a box.

    Args:
        box: Side [Mpc/h].
        particles: Along a side.
        mesh: Cells along a side.
        parts: Slabs of the light cone in one box: their thickness is box/parts.
        depth: Redshift the light cone reaches.
        start: Scale factor of the initial conditions.
        early: Steps from there to the farthest slab; then one step a slab.
        pixel_scale: Angular pixel the planes serve [arcmin]: theirs are half of it, but
        finest: not smaller than this [Mpc/h].
        sharpening: Of the haloes that the mesh softens.
        cores: How far the sharpening may go.
    """

    box: float
    particles: int
    mesh: int
    parts: int = 1
    depth: float = 4.6
    start: float = 0.1
    early: int = 4
    pixel_scale: float = 0.29
    finest: float = 0.05
    sharpening: Sharpening = field(default_factory=Sharpening)
    cores: Cores = field(default_factory=Cores)

    def slabs(self, cosmology: Cosmology) -> Slabs:
        """The light cone."""
        return Slabs(cosmology, self.box / self.parts, self.depth)

    def pixels(self, distance: float) -> int:
        """Pixels along a plane at a comoving distance [Mpc/h]."""
        size = max(self.finest, 0.5 * distance * self.pixel_scale * ARCMIN)
        return max(int(np.ceil(self.box / size)), 16)

    def memory(self) -> int:
        """Bytes of particles and meshes."""
        return 24 * self.particles**3 + 8 * self.mesh**3


# Fitted to HALOFIT's P(k) at a = 0.33 … 1 for these separations: benchmarks/fit_sharpening.py.
_HALOES = Sharpening(strength=0.0015, growth=-1.6, large=2.0, small=6.0)
# Chosen by the skewness of κ at 0.29′ on one box: benchmarks/validate_maps.py shows it.
_CORES = Cores(column=3000.0, width=0.08)

PRESETS = {
    "tiny": Preset(64.0, 32, 64, depth=2.0, finest=0.5, sharpening=_HALOES, cores=_CORES),
    "small": Preset(128.0, 192, 384, sharpening=_HALOES, cores=_CORES),
    "standard": Preset(256.0, 384, 768, parts=2, sharpening=_HALOES, cores=_CORES),
    "large": Preset(384.0, 512, 1024, parts=3, sharpening=_HALOES, cores=_CORES),
}


def preset(name: str, **changes: object) -> Preset:
    """A preset by name, with some of its fields changed."""
    if name not in PRESETS:
        raise ValueError(f"`preset` must be one of {', '.join(PRESETS)}, got {name!r}")
    return replace(PRESETS[name], **changes)


def run_box(
    folder: Path,
    preset: Preset,
    cosmology: Cosmology,
    seed: int,
    *,
    device: torch.device | str = "cpu",
    progress: Callable[[float], None] | None = None,
) -> None:
    """Simulate one box and write its planes into `folder`; nothing to do if they are there.

    Args:
        folder: Appears whole or not at all.
        preset: Size and resolution.
        cosmology: Of this box.
        seed: Of its initial conditions.
        device: Where to compute.
        progress: Is told the share that is done, 0…1.

    Raises:
        ValueError: `folder` holds something else.
        OSError: The planes do not fit on the disk; what was written of them is removed.
    """
    folder = Path(folder)
    card = _card(preset, cosmology, seed)
    if folder.exists():
        if read_card(folder) != card:
            raise ValueError(
                f"{folder} holds planes of another box (preset, cosmology, seed or version "
                "differ): name another folder or remove it"
            )
        return
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    part.mkdir(parents=True)
    try:
        _simulate(part, preset, cosmology, seed, device, progress or (lambda _: None))
        (part / "box.json").write_text(json.dumps(card, indent=1))
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def read_card(folder: Path) -> dict:
    """What made the planes in `folder`.

    Raises:
        ValueError: It is no box, or one of another format.
    """
    try:
        card = json.loads((Path(folder) / "box.json").read_text())
    except (OSError, ValueError):
        raise ValueError(f"{folder} must be a folder of planes with a box.json in it") from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ValueError(f"{folder} must be a folder of {FORMAT} planes, its box.json is not")
    if card.get("format_version") != VERSION:
        raise ValueError(
            f"{folder} holds planes of format {card.get('format_version')}, this version reads "
            f"{VERSION}: simulate the box again"
        )
    return card


def plane_path(folder: Path, slab: int) -> Path:
    """File of one slab."""
    return Path(folder) / f"plane_{slab:03d}.npy"


def _card(preset: Preset, cosmology: Cosmology, seed: int) -> dict:
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "seed": int(seed),
        "preset": asdict(preset),
        "cosmology": asdict(cosmology),
        "code": __version__,
    }


def _simulate(
    folder: Path,
    preset: Preset,
    cosmology: Cosmology,
    seed: int,
    device: torch.device | str,
    progress: Callable[[float], None],
) -> None:
    slabs = preset.slabs(cosmology)
    seen = slabs.scale_factor[::-1]
    early = np.linspace(preset.start, seen[0], preset.early + 1)[1:-1]
    box = ParticleMesh(
        cosmology,
        box=preset.box,
        particles=preset.particles,
        mesh=preset.mesh,
        start=preset.start,
        seed=seed,
        device=device,
    )
    steps = [*early, *seen]
    for step, (a, modes) in enumerate(box.evolve(steps)):
        slab = len(steps) - 1 - step
        if slab < len(slabs):
            x = preset.sharpening(box.x, modes, preset.box, a)
            _paint(folder, preset, slabs, slab, x)
            del x
        progress((step + 1) / len(steps))


def _paint(folder: Path, preset: Preset, slabs: Slabs, slab: int, x: torch.Tensor) -> None:
    """Planes of one slab along the three axes, each of another part of the box."""
    pixels = preset.pixels(float(slabs.distance[slab]))
    half = np.empty((AXES, pixels, pixels), np.float16)
    for axis in range(AXES):
        low = (slab + axis) % preset.parts * slabs.thickness
        sheet = paint_sheet(x, axis, low, low + slabs.thickness, pixels, preset.box)
        sheet = preset.cores(sheet, slabs.thickness, preset.box)
        half[axis] = sheet.clamp_(max=65504).half().cpu().numpy()
    np.save(plane_path(folder, slab), half)
