import pytest
import torch


@pytest.fixture(scope="session")
def power():
    """A spectrum of κ with std 0.021 in pixels of 1′."""
    from massgan_core.sky import PowerSpectrum

    return PowerSpectrum([10.0, 100.0, 1e3, 1e4, 1e5], [1.5e-9, 4e-9, 8e-10, 1e-11, 5e-14])


@pytest.fixture(scope="session")
def masked_field(power):
    """A 64² field with holes and uneven noise, cut from a Gaussian sky four times as wide."""
    from massgan_core.sky import (
        Grid,
        ShearField,
        ShearOperator,
        gaussian_field,
        generator,
        shape_noise,
    )

    large, key = Grid((256, 256), 1.0), generator(77, 5)
    kappa = gaussian_field(power, large, key)
    gamma, part = ShearOperator(large)(kappa), slice(64, 128)
    sigma = 0.12 * (0.7 + 0.6 * torch.rand(64, 64, generator=key))
    mask = torch.rand(64, 64, generator=key) > 0.1
    mask[8:16, 21:32] = False
    seen = gamma[part, part] + shape_noise(sigma, key)
    return ShearField(Grid((64, 64), 1.0), seen, sigma, mask, kappa[part, part])


@pytest.fixture
def network():
    """A small network that corrects the Gaussian denoiser by something."""
    from massgan_core.score import LevelUNet

    torch.manual_seed(0)
    net = LevelUNet(widths=(8, 12), bottleneck=1, embedding=8)
    torch.nn.init.normal_(net.leave.weight, std=0.02)
    for layer in net.modulate:
        torch.nn.init.normal_(layer.weight, std=0.1)
    return net.eval()


@pytest.fixture
def card(power):
    """What a small checkpoint says of itself."""
    return {
        "name": "test",
        "network": {"widths": [8, 12], "shuffle": 2, "bottleneck": 1, "embedding": 8},
        "normalization": {
            "ell": power.ell.tolist(),
            "power": power.power.tolist(),
            "pixel_scale": 1.0,
            "error_ratio": {
                "ell": [300.0, 3000.0],
                "level": [0.1, 1.0],
                "ratio": [[0.9, 0.8], [1.0, 0.7], [1.1, 0.9]],
            },
        },
        "domain": {"pixel_scale": [0.9, 1.1], "mean_redshift": [0.4, 1.6]},
        "training": {},
        "trained_on": "nothing: random weights for tests",
    }
