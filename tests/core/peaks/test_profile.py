import numpy as np
import pytest
import torch

from massgan_core.peaks import profile, separation
from massgan_core.simulate.cosmology import PLANCK
from massgan_core.sky import Grid

GRID = Grid((40, 61), 0.5)
WHOLE = torch.ones(40, 61, dtype=torch.bool)
START, END = (-9.3, -4.1), (8.2, 7.7)


def _plane(a, b, c):
    x, y = (torch.from_numpy(v) for v in GRID.pixel_to_plane(np.arange(61.0), np.arange(40.0)))
    return a + b * x[None, :] + c * y[:, None]


def test_a_plane_is_met_exactly():
    along = profile(_plane(0.1, 0.02, -0.03), GRID, WHOLE, START, END)
    length = np.hypot(END[0] - START[0], END[1] - START[1])
    assert along.distance[[0, -1]] == pytest.approx([0, length])
    assert np.diff(along.distance).max() <= 0.5 * GRID.pixel_scale
    x, y = (np.linspace(a, b, len(along.distance)) for a, b in zip(START, END, strict=True))
    want = torch.from_numpy(0.1 + 0.02 * x - 0.03 * y)
    torch.testing.assert_close(along.kappa, want)


def test_it_is_linear_and_the_way_back_is_its_mirror(rng):
    a, b = torch.randn(2, 3, *GRID.shape, generator=rng, dtype=torch.float64)
    one, other, both = (profile(m, GRID, WHOLE, START, END).kappa for m in (a, b, a - 2 * b))
    assert one.shape[0] == 3
    torch.testing.assert_close(both, one - 2 * other)
    torch.testing.assert_close(profile(a, GRID, WHOLE, END, START).kappa.flip(-1), one)


def test_outside_the_footprint_and_the_grid_is_unknown():
    area = WHOLE.clone()
    area[:, 20:30] = False
    maps = torch.where(area, 0.3, torch.nan)
    along = profile(maps, GRID, area, (-30.0, 0.1), (30.0, 0.1))
    x = -30 + along.distance
    column = GRID.plane_to_pixel(x, 0.1)[0]
    known = ~along.kappa.isnan().numpy()
    inside = (column >= 0) & (column <= 60) & ~((column > 19.001) & (column < 29.999))
    np.testing.assert_array_equal(known, inside)
    torch.testing.assert_close(
        along.kappa[known], torch.full((int(known.sum()),), 0.3).double(), atol=1e-7, rtol=0
    )


def test_the_band_is_that_of_the_samples(rng):
    level = torch.linspace(-1, 1, 41, dtype=torch.float64)
    maps = level[torch.randperm(41, generator=rng), None, None].expand(41, *GRID.shape)
    low, high = profile(maps, GRID, WHOLE, START, END).band(0.9)
    assert profile(maps, GRID, WHOLE, START, END).band(0.99) is None
    torch.testing.assert_close(low, torch.full_like(low, -0.9))
    torch.testing.assert_close(high, torch.full_like(high, 0.9))


def test_a_line_needs_two_ends():
    with pytest.raises(ValueError, match="`end` must be another place than `start`"):
        profile(_plane(0, 0, 0), GRID, WHOLE, START, START)


@pytest.mark.parametrize(
    ("end", "angle", "turn"),
    [
        ((150.0, 2.5), 30.0, 0.0),  # North
        ((150.5, 2.0), 30.0 * np.cos(np.deg2rad(2.0)), 90.0),  # East
        ((150.0, 1.5), 30.0, 180.0),
        ((149.5, 2.0), 30.0 * np.cos(np.deg2rad(2.0)), 270.0),
    ],
)
def test_position_angles_go_from_north_through_east(end, angle, turn):
    got = separation((150.0, 2.0), end)
    assert got[0] == pytest.approx(angle, rel=1e-4)
    assert got[1] == pytest.approx(turn, abs=0.02)


def test_a_straight_line_on_the_plane_is_as_long_on_the_sky():
    grid = Grid.tan((100, 100), 0.3, center=(150.0, 40.0))
    ends = [grid.pixel_to_sky(*grid.plane_to_pixel(*p)) for p in ((-10.0, -8.0), (10.0, 8.0))]
    angle, turn = separation(*[tuple(map(float, end)) for end in ends])
    assert angle == pytest.approx(np.hypot(20, 16), rel=1e-4)
    assert turn == pytest.approx(360 - np.rad2deg(np.arctan2(20, 16)), abs=0.3)  # to the West


def test_lengths_are_proper_and_grow_with_the_angle():
    # χ(0.5) ≈ 1945 Mpc for Planck: 6.29 kpc/″ to a per cent.
    assert PLANCK.size(1.0, 0.5) == pytest.approx(60 * 6.29e-3, rel=0.01)
    assert PLANCK.size(3.0, 0.5) == pytest.approx(3 * PLANCK.size(1.0, 0.5))
    comoving = PLANCK.size(1.0, 0.5, comoving=True)
    assert comoving == pytest.approx(1.5 * PLANCK.size(1.0, 0.5))
    assert comoving == pytest.approx(float(PLANCK.distance(0.5)) * np.pi / 180 / 60)
    with pytest.raises(ValueError, match="`redshift` must be positive"):
        PLANCK.size(1.0, 0.0)
