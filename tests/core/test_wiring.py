"""What the command line and the explorer ask for by name."""

import pytest
import torch

import massgan_core as mg
from massgan_core.evaluate import pearson
from massgan_core.simulate import inside_polygons
from massgan_core.wiring import pick_device


@pytest.mark.parametrize("kind", ["lognormal", "gaussian"])
def test_simulated_fields_have_the_cosmos_mask_and_noise(kind):
    field, real = mg.simulated(kind, seed=3), mg.cosmos()
    assert torch.equal(field.mask, real.mask)
    torch.testing.assert_close(field.sigma[field.mask], real.sigma[real.mask])
    assert pearson(mg.KaiserSquires(1.5).map(field), field.truth, field.footprint) > 0.3
    assert field.grid.wcs is not None and field.notes["seed"] == 3


def test_deeper_fields_have_less_noise():
    shallow, deep = (mg.simulated(depth=d, mask="none", side=60) for d in (10, 100))
    assert shallow.sigma[shallow.mask].mean() > 1.8 * deep.sigma[deep.mask].mean()
    assert shallow.mask.float().mean() < 0.7 < deep.mask.float().mean()
    assert shallow.footprint.all()


def test_stars_and_bad_columns_are_those_of_the_seed():
    one, again, other = (mg.simulated(mask="stars", side=80, seed=s) for s in (1, 1, 2))
    assert torch.equal(one.mask, again.mask)
    assert not torch.equal(one.footprint, other.footprint)
    for field in (one, other):
        assert 0.2 < field.footprint.float().mean() < 1
        assert not (field.mask & ~field.footprint).any()


def test_depth_within_the_cosmos_mask_keeps_its_area():
    field = mg.simulated(depth=30)
    assert torch.equal(field.footprint, mg.cosmos().footprint)
    assert not (field.mask & ~field.footprint).any()


@pytest.mark.parametrize("method", ["wiener", "sparse", "ks"])
def test_samplers_are_ready_to_draw(method):
    field = mg.simulated(mask="none", side=40, seed=1)
    sampler = mg.sampler(method, field)
    assert isinstance(sampler, mg.Sampler)
    assert sampler.sample(field, 2, 0).shape == (2, 40, 40)


def test_the_prior_follows_the_sources():
    from dataclasses import replace

    field = mg.simulated(mask="none", side=40)
    near = replace(field, sources=mg.Sources.plane(0.5))
    assert mg.spectrum_of(near)(1000) < 0.3 * mg.spectrum_of(field)(1000)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda: mg.simulated("cubist"), "`kind` must be one of lognormal"),
        (lambda: mg.simulated(mask="veil"), "`mask` must be one of cosmos"),
        (lambda: mg.simulated(depth=-3), "`depth` must be positive"),
        (lambda: mg.simulated(side=64), "`side` must be 300 with the COSMOS mask"),
        (lambda: mg.sampler("magic", mg.cosmos()), "`method` must be one of gan, wiener, sparse"),
        (
            lambda: mg.sampler("regression", mg.cosmos(), checkpoint="default", device="cpu"),
            "is of kind gan: use it",
        ),
        (lambda: pick_device("abacus"), "`device` must be auto, cpu"),
    ],
)
def test_bad_choices_are_refused(call, word):
    with pytest.raises(ValueError, match=word):
        call()


@pytest.mark.parametrize("mask", ["cosmos", "none", "stars"])
@pytest.mark.parametrize("depth", [None, 30.0])
def test_a_hole_cut_by_hand_was_never_observed_and_the_sky_stays(mask, depth):
    hole = [(-8.0, -8.0), (8.0, -8.0), (0.0, 9.0)]
    side = 300 if mask == "cosmos" else 120
    chosen = {"depth": depth, "mask": mask, "side": side, "seed": 2}
    whole, cut = mg.simulated("gaussian", **chosen), mg.simulated("gaussian", cut=[hole], **chosen)
    inside = inside_polygons(whole.grid, [hole])
    assert not cut.mask[inside].any() and not cut.footprint[inside].any()
    assert torch.equal(cut.kappa, whole.kappa)
    assert cut.notes["cut"] == [[list(corner) for corner in hole]]


def test_a_cut_that_leaves_nothing_is_refused():
    with pytest.raises(ValueError, match="leave some of the field"):
        mg.simulated("nfw", mask="none", side=20, cut=[[(-9, -9), (9, -9), (9, 9), (-9, 9)]])
