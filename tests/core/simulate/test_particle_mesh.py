import numpy as np
import pytest
import torch

from massgan_core.simulate import PLANCK, Cosmology
from massgan_core.simulate.growth import growth
from massgan_core.simulate.initial import displacements, lattice, linear_modes
from massgan_core.simulate.particle_mesh import ParticleMesh
from massgan_core.sky import generator

BOX, SIDE = 64.0, 16


def run(scale_factors, modes=None, **settings):
    """A box moved through `scale_factors`."""
    settings = {"box": BOX, "particles": SIDE, "mesh": 2 * SIDE, "modes": modes} | settings
    box = ParticleMesh(settings.pop("cosmology", PLANCK), **settings)
    for _ in box.evolve(scale_factors):
        pass
    return box


def displacement(box, side=SIDE):
    """Path from the initial lattice, the shorter way round."""
    shift = box.x - lattice(side, BOX, "cpu")
    return shift - BOX * (shift / BOX).round()


def plane_wave(amplitude, axis=0, side=SIDE):
    """δ(k) of a wave of length BOX that would displace by `amplitude` today."""
    k = 2 * np.pi / BOX
    q = lattice(side, BOX, "cpu")[:, axis]
    return torch.fft.rfftn((amplitude * k * torch.cos(k * q)).view(side, side, side))


@pytest.mark.parametrize("cosmology", [PLANCK, Cosmology(omega_m=0.25, w=-0.8)])
@pytest.mark.parametrize("axis", [0, 2])
def test_a_plane_wave_grows_as_it_must(cosmology, axis):
    """Before streams cross, Zel'dovich's solution −A D sin(kq) is exact; the mesh keeps to 2 %."""
    side, amplitude = 24, 4.0
    box = run(
        [0.2, 0.35, 0.5, 0.7],
        plane_wave(amplitude, axis, side),
        cosmology=cosmology,
        particles=side,
        mesh=2 * side,
    )
    q = lattice(side, BOX, "cpu")[:, axis]
    want = -amplitude * growth(cosmology, 0.7).first * torch.sin(2 * np.pi / BOX * q)
    got = displacement(box, side)
    assert (got[:, axis] - want).abs().max() < 0.02 * want.abs().max()
    others = [d for d in range(3) if d != axis]
    assert got[:, others].abs().max() < 2e-3


@pytest.mark.parametrize("steps", [[0.2, 0.4, 0.8], np.linspace(0.2, 0.8, 12).tolist()])
def test_second_order_is_followed_in_any_number_of_steps(steps):
    """A sky and its negative share all even orders: their mean path follows D₂ ψ₂."""
    side = 32
    modes = linear_modes(PLANCK, side, BOX, generator(1)) * 0.4
    modes[4:-3] = modes[:, 4:-3] = modes[..., 4:] = 0  # waves the mesh resolves
    first, second = displacements(modes.clone(), BOX)
    at = growth(PLANCK, 0.8)
    paths = [
        displacement(run(steps, sign * modes, particles=side, mesh=2 * side), side)
        for sign in (1, -1)
    ]
    odd, even = (paths[0] - paths[1]) / 2, (paths[0] + paths[1]) / 2
    assert (odd - at.first * first).norm() < 0.04 * odd.norm()
    assert even.norm() > 0.04 * odd.norm()
    slope = (even * second).sum() / (second**2).sum()
    assert abs(slope / at.second - 1) < 0.12


def test_momentum_and_mass_are_conserved():
    box = ParticleMesh(PLANCK, box=BOX, particles=SIDE, mesh=2 * SIDE, seed=3)
    size = box.u.norm(dim=1).mean()
    for _, modes in box.evolve(np.linspace(0.15, 1.0, 8).tolist()):
        assert box.u.mean(0).abs().max() < 1e-4 * size
        assert modes[0, 0, 0].abs() < 1e-2 and len(box.x) == SIDE**3
        assert box.x.min() >= 0 and box.x.max() < BOX


def test_a_sky_moved_by_one_lattice_step_evolves_the_same():
    modes = linear_modes(PLANCK, SIDE, BOX, generator(5))
    field = torch.fft.irfftn(modes, s=(SIDE,) * 3)
    times = [0.2, 0.5, 1.0]
    base = displacement(run(times, modes)).view(SIDE, SIDE, SIDE, 3)
    moved = run(times, torch.fft.rfftn(field.roll((1, -2), (0, 1))))
    moved = displacement(moved).view(SIDE, SIDE, SIDE, 3)
    # Shell crossings amplify rounding: nearly all particles agree closely.
    apart = (moved - base.roll((1, -2), (0, 1))).norm(dim=-1)
    assert apart.median() < 1e-3 and apart.quantile(0.95) < 0.02 * base.norm(dim=-1).mean()


def test_clustering_goes_beyond_linear_theory_where_it_must():
    """Large scales grow by D; small ones by much more."""
    from massgan_core.simulate.initial import linear_power
    from massgan_core.simulate.mesh import shell_average

    box = ParticleMesh(PLANCK, box=200.0, particles=48, mesh=96, seed=1)
    edges = np.array([0.03, 0.12, 0.8, 1.4])
    start = linear_modes(PLANCK, 48, 200.0, generator(1, 31))
    *_, (_, modes) = box.evolve(np.linspace(0.15, 1.0, 12).tolist())
    _, got = shell_average(modes, 200.0, edges)
    _, linear = shell_average(start, 200.0, edges[:2])
    assert abs(got[0] / linear[0] - 1) < 0.07
    assert got[2] > 1.5 * linear_power(PLANCK, np.array([1.1]))[0]


def test_same_seed_same_sky():
    a, b, c = (run([0.3, 0.6], seed=s).x for s in (1, 1, 2))
    assert torch.equal(a, b) and not torch.equal(a, c)
