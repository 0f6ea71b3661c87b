import torch

from massgan_core.sky import local_maxima


def one_by_one(kappa, area):
    """The definition, in loops."""
    found = torch.zeros_like(area)
    for y in range(1, kappa.shape[0] - 1):
        for x in range(1, kappa.shape[1] - 1):
            around = kappa[y - 1 : y + 2, x - 1 : x + 2]
            seen = area[y - 1 : y + 2, x - 1 : x + 2].all()
            found[y, x] = seen and (around >= kappa[y, x]).sum() == 1
    return found


def test_maxima_are_those_of_the_definition(rng):
    area = torch.rand(3, 24, 32, generator=rng) > 0.05
    kappa = torch.randn(3, 24, 32, generator=rng)
    area[0, 4:8, 4:9] = True
    kappa[0, 5, 5] = kappa[0, 5, 6] = 7.0  # a plateau is none
    found = local_maxima(kappa, area)
    want = torch.stack([one_by_one(k, a) for k, a in zip(kappa, area, strict=True)])
    assert torch.equal(found, want) and not found[0, 5, 5] and found.sum() > 30


def test_one_footprint_serves_all_maps(rng):
    area = torch.rand(24, 32, generator=rng) > 0.05
    kappa = torch.randn(2, 3, 24, 32, generator=rng)
    found = local_maxima(kappa, area)
    assert found.shape == kappa.shape and found.any()
    assert torch.equal(found, local_maxima(kappa, area.expand(2, 3, -1, -1)))
