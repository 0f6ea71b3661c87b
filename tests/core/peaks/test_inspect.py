"""What samples say of one circle."""

import numpy as np
import pytest
import torch

from massgan_core.peaks import aperture_mean, inspect_place, inspect_places
from massgan_core.sky import Grid, PowerSpectrum, gaussian_field

GRID = Grid((60, 70), 0.5)
POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
PLACE, RADIUS = (4.0, -3.0), 2.0


@pytest.fixture
def area():
    area = torch.ones(60, 70, dtype=torch.bool)
    area[:, 60:] = False
    return area


@pytest.fixture
def samples(rng):
    return torch.stack([gaussian_field(POWER, GRID, rng) for _ in range(40)])


def lifted(samples, height):
    """The same with a disc of mass at the place."""
    rows, columns = torch.meshgrid(torch.arange(60.0), torch.arange(70.0), indexing="ij")
    x, y = GRID.pixel_to_plane(columns, rows)
    return samples + height * (torch.hypot(x - PLACE[0], y - PLACE[1]) < RADIUS)


def test_kappa_is_that_of_the_circle(samples, area):
    found = inspect_place(samples, GRID, area, PLACE, RADIUS)
    own = aperture_mean(samples, GRID, area, np.array([PLACE]), RADIUS)[:, 0]
    torch.testing.assert_close(found.kappa, own)
    assert found.mean == pytest.approx(own.mean().item())
    assert found.std == pytest.approx(own.std().item())
    assert found.snr == pytest.approx((own.mean() / own.std()).item())
    assert found.random.shape == (40, 200) and not found.random.isnan().any()
    assert found.order[0] == int(own.argmax()) and found.order[-1] == int(own.argmin())


def test_any_place_is_a_random_one_where_there_is_nothing(samples, area):
    found = inspect_place(samples, GRID, area, PLACE, RADIUS)
    assert 0.3 < found.rank.mean() < 0.7
    assert found.found < 0.25


def test_mass_is_found_and_the_surer_the_more(samples, area):
    shares = [
        inspect_place(lifted(samples, h), GRID, area, PLACE, RADIUS).found
        for h in (0.0, 0.02, 0.1)
    ]
    assert shares == sorted(shares) and shares[-1] == 1
    strong = inspect_place(lifted(samples, 0.1), GRID, area, PLACE, RADIUS)
    assert strong.rank_of_mean > 0.95 and strong.rank.min() > 0.95


def test_what_a_sample_does_everywhere_does_not_count(samples, area):
    levels = torch.linspace(-1, 1, 40)[:, None, None]
    one, other = (inspect_place(s, GRID, area, PLACE, RADIUS) for s in (samples, samples + levels))
    torch.testing.assert_close(one.kappa, other.kappa)
    torch.testing.assert_close(one.rank, other.rank)


def test_the_histogram_counts_everything(samples, area):
    found = inspect_place(samples, GRID, area, PLACE, RADIUS)
    edges, own, random = found.histogram(10)
    assert len(edges) == 11 and own.sum() == pytest.approx(1) == random.sum()
    middle = (edges[:-1] + edges[1:]) / 2
    assert middle @ own == pytest.approx(found.mean, abs=np.diff(edges)[0])


def test_one_sample_has_a_rank_and_no_spread(samples, area):
    found = inspect_place(samples[:1], GRID, area, PLACE, RADIUS)
    assert 0 <= found.rank_of_mean <= 1 and np.isnan(found.std)


def test_places_off_the_footprint_are_refused(samples, area):
    with pytest.raises(ValueError, match="50% of the circle of 2′ about it in the footprint, got"):
        inspect_place(samples, GRID, area, (15.0, 0.0), RADIUS)
    with pytest.raises(ValueError, match="at least one sample"):
        inspect_place(samples[:0], GRID, area, PLACE, RADIUS)


def test_many_places_are_inspected_as_each_alone(samples, area):
    places, radii = np.array([PLACE, (0.0, 5.0), (17.0, 0.0)]), np.array([RADIUS, 1.0, RADIUS])
    *inside, outside = inspect_places(samples, GRID, area, places, radii)
    assert outside is None
    for found, place, radius in zip(inside, places, radii, strict=False):
        alone = inspect_place(samples, GRID, area, tuple(place), float(radius))
        torch.testing.assert_close(found.kappa, alone.kappa)
        torch.testing.assert_close(found.random, alone.random)
        assert found.rank_of_mean == alone.rank_of_mean
