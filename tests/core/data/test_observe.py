import pytest
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


def test_real_surveys_see_their_footprint(rng):
    """A single empty pixel is unobserved, but belongs to the area one evaluates."""
    holed = torch.where(torch.arange(32 * 32).view(32, 32) == 5 * 32 + 7, torch.inf, REAL)
    for real, rescaled in ((1.0, 0.0), (0.0, 1.0)):
        field = Observe(holed, real=real, rescaled=rescaled, depth=(200.0, 201.0))(*patch(rng), 0)
        assert (field.footprint.sum((1, 2)) == 20 * 32).all()
        if real:
            assert (field.mask.sum((1, 2)) == 20 * 32 - 1).all()


def test_reduced_shear_is_what_is_observed(rng):
    kappa, gamma = patch(rng)
    reduced, linear = (
        Observe(REAL, real=1.0, linear=linear)(kappa, gamma, 0) for linear in (False, True)
    )
    want = (gamma / (1 - kappa) - gamma)[linear.mask]
    have = (reduced.gamma - linear.gamma)[linear.mask]
    torch.testing.assert_close(have, want, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", [(12, 12), (10, 16)])
def test_small_patches_see_enough_of_the_survey(shape, rng):
    kappa = torch.zeros(64, *shape)
    field = Observe(REAL, real=1.0)(kappa, kappa + 0j, 0)
    seen = field.mask.float().mean((1, 2))
    assert seen.min() >= 20 / 32 / 2 and seen.max() == 1 and len(seen.unique()) > 3


def test_patches_that_no_survey_covers_are_refused():
    kappa = torch.zeros(1, 40, 40)
    with pytest.raises(
        ValueError, match=r"must fit the survey's σ map of \(32, 32\) .* \(40, 40\)"
    ):
        Observe(REAL)(kappa, kappa + 0j, 0)


def test_a_batch_mixes_the_three_kinds(rng):
    kappa = torch.zeros(300, 32, 32)
    field = Observe(REAL, real=0.5, rescaled=0.25, depth=(60.0, 200.0))(kappa, kappa + 0j, 0)
    values = set(REAL[torch.isfinite(REAL)].tolist())
    real = torch.tensor([float(s[torch.isfinite(s)][0]) in values for s in field.sigma])
    half = torch.tensor([int(a.sum()) == 20 * 32 for a in field.footprint])
    assert 0.4 < real.float().mean() < 0.6 and (real <= half).all()
    assert 0.15 < (half & ~real).float().mean() < 0.35


def test_noise_has_the_stated_size(rng):
    kappa, gamma = patch(rng)
    field = Observe(REAL, real=1.0, rescaled=0.0, linear=True)(kappa, gamma, 0)
    noise = ((field.gamma - gamma) / field.sigma)[field.mask]
    torch.testing.assert_close(noise.real.std(), torch.tensor(1.0), rtol=0.05, atol=0)


def test_random_masks_leave_most_of_the_sky():
    masks = torch.stack([random_mask(Grid((64, 64), 1.0), generator(i)) for i in range(20)])
    fraction = masks.float().mean((1, 2))
    assert fraction.min() > 0.2 and fraction.std() > 0.02
