import numpy as np
import pytest

from massgan_core.simulate import PLANCK, Cosmology
from massgan_core.simulate.suite import LIMITS, Suite

RANGES = {"sigma8": (0.6, 1.0), "omega_m": (0.2, 0.4)}


def values(suite, n, *names):
    return np.array([[getattr(suite(b), name) for name in names] for b in range(n)])


def test_without_ranges_all_boxes_are_alike():
    one = Cosmology(sigma8=0.9)
    assert Suite()(7) == PLANCK and Suite(one)(0) == Suite(one)(1) == one


@pytest.mark.parametrize("names", [["w"], ["sigma8", "omega_m"], list(LIMITS)])
def test_draws_fill_their_ranges_and_nothing_else(names):
    suite = Suite(PLANCK, {name: LIMITS[name] for name in names}, seed=3)
    for name in names:
        drawn, (low, high) = values(suite, 100, name)[:, 0], LIMITS[name]
        assert low <= drawn.min() < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < drawn.max() <= high
        assert len(set(drawn)) == 100
    kept = [name for name in ("omega_b", *LIMITS) if name not in names]
    assert (values(suite, 5, *kept) == values(lambda _: PLANCK, 5, *kept)).all()


@pytest.mark.parametrize("seed", [0, 1, -5])
@pytest.mark.parametrize("first", [0, 1000])
def test_any_64_boxes_cover_a_plane_evenly(seed, first):
    """Each of 16 cells gets about 4 of them; random draws leave one with none or one."""
    suite = Suite(PLANCK, RANGES, seed)
    drawn = values(lambda b: suite(first + b), 64, "sigma8", "omega_m")
    cells = np.histogram2d(*drawn.T, bins=4, range=list(RANGES.values()))[0]
    assert 2 <= cells.min() and cells.max() <= 6


def test_a_box_depends_on_its_number_and_the_seed_alone():
    again = Suite(PLANCK, dict(reversed(RANGES.items())), seed=1)
    assert again(41) == Suite(PLANCK, RANGES, seed=1)(41) != Suite(PLANCK, RANGES, seed=2)(41)


def test_settings_are_plain_values():
    settings = Suite(PLANCK, RANGES).settings()
    assert settings["sigma8"] == [0.6, 1.0] and settings["h"] == PLANCK.h


@pytest.mark.parametrize(
    ("cosmology", "ranges", "message"),
    [
        ({}, {"sigma9": (0, 1)}, "range must be of omega_m, .*, got 'sigma9'"),
        ({}, {"omega_b": (0.04, 0.05)}, "range must be of"),
        ({}, {"sigma8": (1.0, 0.6)}, "`sigma8` must run from low to high, got 1.0 to 0.6"),
        ({}, {"w": (-9, -1)}, "`w` must lie within -2.0 and -0.5, got -9"),
        ({}, {"h": (0.6, float("nan"))}, "`h` must run from low to high"),
        ({"h": 67.7}, {}, "`h` must lie within 0.5 and 1.0, got 67.7"),
        ({"n_s": 0.5}, {}, "`n_s` must lie within"),
    ],
)
def test_what_has_no_cosmology_is_refused(cosmology, ranges, message):
    with pytest.raises(ValueError, match=message):
        Suite(Cosmology(**cosmology), ranges)
