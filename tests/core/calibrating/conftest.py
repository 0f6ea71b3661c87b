"""A small store of maps and a small survey, for calibration."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from massgan_core.calibrating.fields import Survey
from massgan_core.data import MapStore
from massgan_core.sky import Grid, PowerSpectrum, Sources, gaussian_field, generator

SIDE, BOXES, PER_BOX, SEED = 16, 28, 5, 7
NZ = [Sources([0.1, z, 3.0], [0.0, 1.0, 0.0]) for z in (1.5, 0.6)]


@pytest.fixture(scope="package")
def power():
    return PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])


@pytest.fixture(scope="package")
def store(tmp_path_factory, power):
    """28 boxes of 5 deep maps and one shallow one; the last box is not made yet."""
    grid = Grid((2 * SIDE, 2 * SIDE), 1.0)
    scale = power.std(1.0)
    tables = [
        {"redshift": s.redshift, "density": s.density, "sigma_kappa": scale * f}
        for s, f in zip(NZ, (1, 0.5), strict=True)
    ]
    rows, each = np.arange(BOXES * (PER_BOX + 1)), PER_BOX + 1
    columns = {"omega_m": 0.3, "omega_b": 0.05, "h": 0.7, "sigma8": 0.8, "n_s": 0.96}
    columns |= {"box": rows // each, "seed": rows, "sources": (rows % each == PER_BOX).astype(int)}
    store = MapStore.create(
        tmp_path_factory.mktemp("maps") / "maps.zarr",
        columns,
        shape=grid.shape,
        pixel_scale=1.0,
        kind="nbody",
        sources=tables,
        settings={"seed": SEED},
    )
    for row in rows[:-each].tolist():
        shallow = 0.5 if row % each == PER_BOX else 1.0
        store.write(row, shallow * gaussian_field(power, grid, generator(row)))
    return store


@pytest.fixture(scope="package")
def survey():
    sigma = torch.full((SIDE, SIDE), 0.1)
    sigma[:, 13:] = torch.inf
    return Survey(sigma, torch.isfinite(sigma), 1.0, NZ[0])
