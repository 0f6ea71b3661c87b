"""White on any grid, and the same noise on grids that overlap."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from massgan_core.sky import Grid
from massgan_core.sky.sky_noise import SkyNoise
from massgan_core.sky.tangent import pixels_of


def modes(image):
    """fft2 modes in units in which white noise of unit variance has 1."""
    return torch.fft.fft2(image.double()) / (image.shape[-1] * image.shape[-2]) ** 0.5


@pytest.mark.parametrize(("dec", "scale"), [(2.2, 0.29), (-75.0, 0.5), (89.9, 1.0), (30.0, 5.0)])
def test_it_is_white_on_every_grid(dec, scale):
    noise = SkyNoise(Grid.tan((64, 96), scale, center=(10.0, dec)), seed=4)
    maps = torch.cat([noise(i) for i in range(20)])
    n = maps.numel()
    assert abs(float(maps.mean())) < 4 / n**0.5
    assert float(maps.var()) == pytest.approx(1, abs=4 * (2 / n) ** 0.5)
    assert float((maps**4).mean()) == pytest.approx(3, abs=4 * (96 / n) ** 0.5)
    power = modes(maps).abs().square().mean(0)
    low = power[:6, :6].mean()  # structure of blocks or cells would show here
    assert float(low) == pytest.approx(1, abs=4 / (40 * 36) ** 0.5 * 1.5)
    beside = (maps[..., 1:] * maps[..., :-1]).mean()
    assert abs(float(beside)) < 4 / n**0.5


def test_samples_streams_and_seeds_are_independent():
    grid = Grid.tan((64, 64), 0.5, center=(10.0, 40.0))
    noise = SkyNoise(grid, seed=1)
    maps = [*noise(0), *noise(1), *noise(0, stream=1), *SkyNoise(grid, seed=2)(0)]
    matrix = np.corrcoef([m.flatten().numpy() for m in maps])
    assert np.abs(matrix - np.eye(len(maps))).max() < 4.5 / 64
    torch.testing.assert_close(noise(0), SkyNoise(grid, seed=1)(0), rtol=0, atol=0)


@pytest.mark.parametrize("dec", [0.0, 70.0])
def test_overlapping_planes_agree_on_all_but_the_smallest_scales(dec):
    """A second plane, its centre 1° away along RA, sees the noise of the first where they meet."""
    away = 1.0037 / np.cos(np.deg2rad(dec))
    first = Grid.tan((256, 256), 0.5, center=(10.0, dec))
    second = Grid.tan((256, 256), 0.5, center=(10.0 + away, dec + 0.003))
    y, x = np.indices(first.shape)
    at, up = pixels_of(second, *first.pixel_to_sky(x, y))
    at, up = (np.rint(v).astype(int) for v in (at, up))
    inside = (at >= 0) & (at < 256) & (up >= 0) & (up < 256)
    a, b = SkyNoise(first, 3)(0)[0].numpy(), SkyNoise(second, 3)(0)[0].numpy()
    b = np.where(inside, b[up.clip(0, 255), at.clip(0, 255)], 0)
    # Sums over blocks of 16 pixels: what a map of kappa keeps of white noise.
    whole = inside.reshape(16, 16, 16, 16).all((1, 3))
    sums = [m.reshape(16, 16, 16, 16).sum((1, 3))[whole] for m in (a, b)]
    assert len(sums[0]) > 50
    assert np.corrcoef(*sums)[0, 1] > 0.95
    assert 0.2 < np.corrcoef(a[inside], b[inside])[0, 1] < 0.95


def test_overlapping_planes_have_the_same_waves_of_five_pixels_and_more():
    """Waves of 5 to 20 pixels, interpolated from one plane to the other, are those it has."""
    from scipy.ndimage import map_coordinates

    first = Grid.tan((128, 128), 1.0, center=(30.0, 65.0))
    second = Grid.tan((128, 128), 1.0, center=(30.4, 65.107))
    y, x = np.indices(first.shape)
    at, up = pixels_of(first, *second.pixel_to_sky(x, y))
    inside = np.all([(v > 20) & (v < 107) for v in (at, up, x, y)], axis=0)
    k = torch.hypot(torch.fft.fftfreq(128)[:, None], torch.fft.fftfreq(128)[None])
    band = (k > 1 / 20) & (k < 1 / 5)
    a, b = (
        torch.fft.ifft2(torch.fft.fft2(SkyNoise(grid, 3)(0)) * band).real.numpy()
        for grid in (first, second)
    )
    there = [map_coordinates(wave, [up[inside], at[inside]], order=5) for wave in a]
    for seen, own in zip(there, b, strict=True):
        assert np.corrcoef(seen, own[inside])[0, 1] > 0.98


def test_a_coarse_grid_agrees_with_a_fine_one():
    center = (200.0, 55.0)
    fine, coarse = Grid.tan((320, 320), 0.5, center=center), Grid.tan((32, 32), 5.0, center=center)
    a, b = SkyNoise(fine, 9)(2)[0], SkyNoise(coarse, 9)(2)[0]
    a = a.reshape(32, 10, 32, 10).sum((1, 3)) / 10
    wide = [m.reshape(8, 4, 8, 4).sum((1, 3)).flatten().numpy() for m in (a, b)]
    assert np.corrcoef(*wide)[0, 1] > 0.9


def test_shear_noise_turns_with_north():
    """At δ = 88° two planes 90° apart in RA have axes a right angle apart: noise changes sign."""
    one = Grid.tan((96, 96), 1.0, center=(0.0, 89.99))
    other = Grid.tan((96, 96), 1.0, center=(90.0, 89.99))
    a, b = (SkyNoise(grid, 5).shear(0).numpy() for grid in (one, other))
    y, x = np.indices(one.shape)
    at, up = (np.rint(v).astype(int) for v in pixels_of(other, *one.pixel_to_sky(x, y)))
    inside = (at >= 0) & (at < 96) & (up >= 0) & (up < 96)
    match = (a[inside] * b[up[inside], at[inside]].conj()).mean()
    assert match.real < -0.5 and abs(match.imag) < 0.2
