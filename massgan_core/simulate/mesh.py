r"""Periodic meshes: painting particles, Fourier transforms, gradients at particles.

One interface for all devices. On the CPU the loops over particles are compiled by numba (the
extra ``simulate``) and transforms are pocketfft's, which work in place; elsewhere, and without
numba, torch's scatter and gather do the same.

Positions are comoving [Mpc/h] in [0, box); the first cell's centre is the origin.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import pi

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Tensor

_CHUNK = 1 << 22  # particles a scatter handles at once


def paint(x: Float[Tensor, "N 3"], mesh: int, box: float) -> Float[Tensor, "M M M"]:
    """Overdensity δ of particles by cloud-in-cell; its mean is 0."""
    density = torch.zeros((mesh,) * 3, device=x.device)
    if loops := _loops(x):
        loops.paint(density.numpy(), x.numpy(), mesh / box, torch.get_num_threads())
    else:
        for part in x.split(_CHUNK):
            for index, weight in _corners(part * (mesh / box), mesh):
                density.view(-1).index_add_(0, index, weight)
    return density.mul_(mesh**3 / len(x)).sub_(1)


def add_gradient(
    out: Float[Tensor, "N 3"],
    keep: float,
    potential: Float[Tensor, "M M M"],
    x: Float[Tensor, "N 3"],
    box: float,
    factor: float,
) -> None:
    """out ← keep · out − factor · ∇potential at `x`, cloud-in-cell between the cells.

    The differences are of fourth order and antisymmetric, so that with :func:`paint` no
    particle pulls itself and momentum is conserved.
    """
    mesh = len(potential)
    scale = mesh / box
    if loops := _loops(x):
        loops.add_gradient(out.numpy(), keep, potential.numpy(), x.numpy(), scale, factor * scale)
        return
    for axis in range(3):
        near, far = (potential.roll(-n, axis) - potential.roll(n, axis) for n in (1, 2))
        slope = near.mul_(2 / 3).sub_(far, alpha=1 / 12).view(-1)
        for part, target in zip(x.split(_CHUNK), out.split(_CHUNK), strict=True):
            total = sum(slope[index] * weight for index, weight in _corners(part * scale, mesh))
            target[:, axis] = keep * target[:, axis] - factor * scale * total


def drift(x: Float[Tensor, "N 3"], u: Float[Tensor, "N 3"], step: float, box: float) -> None:
    """x ← x + step · u, wrapped into [0, box)."""
    if loops := _loops(x):
        loops.drift(x.numpy(), u.numpy(), step, box)
        return
    wrap(x.add_(u, alpha=step), box)


def wrap(x: Float[Tensor, "N 3"], box: float) -> Float[Tensor, "N 3"]:
    """`x` itself, every coordinate brought into [0, box)."""
    if loops := _loops(x):
        loops.drift(x.numpy(), x.numpy(), 0.0, box)
        return x
    x.remainder_(box)
    # The remainder of a tiny negative number rounds to the box itself.
    return x.masked_fill_(x >= box, 0)


def paint_sheet(
    x: Float[Tensor, "N 3"], axis: int, low: float, high: float, pixels: int, box: float
) -> Float[Tensor, "P P"]:
    """Surface density over its mean of the particles with low ≤ x[axis] < high.

    Projected along `axis`; rows run along the next axis (cyclically), columns along the one
    after it. The mean is that of the box, so mass in excess of it shows.
    """
    sheet = torch.zeros((pixels, pixels), device=x.device)
    if loops := _loops(x):
        loops.paint_sheet(
            sheet.numpy(), x.numpy(), axis, low, high, pixels / box, torch.get_num_threads()
        )
    else:
        rest = [(axis + 1) % 3, (axis + 2) % 3]
        for part in x.split(_CHUNK):
            inside = (part[:, axis] >= low) & (part[:, axis] < high)
            flat = part[inside][:, rest] * (pixels / box)
            for index, weight in _corners(flat, pixels):
                sheet.view(-1).index_add_(0, index, weight)
    return sheet.mul_(pixels**2 * box / (len(x) * (high - low)))


def fft(field: Float[Tensor, "M M M"]) -> Complex[Tensor, "M M H"]:
    """``rfftn``; may overwrite `field`."""
    if field.device.type != "cpu":
        return torch.fft.rfftn(field)
    from scipy import fft as pocket

    out = pocket.rfftn(field.numpy(), workers=torch.get_num_threads(), overwrite_x=True)
    return torch.from_numpy(out)


def ifft(modes: Complex[Tensor, "M M H"]) -> Float[Tensor, "M M M"]:
    """``irfftn`` to a cube; may overwrite `modes`."""
    mesh = len(modes)
    if modes.device.type != "cpu":
        return torch.fft.irfftn(modes, s=(mesh,) * 3)
    from scipy import fft as pocket

    threads = torch.get_num_threads()
    # Two steps: irfftn would keep the modes and work on a copy of them.
    half = pocket.ifftn(modes.numpy(), axes=(0, 1), workers=threads, overwrite_x=True)
    return torch.from_numpy(pocket.irfft(half, mesh, axis=2, workers=threads, overwrite_x=True))


def isotropic(
    modes: Complex[Tensor, "M M H"],
    box: float,
    response: Callable[[np.ndarray], np.ndarray],
    *,
    windows: int = 0,
) -> Complex[Tensor, "M M H"]:
    """modes ← response(k²) · modes, in place; the mean becomes 0.

    Args:
        modes: Of :func:`fft`.
        box: Side [Mpc/h].
        response: Of k² [h²/Mpc²]; k² takes few values, so that it is tabulated once.
        windows: Cloud-in-cell windows to take off (negative: to put on).
    """
    mesh = len(modes)
    squares = np.arange(1, 3 * (mesh // 2) ** 2 + 1)
    table = np.concatenate([[0], response((2 * pi / box) ** 2 * squares)]).astype(np.float32)
    window = np.sinc(np.fft.fftfreq(mesh)).astype(np.float32) ** (-2 * windows)
    if loops := _loops(modes):
        loops.isotropic(modes.numpy(), table, window)
        return modes
    n = torch.from_numpy(np.rint(np.fft.fftfreq(mesh, 1 / mesh)).astype(np.int64))
    n, half = n.abs().to(modes.device), mesh // 2 + 1
    square = n[:, None, None] ** 2 + n[None, :, None] ** 2 + n[None, None, :half] ** 2
    w = torch.from_numpy(window).to(modes.device)
    modes *= torch.from_numpy(table).to(modes.device)[square]
    modes *= w[:, None, None] * w[None, :, None] * w[None, None, :half]
    return modes


def wavenumbers(
    mesh: int, box: float, device: torch.device | str = "cpu"
) -> tuple[Float[Tensor, "M 1 1"], Float[Tensor, "1 M 1"], Float[Tensor, "1 1 H"]]:
    """k along each axis of :func:`fft` [h/Mpc]."""
    step = box / mesh / (2 * pi)
    full = torch.fft.fftfreq(mesh, step, device=device)
    half = torch.fft.rfftfreq(mesh, step, device=device)
    return full[:, None, None], full[None, :, None], half[None, None, :]


@lru_cache(maxsize=1)
def _numba_loops() -> object | None:
    try:
        from massgan_core.simulate import kernels
    except ImportError:
        return None
    before, nothing = torch.get_num_threads(), np.zeros((1, 3), np.float32)
    kernels.drift(nothing, nothing, 0.0, 1.0)  # numba's threads begin with the first loop,
    torch.set_num_threads(before)  # and make OpenMP's, which are torch's, as many
    return kernels


def _loops(x: Tensor) -> object | None:
    """The compiled loops, where they serve the device of `x`."""
    single = x.dtype in (torch.float32, torch.complex64)
    return _numba_loops() if x.device.type == "cpu" and single else None


def _corners(x: Tensor, mesh: int) -> list[tuple[Tensor, Tensor]]:
    """Flat index and weight of the 2^d cells around coordinates [n, d] in units of cells."""
    cell = x.floor()
    fraction = x - cell
    cell = cell.long() % mesh
    corners = [(torch.zeros_like(cell[:, 0]), torch.ones_like(x[:, 0]))]
    for d in range(x.shape[1]):
        low, high = cell[:, d], (cell[:, d] + 1) % mesh
        f = fraction[:, d]
        corners = [
            (index * mesh + at, weight * w)
            for index, weight in corners
            for at, w in ((low, 1 - f), (high, f))
        ]
    return corners


def shell_average(
    modes: Complex[Tensor, "M M H"], box: float, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean k [h/Mpc] and P(k) [(Mpc/h)³] of a δ(k) from :func:`fft`, in bins of k."""
    mesh = len(modes)
    k = torch.sqrt(sum(axis**2 for axis in wavenumbers(mesh, box)))
    weight = torch.full((1, 1, mesh // 2 + 1), 2.0)
    weight[..., 0] = weight[..., -1] = 1
    index = np.digitize(k.flatten().numpy(), edges) - 1
    inside = (index >= 0) & (index < len(edges) - 1)
    power = (modes.abs().double() ** 2) * (box**3 / mesh**6)
    w = weight.expand(k.shape).flatten().numpy()[inside]

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(index[inside], values * w, len(edges) - 1)

    count = summed(np.ones(inside.sum()))
    return (
        summed(k.flatten().numpy()[inside]) / count,
        summed(power.flatten().numpy()[inside]) / count,
    )
