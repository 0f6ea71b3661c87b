"""Training from a store of maps: parts by box, resumption, what a card says."""

import pytest
import torch

from massgan_core.calibrating import unused
from massgan_core.data import MapStore
from massgan_core.gan import load
from massgan_core.gan.checkpoint import load_card, load_weights, save
from massgan_core.gan.config import read_config
from massgan_core.simulating import simulate
from massgan_core.training import train
from massgan_core.training_data import held_out_fields, parts

FEW = ["train.validate_every=2", "train.precision=fp32", "train.regression.steps=4"]


def config(*more):
    return read_config("tiny", [*FEW, "train.adversarial.steps=4", "data.held_out=0.3", *more])


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "maps.zarr"
    simulate(path, n=24, side=64, per_box=6, prior={"sigma8": (0.7, 0.9)}, stretch=(0.5, 1.0))
    return path


def test_parts_share_no_box(maps):
    store = MapStore.open(maps)
    rows = parts(config(), store)
    boxes = [set(store.rows("box")[r].tolist()) for r in rows.values()]
    assert not boxes[0] & boxes[1]
    assert sum(map(len, rows.values())) == 24
    for field in held_out_fields(config(), store):
        assert field.notes["box"] in boxes[1]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [("data.maps=25", "at most the store's 24 rows, got 25"), ("data.maps=1", "hold no box to")],
)
def test_too_many_or_too_few_maps(maps, setting, sentence):
    with pytest.raises(ValueError, match=sentence):
        parts(config(setting), MapStore.open(maps))


def test_train_on_a_store(maps, tmp_path):
    train(config(), tmp_path / "run", stage="regression", data=maps)
    card = load(tmp_path / "run/regression.safetensors").card
    assert "lognormal κ maps of" in card["trained_on"]
    low, high = card["domain"]["sigma8"]
    assert 0.7 <= low < high <= 0.9
    assert card["training"]["best"]["step"] in (2, 4)


def test_the_card_says_which_boxes_had_a_part(maps, tmp_path):
    """Those that train, those that validate, and those of the weights it started from."""
    whole = MapStore.open(maps)
    settings = config("train.regression.steps=0", "data.maps=12")
    first = tmp_path / "a/regression.safetensors"
    train(settings, first.parent, stage="regression", data=maps)
    mine = {"kind": "lognormal", "seed": 0, "boxes": list(range(12))}
    assert load_card(first)["training"]["stores"] == [mine]
    assert unused(load_card(first), whole)[0] == list(range(12, 24))
    train(settings, tmp_path / "b", stage="regression", start=first)
    assert load_card(tmp_path / "b/regression.safetensors")["training"]["stores"] == [mine]
    old = tmp_path / "old.safetensors"
    card = load_card(first)
    del card["training"]["stores"]
    save(old, load_weights(first), card)
    train(settings, tmp_path / "c", stage="regression", start=old)
    assert "stores" not in load_card(tmp_path / "c/regression.safetensors")["training"]


def test_a_run_is_resumed_with_its_own_settings(maps, tmp_path):
    train(config(), tmp_path, stage="regression", data=maps)
    with pytest.raises(ValueError, match=r"begun with train.seed=1, now it is 2"):
        train(config("train.seed=2"), tmp_path, stage="regression", data=maps, resume=True)


def test_best_weights_are_those_that_validated_best(maps, tmp_path):
    """A learning rate that ruins the network later does not ruin the checkpoint."""
    train(config(), tmp_path / "a", stage="regression", data=maps)
    good = tmp_path / "a/regression.safetensors"
    best = load(good).card["training"]["best"]
    rows = (tmp_path / "a/log.csv").read_text().splitlines()
    names = rows[0].split(",")
    errors = {r.split(",")[0]: float(r.split(",")[names.index("rmse")]) for r in rows[1:]}
    assert best["step"] == int(min(errors, key=errors.get))
    assert all(torch.isfinite(w).all() for w in load(good).network.state_dict().values())
