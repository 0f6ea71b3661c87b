from dataclasses import replace

import pytest
import torch

from massgan_core.gan import load
from massgan_core.gan.checkpoint import save
from massgan_core.gan.networks import build_moments
from massgan_core.gan.regression import RegressionSampler
from massgan_core.posterior import Sampler, stream
from massgan_core.sky import Draws, Sources


@pytest.fixture
def both(card):
    """Random weights of mean and variance."""
    torch.manual_seed(0)
    return build_moments(card["network"]).state_dict()


@pytest.fixture
def path(tmp_path, card, both):
    """Checkpoint of mean and variance."""
    path = tmp_path / "both.safetensors"
    save(path, both, card | {"kind": "regression", "training": {"stage": "variance"}})
    return path


@pytest.fixture
def lone(tmp_path, card, weights):
    """Checkpoint of the mean alone, its card older than the word `kind`."""
    path = tmp_path / "lone.safetensors"
    save(path, weights, card | {"training": {"stage": "regression"}})
    return path


def test_streams_like_any_sampler(path, small_field):
    sampler = load(path)
    assert isinstance(sampler, Sampler) and isinstance(sampler, RegressionSampler)
    runs = [list(stream(load(path), small_field, 6, b, seed=3))[-1] for b in (1, 4)]
    assert torch.equal(runs[0].samples, runs[1].samples)
    assert runs[0].std.min() > 0
    assert runs[0].provenance["sampler"] == "regression" and runs[0].provenance["digest"]


def test_draw_i_depends_on_seed_and_i_alone(path, small_field):
    sampler, draws = load(path), Draws(5)
    parts = [sampler.sample(small_field, n, draws) for n in (2, 3)]
    assert torch.equal(torch.cat(parts), sampler.sample(small_field, 5, 5))
    assert not torch.equal(parts[0], sampler.sample(small_field, 2, 6))


def test_draws_have_the_moments_and_no_more(path, small_field):
    """Mean and std of every pixel; no pixel knows of its neighbour."""
    sampler, n = load(path), 1000
    mean, std = sampler.moments(small_field)
    samples = sampler.sample(small_field, n, 1)
    unit = (samples - mean) / std
    assert unit.mean(0).abs().max() < 5 / n**0.5
    assert (unit.std(0) - 1).abs().max() < 5 / (2 * n) ** 0.5
    for shift in ((0, 1), (1, 0), (1, 1)):
        beside = unit.roll(shift, (-2, -1))
        assert (unit * beside).mean(0).abs().max() < 5 / n**0.5


def test_moments_lose_the_footprint_mean(path, small_field):
    mean, std = load(path).moments(small_field)
    assert mean.shape == std.shape == small_field.grid.shape
    assert abs(mean[small_field.footprint].mean()) < 1e-6
    assert std.min() > 0


def test_what_is_returned_is_the_callers(path, small_field):
    sampler = load(path)
    first = [x.clone() for x in sampler.moments(small_field)]
    for x in sampler.moments(small_field):
        x.zero_()
    sampler.mean(small_field).zero_()
    assert all(torch.equal(a, b) for a, b in zip(first, sampler.moments(small_field), strict=True))


def test_shear_outside_the_mask_changes_nothing(path, small_field):
    gamma = torch.where(small_field.mask, small_field.gamma, 1e6 + 0j)
    one, two = (load(path).moments(f) for f in (small_field, replace(small_field, gamma=gamma)))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_moments_scale_with_the_sources(path, small_field):
    """The same γ/σ_κ and σ/σ_κ must give the same mean and std over σ_κ."""
    near, far = Sources.plane(0.5), Sources.plane(1.5)
    one = load(path).moments(replace(small_field, sources=near))
    gamma, sigma = 4 * small_field.gamma, 4 * small_field.sigma
    two = load(path).moments(replace(small_field, gamma=gamma, sigma=sigma, sources=far))
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(b, 4 * a, rtol=1e-3, atol=1e-5)


def test_a_mean_alone_loads_and_claims_no_uncertainty(lone, small_field):
    sampler = load(lone)
    assert isinstance(sampler, RegressionSampler) and not sampler.has_variance
    assert sampler.mean(small_field).std() > 0
    for call in (sampler.moments, lambda f: sampler.sample(f, 2, 1)):
        with pytest.raises(ValueError, match="has a mean and no variance: train one with .*"):
            call(small_field)


def test_both_checkpoints_give_the_same_mean(lone, tmp_path, card, weights, both, small_field):
    joint = both | {f"mean.{k}": v for k, v in weights.items()}
    path = tmp_path / "joint.safetensors"
    save(path, joint, card | {"kind": "regression"})
    assert torch.equal(load(path).mean(small_field), load(lone).mean(small_field))


def test_its_network_is_that_of_the_mean(lone, path, weights):
    """What is compared with a generator's mean paints like one."""
    for file in (lone, path):
        assert set(load(file).network.state_dict()) == set(weights)


def test_the_domain_is_told_like_the_generators(path, saved, small_field):
    shallow = replace(small_field, sources=Sources.plane(0.2))
    for field in (small_field, shallow):
        assert load(path).in_domain(field) == load(saved).in_domain(field)
    assert len(load(path).in_domain(shallow)) == 1


def test_saving_and_loading_changes_nothing_but_the_precision(path, both):
    sampler = load(path)
    kept = sampler._networks.state_dict()
    assert set(kept) == set(both)
    assert all(torch.equal(kept[k], both[k].half().float()) for k in both)


def test_half_a_variance_network_is_refused(tmp_path, card, both):
    path = tmp_path / "broken.safetensors"
    del both["variance.leave.bias"]
    save(path, both, card | {"kind": "regression"})
    with pytest.raises(ValueError, match="1 weights do not fit .* first 'variance.leave.bias'"):
        load(path)


def test_unknown_kinds_are_refused(tmp_path, card, weights):
    path = tmp_path / "other.safetensors"
    save(path, weights, card | {"kind": "flow"})
    with pytest.raises(ValueError, match="`kind` must be gan or regression, got 'flow'"):
        load(path)
