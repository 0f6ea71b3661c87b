import pytest
import torch

from massgan_core.data import Patches, dihedral
from massgan_core.simulate import Lognormal
from massgan_core.sky import Grid, PowerSpectrum, ShearOperator, generator

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])


def patches(**options):
    sky = Lognormal(Grid((96, 96), 1.0), POWER)
    return Patches([(sky, 0.02)], **{"side": 32, "batch": 3, "seed": 5} | options)


@pytest.mark.parametrize("kind", range(8))
def test_shear_turns_with_the_square(kind, rng):
    """Spin 2: turning κ and then lensing is lensing and then turning γ."""
    kappa = torch.randn(15, 15, generator=rng, dtype=torch.float64)
    lens = ShearOperator((15, 15))
    turned, gamma = dihedral(kappa, lens(kappa), kind)
    torch.testing.assert_close(lens(turned), gamma)


def test_the_eight_symmetries_differ(rng):
    kappa = torch.randn(4, 4, generator=rng)
    all_ = {tuple(dihedral(kappa, kappa + 0j, k)[0].flatten().tolist()) for k in range(8)}
    assert len(all_) == 8


def test_a_batch_depends_on_its_index_alone():
    in_order = [patches()(i)[0] for i in range(4)]
    source = patches()
    for i in (3, 0, 2, 0):
        assert torch.equal(source(i)[0], in_order[i])
    assert not torch.equal(patches(seed=6)(0)[0], in_order[0])


def test_parts_of_a_batch_are_those_of_the_whole():
    whole = patches()(1)[:2]
    for part in (slice(0, 1), slice(1, 3)):
        for one, other in zip(patches(part=part)(1)[:2], whole, strict=True):
            assert torch.equal(one, other[part])


def test_patches_of_one_sky_do_not_overlap():
    source = patches()
    values = torch.cat([source(i)[0].flatten() for i in range(3)])
    assert len(values) == 96 * 96 and len(values.unique()) > 0.99 * len(values)


def test_shear_belongs_to_the_patch():
    """Away from edges the patch's own periodic shear is close to the true one."""
    kappa, gamma, scale = patches()(0)
    own = ShearOperator((32, 32))(kappa)
    both = torch.stack([own.real.flatten(), gamma.real.flatten()])
    assert torch.corrcoef(both)[0, 1] > 0.6 and scale == 0.02


def test_leaky_sizes_are_refused():
    with pytest.raises(ValueError, match="`side` must be at most half"):
        patches(side=64)
    with pytest.raises(ValueError, match="`batch` must be at most"):
        patches(batch=10)


def test_skies_are_drawn_from_all_makers():
    sky = Lognormal(Grid((64, 64), 1.0), POWER)
    source = Patches([(sky, 1.0), (sky, 2.0)], side=32, batch=4, seed=1)
    assert {source(i)[2] for i in range(12)} == {1.0, 2.0}


def test_generators_are_keyed(rng):
    assert torch.equal(
        torch.rand(3, generator=generator(1, 2)), torch.rand(3, generator=generator(1, 2))
    )
