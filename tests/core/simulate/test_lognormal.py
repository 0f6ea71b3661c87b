import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from massgan_core.simulate.lognormal import Lognormal, hilbert_shift, lognormal, skewness_shift
from massgan_core.sky import Grid, PowerSpectrum, Sources, band_power, generator
from massgan_core.sky.grid import ARCMIN
from massgan_core.sky.spectrum import band_edges
from massgan_core.survey import cosmos_sources, cosmos_spectrum

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
GRID = Grid((192, 192), 1.0)
#: Falls so steeply that no lognormal field has it: its large scales make more small-scale power.
STEEP = PowerSpectrum([10.0, 1e3, 2e3, 1e5], [1e-9, 1e-9, 2e-11, 1e-20])


def smoothed(power, sigma):
    """`power` of maps smoothed with a Gaussian of std `sigma` [arcmin]."""
    ell = np.geomspace(1, 2e5, 2000)
    return PowerSpectrum(
        ell, np.maximum(power(ell) * np.exp(-((ell * sigma * ARCMIN) ** 2)), 1e-60)
    )


def binned(spectrum, grid, edges):
    """Mean over the modes of each bin of an array of C_ℓ, of all modes or the ``rfft2`` ones."""
    ell = grid.multipoles()[:, : spectrum.shape[-1]]
    pairs = zip(edges, edges[1:], strict=False)
    return torch.stack([spectrum[(ell >= a) & (ell < b)].mean() for a, b in pairs])


def test_spectrum_is_the_wanted_one_and_not_only_to_first_order():
    maps = Lognormal(GRID, POWER, shift=0.02)(generator(1), (40,))
    edges = band_edges(400, 8000, 5)
    ell = GRID.multipoles().flatten()
    _, power = band_power(maps, GRID, edges)
    error = power.std(0) / 40**0.5
    want = torch.stack(
        [
            POWER.on(GRID).flatten()[(ell >= a) & (ell < b)].mean()
            for a, b in zip(edges, edges[1:], strict=False)
        ]
    )
    assert ((power.mean(0) - want).abs() < 4 * error).all()
    assert (error / want).max() < 0.04


@pytest.mark.parametrize("strength", [0.7, 1.37, 3.0])
@pytest.mark.parametrize("shape", [(300, 300), (128, 201)])
def test_the_expected_spectrum_is_the_cosmos_one_in_every_mode(shape, strength):
    grid, power = Grid(shape), cosmos_spectrum()
    maker = Lognormal(grid, power, shift=strength * power.std(0.29))
    want = power.on(grid)
    assert (maker.spectrum.flatten()[1:] > 0).all() and maker.spectrum[0, 0] == 0
    off_mean = want > 0
    assert ((maker.expected / want)[off_mean] - 1).abs().max() < 1e-6


def test_200_cosmos_maps_have_the_wanted_power_within_2_percent():
    """Cosmic variance is divided out with the same maps' Gaussian fields (G = ln(1 + κ/λ))."""
    grid, power, edges = Grid((600, 600)), cosmos_spectrum(), band_edges(300, 10000, 12)
    maker, seen, gauss = Lognormal(grid, power), 0, 0
    for i in range(20):
        kappa = maker(generator(7, i), (10,))
        seen = seen + (torch.fft.rfft2(kappa).abs() ** 2).sum(0).double()
        logs = torch.log1p(kappa / maker.shift)
        gauss = gauss + (torch.fft.rfft2(logs).abs() ** 2).sum(0).double()
    scale = grid.pixel_area / (200 * 600**2)
    seen, gauss = (binned(p * scale, grid, edges) for p in (seen, gauss))
    meant, want = (binned(p[:, :301], grid, edges) for p in (maker.spectrum, power.on(grid)))
    assert ((seen / gauss) / (want / meant) - 1).abs().max() < 0.02
    assert (seen / want - 1).abs().max() < 0.1  # four standard errors of the largest scales


@pytest.mark.parametrize(("power", "scale"), [(STEEP, 1.0), (POWER, 0.5), (STEEP, 0.5)])
@pytest.mark.parametrize("beam", [0.0, 2.0])
def test_a_mode_is_empty_or_has_exactly_the_wanted_power(power, scale, beam):
    """Complementarity: C_G ≥ 0, excess ≥ 0, and never both above 0."""
    power = smoothed(power, beam) if beam else power
    maker = Lognormal(GRID, power, shift=scale * power.std(1.0, 192))
    want, got = (s.flatten()[1:] for s in (power.on(GRID), maker.expected))
    gauss, floor = maker.spectrum.flatten()[1:], 1e-6 * want.max()
    assert (gauss >= 0).all() and (got > want - floor / 100).all()
    full = gauss * maker.shift**2 > floor
    assert full.any()
    assert ((got - want).abs() / (want + floor))[full].max() < 2e-3


def test_clipping_the_direct_solution_gives_other_power_but_solving_does_not():
    shift = 0.8 * STEEP.std(1.0, 192)
    maker, want = Lognormal(GRID, STEEP, shift), STEEP.on(GRID) / GRID.pixel_area
    xi = torch.log1p(torch.fft.ifft2(want).real / shift**2)
    direct = torch.fft.fft2(xi).real
    assert (direct.flatten()[1:] < 0).any()
    direct = direct.clamp_min(0)
    direct[0, 0] = 0
    clipped = shift**2 * torch.fft.fft2(torch.expm1(torch.fft.ifft2(direct).real)).real
    large = (want > 0.1 * want.max()) & (maker.spectrum > 0)
    error = (clipped / want - 1)[large].abs().mean()
    assert error > 0.005
    solved = maker.expected / GRID.pixel_area
    assert (solved / want - 1)[large].abs().mean() < error / 100


def test_maps_of_an_impossible_spectrum_have_the_expected_one():
    maker = Lognormal(GRID, STEEP, shift=STEEP.std(1.0, 192))
    edges = band_edges(300, 10000, 6)
    _, power = band_power(maker(generator(4), (60,)), GRID, edges)
    error = power.std(0) / 60**0.5
    assert ((power.mean(0) - binned(maker.expected, GRID, edges)).abs() < 4 * error).all()


@pytest.mark.parametrize("strength", [1.0, 2.0])
def test_gaussian_spectrum_is_that_of_glass_on_the_sphere(strength):
    """GLASS solves the same equation with Legendre transforms on the whole sphere.

    The sphere also has the modes larger than our field: we differ by 7e-4 at most.
    """
    from glass import grf

    power, last = smoothed(cosmos_spectrum(), 2.0), 4000
    shift = strength * power.std(2.0, 512)
    ell = np.arange(last + 1)
    target = np.where(ell > 0, power(ell + 0.5), 0.0)  # flat-sky ℓ is the sphere's ℓ + ½
    sphere, _, info = grf.solve(target, grf.Lognormal(shift), pad=last + 1, monopole=0.0)
    assert info > 0
    grid = Grid((1024, 1024), 2.0)
    flat, at = Lognormal(grid, power, shift).spectrum, grid.multipoles()
    near = (at > 300) & (at < 2000)
    ratio = flat[near].numpy() / np.interp(at[near].numpy(), ell + 0.5, sphere)
    assert_allclose(ratio, 1, atol=1.5e-3)
    # The transformation matters: κ/λ has a quite different spectrum.
    assert (power(2000.0) / shift**2) / np.interp(2000, ell + 0.5, sphere) > 1.15


def test_std_minimum_and_skewness_follow_from_the_shift():
    maker = Lognormal(GRID, POWER, shift=0.02)
    maps = maker(generator(2), (40,))
    assert_allclose(maps.std().item(), maker.std, rtol=0.02)
    assert maps.min() > -0.02
    x = maker.std / 0.02
    skewness = ((maps - maps.mean()) ** 3).mean() / maps.std() ** 3
    assert_allclose(skewness.item(), 3 * x + x**3, rtol=0.15)
    assert_allclose(maker.skewness, 3 * x + x**3)


@pytest.mark.parametrize("skewness", [0.1, 2.5, 30.0])
def test_a_shift_for_a_skewness_gives_that_skewness(skewness):
    shift = skewness_shift(POWER.std(1.0, 192), skewness)
    assert_allclose(Lognormal(GRID, POWER, shift).skewness, skewness, rtol=1e-2)


def test_default_shift_has_the_skewness_of_ray_traced_skies():
    assert_allclose(Lognormal(Grid((300, 300)), cosmos_spectrum()).skewness, 2.5, atol=0.2)


def test_empty_beam_shift_is_the_published_fit_averaged_over_the_sources():
    from glass.fields import lognormal_shift_hilbert2011

    for redshift in (0.3, 1.0, 2.5):
        fit = lognormal_shift_hilbert2011(redshift)
        assert_allclose(hilbert_shift(redshift), fit, rtol=1e-12)
        assert_allclose(hilbert_shift(Sources.plane(redshift)), fit, rtol=1e-3)
    assert hilbert_shift(0.5) < hilbert_shift(cosmos_sources()) < hilbert_shift(3.0)


def test_a_large_shift_is_gaussian():
    maps = Lognormal(GRID, POWER, shift=10.0)(generator(3), (10,))
    assert abs(((maps - maps.mean()) ** 3).mean() / maps.std() ** 3) < 0.05


def test_same_seed_same_map():
    first, second, other = (lognormal(GRID, POWER, generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_maps_of_one_seed_are_the_same_on_every_device(device):
    maker = Lognormal(GRID, POWER)
    there = maker.to(device)(generator(5), (2,))
    assert there.device.type == device.type and maker.device.type == "cpu"
    torch.testing.assert_close(there.cpu(), maker(generator(5), (2,)), rtol=1e-4, atol=1e-6)


def test_everything_a_map_needs_moves_to_the_device():
    """The device that holds no numbers refuses to mix with any other."""
    maps = Lognormal(GRID, POWER).to("meta")(generator(1), (3,))
    assert maps.device.type == "meta" and maps.shape == (3, *GRID.shape)


def test_a_generator_of_the_device_draws_there(device):
    key = torch.Generator(device).manual_seed(3)
    maps = Lognormal(GRID, POWER).to(device)(key, (2,))
    assert maps.device.type == device.type and maps.shape == (2, *GRID.shape)


def test_shift_must_be_positive_and_possible():
    with pytest.raises(ValueError, match="`shift` must be positive"):
        Lognormal(GRID, POWER, shift=0.0)
    ring = PowerSpectrum([10.0, 2e3, 2.3e3, 3e3, 1e5], [1e-18, 1e-18, 1e-9, 1e-18, 1e-20])
    with pytest.raises(ValueError, match=r"`shift` must exceed 0\.00\d+, got 0\.001"):
        Lognormal(GRID, ring, shift=0.001)
    with pytest.raises(ValueError, match="positive redshift"):
        hilbert_shift(0.0)
    with pytest.raises(ValueError, match="`std` and `skewness` must be positive"):
        skewness_shift(0.02, -1.0)
