import torch

from massgan_core.simulate.mesh import fft, paint
from massgan_core.simulate.sharpen import Sharpening

BOX = 20.0


def blob(rng, n=20**3):
    """Half of the particles in a Gaussian halo at the middle of the box, half uniform."""
    x = BOX * torch.rand(n, 3, generator=rng)
    x[: n // 2] = BOX / 2 + 1.5 * torch.randn(n // 2, 3, generator=rng)
    return x % BOX


def test_nothing_moves_without_strength(rng):
    x = blob(rng)
    assert Sharpening()(x, fft(paint(x, 40, BOX)), BOX, 1.0) is x


def test_haloes_shrink_and_stay_where_they_are(rng):
    x = blob(rng)
    modes = fft(paint(x, 40, BOX))
    kept = modes.clone(), x.clone()
    moved = Sharpening(0.02, 0.0, 0.5, 3.0)(x, modes, BOX, 1.0)
    assert torch.equal(modes, kept[0]) and torch.equal(x, kept[1])
    inside = (x - BOX / 2).norm(dim=1) < 3
    radius = [(y[inside] - BOX / 2).norm(dim=1).mean() for y in (x, moved)]
    assert radius[1] < 0.98 * radius[0]
    shift = moved - x
    shift -= BOX * (shift / BOX).round()
    assert shift.mean(0).abs().max() < 1e-4 * shift.norm(dim=1).mean()
    assert moved.min() >= 0 and moved.max() < BOX


def test_strength_follows_the_scale_factor():
    steps = Sharpening(0.01, -2.0)
    assert steps.alpha(1.0) == 0.01 and steps.alpha(0.5) == 0.04


def test_scales_outside_the_band_are_left_alone(rng):
    """A wave far longer than 1/k_l moves nothing."""
    x = BOX * torch.rand(1000, 3, generator=rng)
    wave = torch.cos(2 * torch.pi * torch.arange(40) / 40)
    modes = torch.fft.rfftn(wave[:, None, None].expand(40, 40, 40).contiguous())
    still = Sharpening(1.0, 0.0, large=5.0, small=10.0)(x, modes, BOX, 1.0)
    pulled = Sharpening(1.0, 0.0, large=0.1, small=10.0)(x, modes, BOX, 1.0)
    assert (still - x).abs().max() < 1e-3 < (pulled - x).abs().max()
