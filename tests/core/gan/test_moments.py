from dataclasses import asdict

import pytest
import torch

from massgan_core.gan.config import read_config
from massgan_core.gan.losses import variance_score
from massgan_core.gan.moments import Moments, moments
from massgan_core.gan.networks import build, build_moments

SMALL = {"widths": [8, 12, 16], "latent": 2, "shuffle": 2, "bottleneck": 1}
PUBLISHED = {"kind": "published", "widths": [4, 6], "latent": 2, "bottleneck": 1}
AREA = torch.ones(2, 16, 16, dtype=torch.bool)


@pytest.fixture
def condition(rng):
    return torch.randn(2, 7, 16, 16, generator=rng)


@pytest.mark.parametrize("network", [SMALL, PUBLISHED])
def test_training_the_variance_leaves_the_mean_alone(network, condition):
    """Its statistics of a batch normalisation, too."""
    torch.manual_seed(0)
    both = build_moments(network).train()
    before = {k: v.clone() for k, v in both.state_dict().items()}
    free = [p for p in both.parameters() if p.requires_grad]
    assert len(free) == len(list(both.variance.parameters()))
    mean, variance = moments(both(condition), condition, AREA)
    variance_score(variance, mean**2, AREA).backward()
    torch.optim.SGD(free, 0.1).step()
    moved = {k for k, v in both.state_dict().items() if not torch.equal(v, before[k])}
    assert moved and all(key.startswith("variance.") for key in moved)
    again = moments(both(condition), condition, AREA)
    assert torch.equal(again[0], mean) and not torch.equal(again[1], variance)


@pytest.mark.parametrize("network", [SMALL, PUBLISHED])
def test_the_mean_is_the_generator_with_its_latents_at_zero(network, condition):
    torch.manual_seed(0)
    plain = build(network).eval()
    alone, both = Moments(plain, None), build_moments(network)
    both.mean.load_state_dict(plain.state_dict())
    zeros = [torch.zeros(2, *s) for s in plain.latent_shapes((16, 16))]
    want = plain(condition, zeros)
    torch.testing.assert_close(alone(condition), want)
    torch.testing.assert_close(both(condition)[:, :1], want)
    assert moments(alone(condition), condition, AREA)[1] is None


def test_the_condition_is_encoded_once():
    names = set(build_moments(SMALL).state_dict())
    assert "mean.enter.weight" in names and "variance.seed.weight" in names
    assert not any(n.split(".")[1] in ("enter", "encode", "down") for n in names if n[0] == "v")
    lone = set(build_moments(SMALL, variance=False).state_dict())
    assert lone == {n for n in names if n.startswith("mean.")}


def test_a_checkpoint_of_both_is_small_enough_to_bundle():
    """Float16; 11.5 MB at most."""
    with torch.device("meta"):
        both = build_moments(asdict(read_config("default").network))
    assert 2 * sum(w.numel() for w in both.state_dict().values()) < 11.5e6


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("raw", [-300.0, -9.0, -1.0, 1.0, 9.0, 300.0])
def test_variance_is_positive_and_has_a_slope(raw, dtype):
    output = torch.full((1, 2, 4, 4), raw, dtype=dtype, requires_grad=True)
    area = AREA[:1, :4, :4]
    mean, variance = moments(output, torch.zeros(1, 7, 4, 4), area)
    assert variance.dtype == torch.float32 and variance.min() > 0
    torch.testing.assert_close(mean, torch.zeros(1, 4, 4))
    variance_score(variance, torch.ones(1, 4, 4), area).backward()
    slope = output.grad[:, 1]
    assert torch.isfinite(slope).all()
    # Downhill is towards e² = 1 from either side.
    assert abs(raw) == 300 or bool((slope.sign() * raw > 0).all())


def test_moments_lose_padding_and_footprint_mean(rng):
    output, condition = torch.randn(1, 2, 16, 16, generator=rng), torch.zeros(1, 7, 16, 16)
    area = torch.zeros(1, 13, 15, dtype=torch.bool)
    area[:, 2:9, 3:] = True
    mean, variance = moments(output, condition, area)
    assert mean.shape == variance.shape == (1, 13, 15)
    assert mean[area].mean().abs() < 1e-6
    moved, same = moments(output + torch.tensor([5.0, 0.0])[:, None, None], condition, area)
    torch.testing.assert_close(moved, mean)
    assert torch.equal(same, variance)
