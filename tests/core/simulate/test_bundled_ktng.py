"""The bundled κTNG map."""

import json
from importlib.resources import files

import numpy as np
import pytest
import torch

import massgan_core as mg
from massgan_core.evaluate import pearson
from massgan_core.simulate.bundled_ktng import bundled_ktng
from massgan_core.sky import Grid
from massgan_core.survey import cosmos_spectrum

GRID = Grid((300, 300), 0.29)


def test_a_seed_gives_the_same_sky_and_another_one_another():
    power = cosmos_spectrum()
    one, again, other = (bundled_ktng(GRID, power, seed=s) for s in (0, 0, 1))
    assert torch.equal(one[0], again[0]) and one[1] == again[1]
    assert not torch.equal(one[0], other[0])
    assert abs(float(one[0].mean())) < 1e-6


@pytest.mark.parametrize("shape", [(300, 300), (40, 120)])
def test_the_field_lies_wholly_in_the_map(shape):
    """What is around it changes with the seed, what is in it only turns."""
    with np.load(files("massgan_core.simulate") / "bundled" / "ktng_sky.npz") as file:
        known = np.sort(np.unique(file["kappa"].astype(np.float32)))
    for seed in range(8):
        whole, (top, left) = bundled_ktng(Grid(shape, 0.29), cosmos_spectrum(), seed=seed)
        part = whole[top : top + shape[0], left : left + shape[1]].numpy()
        assert part.shape == shape
        # Up to one constant all values are those of the map.
        shift = known.max() - whole[118:482, 118:482].max().item()
        at = np.searchsorted(known, part + shift).clip(1, len(known) - 1)
        off = np.minimum(abs(known[at] - part - shift), abs(known[at - 1] - part - shift))
        assert off.max() < 1e-4


def test_the_field_has_the_shear_of_its_sky():
    field = mg.simulated("ktng", seed=4, depth=1000.0, mask="none")
    inner = torch.zeros(field.grid.shape, dtype=torch.bool)
    inner[40:-40, 40:-40] = True
    estimate = mg.KaiserSquires(1.5).map(field)
    assert pearson(estimate, mg.smooth(field.truth, field.grid, 1.5), inner) > 0.95
    assert field.notes["kind"] == "ktng"


def test_the_card_says_where_it_is_from():
    path = files("massgan_core.simulate") / "bundled" / "ktng_sky.npz"
    with np.load(path) as file:
        card = json.loads(str(file["card"]))
        assert file["kappa"].dtype == np.float16
    assert "Osato" in card["source"] and len(path.read_bytes()) < 4e5


def test_a_field_that_the_map_does_not_hold_is_refused():
    with pytest.raises(ValueError, match="kind ktng must have at most 300 pixels of 0.29′"):
        bundled_ktng(Grid((301, 20), 0.29), cosmos_spectrum(), seed=0)
