"""Tiles: the whole, where they see enough of it, and each pixel from one tile."""

from functools import partial

import pytest
import torch

from massgan_core.gan import load
from massgan_core.gan.tiles import in_tiles
from massgan_core.nn import UNet
from massgan_core.sky import Draws, Grid, ShearField, generator


@pytest.fixture
def parts():
    """A decoder, and what it is given of a field of 12 × 9 coarsest pixels."""
    torch.manual_seed(1)
    network = UNet(3, (6, 8), latent=2, bottleneck=1).eval()
    shape = (12 * network.multiple, 9 * network.multiple)
    with torch.no_grad():
        shares = network.shares(network.features(torch.randn(1, 3, *shape)))
    return network, shares, network.latents(shape, [generator(i) for i in range(2)])


@torch.no_grad()
@pytest.mark.parametrize("core", [2, 4, 5])
def test_tiles_that_see_all_that_matters_are_the_whole(parts, core):
    network, shares, latents = parts
    whole = network.paint(shares, latents)
    tiled = in_tiles(network.paint, shares, latents, (12, 9), core=core, margin=6)
    torch.testing.assert_close(tiled, whole, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_without_a_margin_only_the_middles_are(parts):
    """The test above can fail."""
    network, shares, latents = parts
    whole = network.paint(shares, latents)
    tiled = in_tiles(network.paint, shares, latents, (12, 9), core=6, margin=0)
    assert (tiled - whole).abs().max() > 0.01 * whole.std()


@torch.no_grad()
def test_every_pixel_is_of_one_tile_and_small_fields_are_one(parts):
    network, shares, latents = parts
    calls = []

    def number(shares, latents):
        calls.append(len(calls) + 1.0)
        return torch.full_like(network.paint(shares, latents), calls[-1])

    tiled = in_tiles(number, shares, latents, (12, 9), core=5, margin=1)
    assert calls == [1, 2, 3, 4, 5, 6] and set(tiled.unique().tolist()) == set(calls)
    calls.clear()
    in_tiles(number, shares, latents, (12, 9), core=10, margin=1)
    assert calls == [1]


@pytest.mark.slow  # 900² pixels, twice
def test_large_fields_have_no_seams(small_field, monkeypatch):
    """To 1e-3 of the posterior std, with the bundled checkpoint and its margin."""
    times = 900 // small_field.grid.shape[0] + 1
    arrays = {
        name: torch.tile(getattr(small_field, name), (times, times))[:900, :900]
        for name in ("gamma", "sigma", "mask")
    }
    field = ShearField(Grid((900, 900), small_field.grid.pixel_scale), **arrays)
    sampler = load("default")
    whole = sampler.sample(field, 2, Draws(4))
    monkeypatch.setattr("massgan_core.gan.sampler.in_tiles", partial(in_tiles, core=10))
    tiled = sampler.sample(field, 2, Draws(4))
    std = (whole[0] - whole[1]).std() / 2**0.5
    assert 0 < (tiled - whole).abs().max() <= 1e-3 * std
