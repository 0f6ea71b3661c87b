import numpy as np
import pytest
import torch

from massgan_core.evaluate import (
    central_moments,
    paired_ratio,
    peak_counts,
    std_and_skewness,
    value_counts,
    windowed_power,
)
from massgan_core.evaluate.spectra import EDGES, densities, power_per_log, windowed_theory, within
from massgan_core.sky import Grid, PowerSpectrum, gaussian_field, local_maxima

GRID = Grid((64, 64), 0.5)
WHOLE = torch.ones(64, 64, dtype=torch.bool)


def holed(rng):
    return torch.rand(64, 64, generator=rng) > 0.1


def test_edges_serve_both_requirements():
    assert EDGES[0] == 300 and EDGES[-1] == pytest.approx(12000)
    first, second = within(EDGES, 300, 6000), within(EDGES, 6000, 12000)
    assert first.sum() == 8 and second.sum() == 2 and not (first & second).any()


def test_identical_maps_have_ratio_one_and_zero_error(rng):
    kappa, area = torch.randn(6, 64, 64, generator=rng), holed(rng)
    power = windowed_power(kappa, GRID, area, [500, 2000, 8000])
    assert power.shape == (6, 2)
    ratio, error = paired_ratio(power, power, [1, 1, 2, 2, 3, 3])
    torch.testing.assert_close(ratio, torch.ones(2).double())
    assert error.max() < 1e-12


def test_power_knows_neither_the_mean_nor_what_lies_outside(rng):
    kappa, area = torch.randn(64, 64, generator=rng), holed(rng)
    poisoned = torch.where(area, kappa + 7, 1e3)
    edges = [500, 2000, 8000]
    torch.testing.assert_close(
        windowed_power(poisoned, GRID, area, edges),
        windowed_power(kappa, GRID, area, edges),
        rtol=1e-4,
        atol=0,
    )
    doubled = windowed_power(2 * kappa, GRID, area, edges)
    torch.testing.assert_close(doubled, 4 * windowed_power(kappa, GRID, area, edges))


def test_moments_of_a_known_distribution(rng):
    kappa = 3 + 2 * torch.empty(40, 64, 64).exponential_(generator=rng)
    moments = central_moments(kappa, holed(rng))
    std, skewness = std_and_skewness(moments)
    assert moments.shape == (40, 2)
    assert std == pytest.approx(2, abs=0.03) and skewness == pytest.approx(2, abs=0.1)


def test_values_are_counted_inside_the_footprint(rng):
    kappa, area = torch.randn(3, 64, 64, generator=rng), holed(rng)
    counts = value_counts(kappa, area, [-10, -0.5, 0.5, 10])
    assert counts.sum() == 3 * area.sum()
    assert counts[1] / counts.sum() == pytest.approx(0.383, abs=0.02)


def test_peaks_of_a_constructed_map():
    kappa = torch.zeros(64, 64)
    for (y, x), height in {(5, 5): 1.5, (5, 8): 2.5, (40, 20): 2.2, (60, 60): 9.0}.items():
        kappa[y, x] = height
    kappa[20, 20], kappa[20, 21] = 1.5, 1.6  # one peak: the lower of two neighbours is none
    kappa[30, 30], kappa[31, 31] = 1.5, 1.5  # a plateau is none
    kappa[0, 40] = 1.5  # at the edge: not all neighbours are seen
    area = WHOLE.clone()
    area[41, 21] = False  # a hole beside (40, 20)
    assert local_maxima(kappa, area).nonzero().tolist() == [[5, 5], [5, 8], [20, 21], [60, 60]]
    assert peak_counts(kappa, area, [1, 2, 3, 8]).tolist() == [2, 1, 0]
    assert peak_counts(kappa, WHOLE, [1, 2, 3, 8]).tolist() == [2, 2, 0]


def test_a_batch_is_its_maps(rng):
    kappa, area = torch.randn(2, 3, 64, 64, generator=rng), holed(rng)
    edges = np.array([0.0, 1, 2, 4])
    counts = peak_counts(kappa, area, edges)
    assert counts.shape == (2, 3, 3)
    assert counts[1, 2].tolist() == peak_counts(kappa[1, 2], area, edges).tolist()
    each = area.expand(2, 3, -1, -1)
    assert torch.equal(peak_counts(kappa, each, edges), counts)


@pytest.mark.parametrize("shape", [(48, 48), (31, 48)])
def test_theory_is_the_mean_power_of_skies_behind_the_same_mask(shape, rng):
    """A steep spectrum behind a holed mask: power leaks between scales, and is missing."""
    grid, power = Grid(shape, 1.0), PowerSpectrum([10.0, 1e3, 1e5], [1e-8, 1e-9, 1e-13])
    area = torch.rand(shape, generator=rng) > 0.1
    area[5:15, 20:35] = False
    large = Grid((2 * shape[0], 2 * shape[1]), 1.0)
    skies = gaussian_field(power, large, rng, (400,))[:, 9 : 9 + shape[0], 4 : 4 + shape[1]]
    edges = np.geomspace(400, 10800, 9)
    found = windowed_power(skies, grid, area, edges)
    theory = windowed_theory(power, grid, area, edges)
    error = found.std(0) / 400**0.5
    assert (error / theory)[3:].max() < 0.02
    assert ((found.mean(0) - theory).abs() < 4 * error).all()
    # It is not what one reads off the spectrum.
    plain = torch.from_numpy(power(np.sqrt(edges[1:] * edges[:-1])))
    assert ((theory / plain - 1).abs() > 0.1)[:7].all()


def test_power_per_log_integrates_to_the_variance():
    """White noise between two ℓ, over ln ℓ; and bins without a mode are left out."""
    grid, rng = Grid((64, 64), 0.5), torch.Generator().manual_seed(1)
    kappa = gaussian_field(PowerSpectrum([10.0, 1e5], [1e-9, 1e-9]), grid, rng)
    edges = np.geomspace(3000, 20000, 15)
    ell, scaled = power_per_log(windowed_power(kappa, grid, WHOLE, edges), grid, edges)
    assert ((ell.numpy() > edges[:-1]) & (ell.numpy() < edges[1:])).all()
    total = (scaled * np.log(edges[1] / edges[0])).sum()
    assert total == pytest.approx((20000**2 - 3000**2) / (4 * np.pi) * 1e-9, rel=0.04)
    edges = np.geomspace(10, 20000, 40)
    ell, scaled = power_per_log(windowed_power(kappa, grid, WHOLE, edges), grid, edges)
    assert 0 < len(ell) < 39 and ell.isfinite().all() and scaled.isfinite().all()


def test_densities_integrate_to_one(rng):
    maps, area = 3 + torch.randn(3, 64, 64, generator=rng), holed(rng)
    edges = np.linspace(-6, 6, 25)
    found = densities(maps, area, edges)
    np.testing.assert_allclose((found * 0.5).sum(-1), 1, atol=1e-12)
    normal = np.exp(-(((edges[1:] + edges[:-1]) / 2) ** 2) / 2) / (2 * np.pi) ** 0.5
    np.testing.assert_allclose(found.mean(0), normal, atol=0.03)
    torch.testing.assert_close(
        found[1] * area.sum() * 0.5, value_counts(maps[1], area, edges), rtol=1e-9, atol=0
    )
