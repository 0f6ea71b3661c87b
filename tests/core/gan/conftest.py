import pytest
import torch

from massgan_core.sky import PowerSpectrum

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])


@pytest.fixture
def card():
    """What a small checkpoint says of itself."""
    return {
        "name": "test",
        "network": {"widths": [8, 12, 16], "latent": 2, "shuffle": 2, "bottleneck": 1},
        "normalization": {
            "ell": POWER.ell.tolist(),
            "power": POWER.power.tolist(),
            "pixel_scale": 1.0,
            "redshifts": [0.5, 1.5],
            "scales": [0.005, 0.02],
        },
        "domain": {
            "pixel_scale": [0.9, 1.1],
            "sigma_over_kappa": [1.0, 1e3],
            "mean_redshift": [0.4, 1.6],
        },
        "training": {},
        "trained_on": "nothing: random weights for tests",
    }


@pytest.fixture
def weights(card):
    """Random weights of that network."""
    from massgan_core.gan.sampler import build

    torch.manual_seed(0)
    return build(card["network"]).state_dict()


@pytest.fixture
def saved(tmp_path, card, weights):
    """Path of that checkpoint."""
    from massgan_core.gan.checkpoint import save

    path = tmp_path / "test.safetensors"
    save(path, weights, card)
    return path
