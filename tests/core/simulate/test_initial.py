import numpy as np
import torch
from numpy.testing import assert_allclose

from massgan_core.simulate import PLANCK
from massgan_core.simulate.initial import displacements, lattice, linear_modes, linear_power
from massgan_core.simulate.mesh import ifft, isotropic, shell_average
from massgan_core.sky import generator

BOX, SIDE = 400.0, 48


def test_realisations_have_the_linear_spectrum():
    """Whitened by it, eight boxes have P = 1 in every bin, within five standard errors."""
    edges = np.geomspace(0.04, 0.3, 6)

    def white(modes):
        return isotropic(modes, BOX, lambda k2: linear_power(PLANCK, np.sqrt(k2)) ** -0.5)

    boxes = [white(linear_modes(PLANCK, SIDE, BOX, generator(i))) for i in range(8)]
    power = np.mean([shell_average(b, BOX, edges)[1] for b in boxes], 0)
    modes = 4 / 3 * np.pi * np.diff(edges**3) / (2 * np.pi / BOX) ** 3 / 2
    assert (abs(power - 1) < 5 / np.sqrt(8 * modes)).all()
    assert (1 / np.sqrt(8 * modes)).max() < 0.05


def test_the_density_is_the_divergence_of_the_displacement():
    modes = linear_modes(PLANCK, SIDE, BOX, generator(1))
    modes[SIDE // 2] = modes[:, SIDE // 2] = modes[..., SIDE // 2] = 0
    first, _ = displacements(modes.clone(), BOX)
    step = 2 * np.pi * np.fft.fftfreq(SIDE, BOX / SIDE)
    axes = np.meshgrid(step, step, step, indexing="ij")
    psi = first.view(SIDE, SIDE, SIDE, 3).double().numpy()
    divergence = sum(
        np.fft.ifftn(1j * k * np.fft.fftn(psi[..., i])).real for i, k in enumerate(axes)
    )
    delta = ifft(modes).numpy()
    assert_allclose(-divergence, delta, atol=1e-3 * delta.std())


def test_a_plane_wave_has_no_second_order():
    """In one dimension first order is exact."""
    x = torch.cos(2 * np.pi * torch.arange(SIDE) / SIDE)
    wave = torch.fft.rfftn(x[:, None, None].expand(SIDE, SIDE, SIDE).contiguous())
    first, second = displacements(wave, BOX)
    assert first.abs().max() > 1 and second.abs().max() < 1e-4 * first.abs().max()


def test_crossed_waves_have_the_analytic_second_order():
    """δ = cos kx + cos ky: ψ₂ = ∇∇⁻²(cos kx cos ky), along x −sin kx cos ky / 2k."""
    k = 2 * np.pi / BOX
    q = lattice(SIDE, BOX, "cpu")
    delta = torch.cos(k * q[:, 0]) + torch.cos(k * q[:, 1])
    first, second = displacements(torch.fft.rfftn(delta.view(SIDE, SIDE, SIDE)), BOX)
    want = torch.sin(k * q[:, 0]) * torch.cos(k * q[:, 1]) / (2 * k)
    torch.testing.assert_close(second[:, 0], want, atol=1e-3 / k, rtol=0)
    torch.testing.assert_close(first[:, 1], -torch.sin(k * q[:, 1]) / k, atol=1e-3 / k, rtol=0)


def test_same_seed_same_sky():
    a, b, c = (linear_modes(PLANCK, 16, BOX, generator(s)) for s in (3, 3, 4))
    assert torch.equal(a, b) and not torch.equal(a, c)
