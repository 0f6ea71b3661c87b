"""The main job on the command line: COSMOS, by the bundled network."""

import numpy as np
import pytest
import torch
from astropy.io import fits
from astropy.wcs import WCS
from typer.testing import CliRunner

from massgan_core.cli.main import app
from massgan_core.sky import Grid, smooth


@pytest.fixture(scope="module")
def cosmos(tmp_path_factory):
    out = tmp_path_factory.mktemp("cosmos") / "cosmos.fits"
    words = ["reconstruct", "cosmos", "--method", "gan", "--samples", "64", "--out", str(out)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    with fits.open(out) as file:
        maps = {h.name: (np.array(h.data), h.header) for h in file if h.data is not None}
    return {**maps, "path": out}


def test_the_cluster_at_redshift_073_is_there(cosmos):
    """A maximum of MEAN smoothed by 1′ within 1′ of it, above the 99th percentile."""
    mean, header = cosmos["MEAN"]
    area = cosmos["FOOTPRT"][0].astype(bool)
    mean = torch.from_numpy(mean.astype(np.float32))
    mean = smooth(mean, Grid(mean.shape, 0.29), 1.0, mask=torch.from_numpy(area)).numpy()
    around = np.stack([np.roll(mean, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])
    y, x = np.nonzero((mean >= around.max(0)) & area & (mean > np.percentile(mean[area], 99)))
    ra, dec = WCS(header).all_pix2world(x, y, 0)
    distance = 60 * np.hypot((ra - 149.92) * np.cos(np.deg2rad(2.51)), dec - 2.51)
    assert distance.min() < 1


def test_maps_are_whole(cosmos):
    area = cosmos["FOOTPRT"][0].astype(bool)
    mean, std, low, high = (cosmos[k][0][area] for k in ("MEAN", "STD", "LOW", "HIGH"))
    assert np.isfinite(mean).all() and (std > 0).all()
    assert (low < mean).mean() > 0.99 and (mean < high).mean() > 0.99
    assert abs(mean.mean()) < 1e-6


def test_the_header_says_what_made_it(cosmos):
    from massgan_core.gan import load

    with fits.open(cosmos["path"]) as file:
        header = file[0].header
    assert header["ZEROPT"] == "footprint mean"
    assert header["CKPTDIG"] == load("default").provenance["digest"]
    assert (header["NSAMP"], header["SEED"], header["BATCH"]) == (64, 0, 8)
    assert header["INDOMAIN"] is True and header["CALIB"] is True
    assert (header["LEVEL"], header["CALMETH"], header["CALMAPS"]) == (0.95, "residual", 100)
    assert (header["CALBOXES"], header["CALSAMP"]) == (20, 32)
