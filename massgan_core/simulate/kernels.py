r"""Fused particle–mesh loops for the CPU, compiled by numba on first use.

Cloud-in-cell weights on a periodic mesh of unit cells, cell centres at integers. Painting is
free of races and does not depend on the number of threads: every thread owns a slab of the
mesh, looks at all particles and adds those parts that fall into its slab, in the order of the
particles.
"""

from __future__ import annotations

from typing import no_type_check  # numba compiles the functions themselves, no wrappers

import numba
import numpy as np


@numba.njit(parallel=True, fastmath=True, cache=True)
@no_type_check
def paint(mesh: np.ndarray, x: np.ndarray, scale: float, threads: int) -> None:
    """Add particles at `x` [N, 3] × `scale` to `mesh` [M, M, M], one unit of mass each."""
    m = mesh.shape[0]
    for t in numba.prange(threads):
        low, high = m * t // threads, m * (t + 1) // threads
        for n in range(x.shape[0]):
            i, fi = _cell(x[n, 0] * scale, m)
            i1 = i + 1 if i + 1 < m else 0
            first, second = low <= i < high, low <= i1 < high
            if not (first or second):
                continue
            j, fj = _cell(x[n, 1] * scale, m)
            k, fk = _cell(x[n, 2] * scale, m)
            j1 = j + 1 if j + 1 < m else 0
            k1 = k + 1 if k + 1 < m else 0
            if first:
                _corner(mesh[i], j, j1, k, k1, fj, fk, 1 - fi)
            if second:
                _corner(mesh[i1], j, j1, k, k1, fj, fk, fi)


@numba.njit(inline="always", fastmath=True)
@no_type_check
def _corner(sheet, j, j1, k, k1, fj, fk, weight):
    sheet[j, k] += weight * (1 - fj) * (1 - fk)
    sheet[j, k1] += weight * (1 - fj) * fk
    sheet[j1, k] += weight * fj * (1 - fk)
    sheet[j1, k1] += weight * fj * fk


@numba.njit(inline="always", fastmath=True)
@no_type_check
def _cell(x, m):
    """Cell and fraction of a coordinate in [0, m)."""
    i = int(x)
    f = np.float32(x - i)
    return (i if i < m else i - m), f


@numba.njit(parallel=True, fastmath=True, cache=True)
@no_type_check
def add_gradient(
    out: np.ndarray, keep: float, mesh: np.ndarray, x: np.ndarray, scale: float, factor: float
) -> None:
    """out ← keep · out − factor · ∇mesh(x), by fourth-order differences between cells."""
    m = mesh.shape[0]
    c1, c2 = np.float32(2 / 3 * factor), np.float32(-1 / 12 * factor)
    keep = np.float32(keep)
    for n in numba.prange(x.shape[0]):
        i, fi = _cell(x[n, 0] * scale, m)
        j, fj = _cell(x[n, 1] * scale, m)
        k, fk = _cell(x[n, 2] * scale, m)
        gx = gy = gz = np.float32(0)
        # Nearly all particles are away from the edges, where no index needs to wrap.
        if 2 <= i < m - 3 and 2 <= j < m - 3 and 2 <= k < m - 3:
            for a in range(2):
                wa = fi if a else 1 - fi
                for b in range(2):
                    wab = wa * (fj if b else 1 - fj)
                    for c in range(2):
                        w = wab * (fk if c else 1 - fk)
                        p, q, r = i + a, j + b, k + c
                        gx += w * (
                            c1 * (mesh[p + 1, q, r] - mesh[p - 1, q, r])
                            + c2 * (mesh[p + 2, q, r] - mesh[p - 2, q, r])
                        )
                        gy += w * (
                            c1 * (mesh[p, q + 1, r] - mesh[p, q - 1, r])
                            + c2 * (mesh[p, q + 2, r] - mesh[p, q - 2, r])
                        )
                        gz += w * (
                            c1 * (mesh[p, q, r + 1] - mesh[p, q, r - 1])
                            + c2 * (mesh[p, q, r + 2] - mesh[p, q, r - 2])
                        )
        else:
            for a in range(2):
                wa = fi if a else 1 - fi
                for b in range(2):
                    wab = wa * (fj if b else 1 - fj)
                    for c in range(2):
                        w = wab * (fk if c else 1 - fk)
                        p, q, r = (i + a) % m, (j + b) % m, (k + c) % m
                        gx += w * (
                            c1 * (mesh[(p + 1) % m, q, r] - mesh[p - 1, q, r])
                            + c2 * (mesh[(p + 2) % m, q, r] - mesh[p - 2, q, r])
                        )
                        gy += w * (
                            c1 * (mesh[p, (q + 1) % m, r] - mesh[p, q - 1, r])
                            + c2 * (mesh[p, (q + 2) % m, r] - mesh[p, q - 2, r])
                        )
                        gz += w * (
                            c1 * (mesh[p, q, (r + 1) % m] - mesh[p, q, r - 1])
                            + c2 * (mesh[p, q, (r + 2) % m] - mesh[p, q, r - 2])
                        )
        out[n, 0] = keep * out[n, 0] - gx
        out[n, 1] = keep * out[n, 1] - gy
        out[n, 2] = keep * out[n, 2] - gz


@numba.njit(parallel=True, fastmath=True, cache=True)
@no_type_check
def isotropic(modes: np.ndarray, table: np.ndarray, window: np.ndarray) -> None:
    """modes[p, q, r] *= table[n²] · window[p] · window[q] · window[r], n the wave's integers."""
    m, half = modes.shape[0], modes.shape[2]
    for p in numba.prange(m):
        a = _signed(np.int64(p), m)
        for q in range(m):
            b = _signed(np.int64(q), m)
            square, weight = a * a + b * b, window[p] * window[q]
            for r in range(half):
                n = square + np.int64(r) * np.int64(r)
                modes[p, q, r] *= weight * window[r] * table[n]


@numba.njit(inline="always")
@no_type_check
def _signed(p, m):
    """Integer wave number of the p-th of m modes."""
    return p if 2 * p <= m else p - m


@numba.njit(parallel=True, fastmath=True, cache=True)
@no_type_check
def drift(x: np.ndarray, u: np.ndarray, step: float, box: float) -> None:
    """x ← x + step · u, wrapped into [0, box)."""
    step, box = np.float32(step), np.float32(box)
    for n in numba.prange(x.shape[0]):
        for d in range(3):
            y = x[n, d] + step * u[n, d]
            y -= box * np.floor(y / box)
            # A tiny negative number plus the box rounds to the box itself.
            x[n, d] = y if 0 <= y < box else np.float32(0)


@numba.njit(parallel=True, fastmath=True, cache=True)
@no_type_check
def paint_sheet(
    sheet: np.ndarray,
    x: np.ndarray,
    axis: int,
    low: float,
    high: float,
    scale: float,
    threads: int,
) -> None:
    """Project particles with low ≤ x[axis] < high onto `sheet` [M, M].

    Rows run along the axis after `axis` (cyclically), columns along the one after that.
    """
    m = sheet.shape[0]
    row, column = (axis + 1) % 3, (axis + 2) % 3
    for t in numba.prange(threads):
        first, last = m * t // threads, m * (t + 1) // threads
        for n in range(x.shape[0]):
            depth = x[n, axis]
            if depth < low or depth >= high:
                continue
            j, fj = _cell(x[n, row] * scale, m)
            j1 = j + 1 if j + 1 < m else 0
            mine, next_ = first <= j < last, first <= j1 < last
            if not (mine or next_):
                continue
            k, fk = _cell(x[n, column] * scale, m)
            k1 = k + 1 if k + 1 < m else 0
            if mine:
                sheet[j, k] += (1 - fj) * (1 - fk)
                sheet[j, k1] += (1 - fj) * fk
            if next_:
                sheet[j1, k] += fj * (1 - fk)
                sheet[j1, k1] += fj * fk


@numba.njit(fastmath=True, cache=True, nogil=True)
@no_type_check
def add_sheet(
    kappa: np.ndarray,
    bits: np.ndarray,
    decoded: np.ndarray,
    first_row: float,
    first_column: float,
    row_step: float,
    column_step: float,
    weight: float,
) -> None:
    """kappa += weight · (sheet − 1), read bilinearly from a periodic float16 sheet.

    `bits` are the sheet's bits as uint16 and `decoded` the value of each pattern: a table
    look-up is quicker than a conversion, and only the pixels asked for are read.
    """
    m = bits.shape[0]
    height, width = kappa.shape
    left = np.empty(width, np.int64)
    right = np.empty(width, np.int64)
    g = np.empty(width, np.float32)
    for k in range(width):
        left[k], right[k], g[k] = _tap(first_column + k * column_step, m)
    weight = np.float32(weight)
    for j in range(height):
        low, high, f = _tap(first_row + j * row_step, m)
        a, b = bits[low], bits[high]
        for k in range(width):
            p, q = left[k], right[k]
            one = decoded[a[p]] * (1 - g[k]) + decoded[a[q]] * g[k]
            two = decoded[b[p]] * (1 - g[k]) + decoded[b[q]] * g[k]
            kappa[j, k] += weight * (one * (1 - f) + two * f - 1)


@numba.njit(inline="always")
@no_type_check
def _tap(at, m):
    """The two pixels and the fraction at a position on a periodic axis."""
    at = at - m * np.floor(at / m)
    low = int(at)
    f = np.float32(at - low)
    if low >= m:
        low -= m
    return low, low + 1 if low + 1 < m else 0, f
