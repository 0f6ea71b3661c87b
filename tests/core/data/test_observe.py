import torch

from massgan_core.data import Observe
from massgan_core.data.observe import random_mask
from massgan_core.sky import Grid, generator

REAL = torch.where(torch.arange(32)[:, None] < 20, 0.1 + 0.001 * torch.arange(32.0), torch.inf)


def patch(rng, n=6):
    kappa = 0.02 * torch.randn(n, 32, 32, generator=rng)
    return kappa, torch.complex(kappa, -kappa)


def test_real_surveys_are_the_real_one_turned(rng):
    field = Observe(REAL, real=1.0, rescaled=0.0)(*patch(rng), 0)
    want = REAL[torch.isfinite(REAL)].sort().values
    for sigma in field.sigma:
        torch.testing.assert_close(sigma[torch.isfinite(sigma)].sort().values, want)
    assert len({tuple(m.flatten().tolist()) for m in field.mask}) > 1


def test_depths_are_mixed_and_counts_whole(rng):
    field = Observe(REAL, real=0.0, rescaled=0.5, depth=(10.0, 200.0))(*patch(rng, 12), 0)
    counts = (0.295 / field.sigma[field.mask]) ** 2
    torch.testing.assert_close(counts, counts.round(), rtol=1e-4, atol=0)
    median = torch.stack([s[torch.isfinite(s)].median() for s in field.sigma])
    assert median.max() > 1.5 * median.min()
    assert (field.mask & ~field.footprint).sum() == 0


def test_an_observation_depends_on_its_index_alone(rng):
    sky, look = patch(rng), Observe(REAL)
    first, again, other = (look(*sky, i).gamma for i in (3, 3, 4))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_noise_has_the_stated_size(rng):
    kappa, gamma = patch(rng)
    field = Observe(REAL, real=1.0, rescaled=0.0, linear=True)(kappa, gamma, 0)
    noise = ((field.gamma - gamma) / field.sigma)[field.mask]
    torch.testing.assert_close(noise.real.std(), torch.tensor(1.0), rtol=0.05, atol=0)


def test_random_masks_leave_most_of_the_sky():
    masks = torch.stack([random_mask(Grid((64, 64), 1.0), generator(i)) for i in range(20)])
    fraction = masks.float().mean((1, 2))
    assert fraction.min() > 0.2 and fraction.std() > 0.02
