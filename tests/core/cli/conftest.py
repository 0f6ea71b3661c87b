"""Small inputs for the command line: shear-field FITS, catalogues, a tiny checkpoint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def run():
    """Run ``massgan`` in this process: ``run("reconstruct", …)`` gives typer's result."""
    from typer.testing import CliRunner

    from massgan_core.cli.main import app

    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def start(root):
    """Start ``massgan`` as a process of its own; whatever still runs is killed at the end."""
    children = []

    def begin(*words: object, first: Path = root, **options: object) -> subprocess.Popen:
        """`first` comes first on the import path, then the checkout."""
        path = os.pathsep.join(map(str, (first, root)))
        environment = {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
        # -P: a script does not look for modules in the working folder, nor shall we.
        command = [sys.executable, "-P", "-m", "massgan_core.cli.main", *map(str, words)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        if os.name == "posix":
            # A job started in the background ignores Ctrl-C, and so would its children.
            pipes["preexec_fn"] = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        child = subprocess.Popen(command, env=environment, **{**pipes, **options})
        children.append(child)
        return child

    yield begin
    for child in children:
        if child.poll() is None:
            child.terminate()  # so that it can end children of its own
        child.communicate(timeout=60)


@pytest.fixture
def shear_fits(tmp_path):
    """Write a shear-field FITS: a lensed Gaussian sky under noise, a hole in its mask.

    ``shear_fits(shape=…, name=…, garbage=…, drop=…, change=…)`` returns its path; `change` is
    called with the dict of images before they are written.
    """
    import torch
    from astropy.io import fits

    from massgan_core.sky import Grid, ShearOperator, gaussian_field, generator
    from massgan_core.survey import cosmos_spectrum

    def write(
        *,
        shape: tuple[int, int] = (40, 56),
        name: str = "field.fits",
        garbage: float = 0.0,
        drop: tuple[str, ...] = (),
        change: object = None,
        wcs: bool = True,
    ) -> Path:
        grid = Grid.tan(shape, 0.5, center=(150.0, 2.0))
        kappa = gaussian_field(cosmos_spectrum(), grid, generator(1))
        sigma = 0.1 + 0.1 * torch.rand(shape, generator=generator(2))
        noise = torch.complex(*torch.randn((2, *shape), generator=generator(3))) * sigma
        gamma = ShearOperator(grid)(kappa) + noise
        mask = np.ones(shape, np.uint8)
        mask[4:12, 6:20] = 0
        outside = mask == 0
        images = {
            "GAMMA1": np.where(outside, garbage, gamma.real.numpy()).astype("f4"),
            "GAMMA2": np.where(outside, -garbage, gamma.imag.numpy()).astype("f4"),
            "SIGMA": sigma.numpy(),
            "MASK": mask,
        }
        if change is not None:
            change(images)
        header = grid.wcs.to_header() if wcs else None
        hdus = [fits.PrimaryHDU()]
        hdus += [fits.ImageHDU(v, header, name=k) for k, v in images.items() if k not in drop]
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        fits.HDUList(hdus).writeto(path)
        return path

    return write


@pytest.fixture
def catalogue(tmp_path):
    """Write a CSV of 6000 galaxies in 12′ × 12′ about `center`; returns its path.

    Every call uses the same offsets on the sky (a gnomonic plane about `center`) and the same
    shapes, so that fields at different places hold the same data.
    """
    from astropy.wcs import WCS

    def write(
        *,
        center: tuple[float, float] = (150.0, 2.0),
        name: str = "galaxies.csv",
        names: str = "ra,dec,e1,e2,weight",
        change: object = None,
    ) -> Path:
        rng = np.random.default_rng(5)
        wcs = WCS(naxis=2)
        wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], center
        wcs.wcs.crpix, wcs.wcs.cdelt = [1, 1], [-1 / 60, 1 / 60]
        ra, dec = wcs.all_pix2world(*rng.uniform(-6, 6, (2, 6000)), 0)
        e1, e2 = 0.25 * rng.standard_normal((2, 6000))
        table = np.column_stack([ra % 360, dec, e1, e2, rng.uniform(0.5, 1.5, 6000)])
        if change is not None:
            change(table)
        path = tmp_path / name
        np.savetxt(path, table, fmt="%.12f", delimiter=",", header=names, comments="")
        return path

    return write


@pytest.fixture
def tiny_checkpoint(tmp_path):
    """A whole checkpoint of a small network with random weights, trained on nothing."""
    import torch

    from massgan_core.gan import checkpoint
    from massgan_core.gan.normalize import Normalizer
    from massgan_core.gan.sampler import build, normalization_card
    from massgan_core.survey import cosmos_spectrum

    network = {"widths": [8, 8], "latent": 2, "shuffle": 2, "bottleneck": 1}
    card = {
        "name": "tiny",
        "network": network,
        "normalization": normalization_card(Normalizer(cosmos_spectrum())),
        "domain": {"pixel_scale": [0.45, 0.55]},
        "training": {},
        "trained_on": "nothing: its weights are random numbers, for a test",
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = build(network).state_dict()
    path = tmp_path / "tiny.safetensors"
    checkpoint.save(path, weights, card)
    return path


@pytest.fixture
def gan(tiny_checkpoint):
    """Options that choose the gan: the bundled checkpoint where there is one, else the tiny."""
    import massgan_core as mg

    name = "default" if "default" in mg.checkpoints() else tiny_checkpoint
    return ["--method", "gan", "--checkpoint", str(name)]


@pytest.fixture(params=["ks", "wiener", "gan"])
def method(request):
    """Options that choose each method in turn."""
    if request.param == "gan":
        return request.getfixturevalue("gan")
    return ["--method", request.param]
