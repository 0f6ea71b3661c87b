"""The bundled N-body skies."""

from importlib.resources import files

import pytest
import torch

import massgan_core as mg
from massgan_core.evaluate import pearson
from massgan_core.simulate import skies_card
from massgan_core.simulate.bundled_skies import MARGIN, SIDE, bundled_sky
from massgan_core.sky import Grid

GRID = Grid((300, 300), 0.29)


def test_a_seed_gives_the_same_sky_and_another_one_another():
    one, again, other = (bundled_sky(GRID, seed=s) for s in (0, 0, 1))
    assert torch.equal(one[0], again[0]) and one[1] == again[1]
    assert not torch.equal(one[0], other[0])
    assert abs(float(one[0].mean())) < 1e-6


def test_the_field_keeps_away_from_the_edges_where_shear_wraps():
    for seed in range(12):
        kappa, corner = bundled_sky(GRID, seed=seed)
        assert kappa.shape == (SIDE, SIDE)
        assert all(MARGIN <= at <= SIDE - MARGIN - 300 for at in corner)


def test_a_turn_is_of_the_same_map():
    number = len(skies_card()["maps"])
    turns = {bundled_sky(GRID, seed=number * i)[0][0, 0].item() for i in range(12)}
    values = {round(bundled_sky(GRID, seed=number * i)[0].std().item(), 5) for i in range(12)}
    assert len(values) == 1 and 1 < len(turns) <= 4  # four corners


def test_the_field_has_the_shear_of_its_sky():
    field = mg.simulated("nbody", seed=4, depth=1000.0, mask="none")
    estimate = mg.KaiserSquires(1.5).map(field)
    inner = torch.zeros(field.grid.shape, dtype=torch.bool)
    inner[40:-40, 40:-40] = True
    truth = mg.smooth(field.truth, field.grid, 1.5)
    assert pearson(estimate, truth, inner) > 0.95
    assert field.notes["kind"] == "nbody"


def test_the_card_says_where_they_are_from_and_what_they_are_not_for():
    card = skies_card()
    assert "not for tests" in card["use"] and card["preset"] == "small"
    assert len({m["box"] for m in card["maps"]}) == len(card["maps"]) >= 2
    path = files("massgan_core.simulate") / "bundled" / "nbody_skies.npz"
    assert len(path.read_bytes()) < 3e6


@pytest.mark.parametrize("grid", [Grid((301, 20), 0.29), Grid((20, 20), 0.5)])
def test_a_field_that_the_maps_do_not_hold_is_refused(grid):
    with pytest.raises(ValueError, match="300 pixels of 0.29′"):
        bundled_sky(grid, seed=0)


def test_no_store_so_evaluation_does_not_see_them():
    path = files("massgan_core.simulate") / "bundled" / "nbody_skies.npz"
    with pytest.raises((ValueError, OSError)):
        mg.MapStore.open(str(path))
