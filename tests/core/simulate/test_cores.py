import pytest
import torch

from massgan_core.simulate.cores import Cores

BOX, THICKNESS = 8.0, 100.0


def sheet(rng):
    """A uniform sheet with noise and one column of 6000 Mpc/h in excess."""
    image = 1 + 0.1 * torch.rand(64, 64, generator=rng)
    image[20, 40] = 61.0
    return image


def test_mass_is_conserved_and_the_rest_stays(rng):
    before = sheet(rng)
    after = Cores(1000.0, 0.25)(before, THICKNESS, BOX)
    torch.testing.assert_close(after.sum(), before.sum(), rtol=1e-5, atol=0)
    assert after[20, 40] < before[20, 40] / 2 and after.min() >= 1
    assert (after - before)[50:, :20].abs().max() < 1e-4


def test_the_excess_becomes_a_gaussian_of_the_width(rng):
    before = torch.ones(64, 64)
    before[32, 32] = 61.0
    core = Cores(1000.0, 0.3)(before, THICKNESS, BOX) - 1
    core[32, 32] -= 10.0  # what lies below the threshold stays
    at = (torch.arange(64) - 32.0) * (BOX / 64)
    assert core.sum() == pytest.approx(50.0, rel=1e-4)
    second = (core * at**2).sum() / core.sum()
    assert second.sqrt().item() == pytest.approx(0.3, rel=0.01)


def test_sheets_below_the_threshold_and_no_width_change_nothing(rng):
    image = sheet(rng)
    assert Cores(7000.0, 0.3)(image, THICKNESS, BOX) is image
    assert Cores(1000.0, 0.0)(image, THICKNESS, BOX) is image
