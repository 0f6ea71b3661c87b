import subprocess
import sys

import numpy as np
import pytest
import torch

from massgan_core.simulate import mesh as meshes
from massgan_core.simulate.mesh import (
    add_gradient,
    drift,
    fft,
    ifft,
    isotropic,
    paint,
    paint_sheet,
    wavenumbers,
    wrap,
)

BOX, MESH = 10.0, 12


@pytest.fixture(params=["compiled", "torch"])
def loops(request, monkeypatch):
    """Both ways to run the loops over particles."""
    if request.param == "torch":
        monkeypatch.setattr(meshes, "_numba_loops", lambda: None)
    else:
        assert meshes._numba_loops() is not None
    return request.param


def particles(rng, n=500):
    return BOX * torch.rand(n, 3, generator=rng)


def test_mass_is_conserved_and_uniform_lattices_are_uniform(loops, rng):
    delta = paint(particles(rng), MESH, BOX)
    assert delta.mean().abs() < 1e-6 and delta.min() >= -1
    q = torch.arange(MESH) * (BOX / MESH) + 0.3
    lattice = torch.stack(torch.meshgrid(q, q, q, indexing="ij"), -1).view(-1, 3) % BOX
    assert paint(lattice, MESH, BOX).abs().max() < 1e-5


def test_painting_goes_with_the_particles(loops, rng):
    """Translation invariance: three cells further is the mesh rolled by three."""
    x = particles(rng)
    cell = BOX / MESH
    moved = wrap(x + torch.tensor([3 * cell, 0.0, -2 * cell]), BOX)
    rolled = paint(x, MESH, BOX).roll((3, -2), (0, 2))
    torch.testing.assert_close(paint(moved, MESH, BOX), rolled, atol=1e-4, rtol=1e-4)


def test_sheets_are_the_cube_summed_along_an_axis(loops, rng):
    """One part: all mass. Rows run along the next axis, columns along the one after it."""
    x = particles(rng)
    cube = paint(x, MESH, BOX) + 1
    for axis in range(3):
        sheet = paint_sheet(x, axis, 0.0, BOX, MESH, BOX)
        order = [(axis + 1) % 3, (axis + 2) % 3, axis]
        torch.testing.assert_close(sheet, cube.permute(order).mean(-1), atol=1e-4, rtol=1e-4)
        halves = [paint_sheet(x, axis, a, a + BOX / 2, MESH, BOX) for a in (0.0, BOX / 2)]
        torch.testing.assert_close(sum(halves) / 2, sheet, atol=1e-4, rtol=1e-4)


def test_a_plane_wave_has_its_analytic_gradient(loops, rng):
    n = 64
    k = 2 * np.pi / BOX * 2
    y = torch.arange(n) * (BOX / n)
    potential = torch.sin(k * y)[None, :, None].expand(n, n, n).contiguous()
    x = particles(rng)
    out = torch.ones_like(x)
    add_gradient(out, 0.5, potential, x, BOX, 2.0)
    want = 0.5 - 2 * k * torch.cos(k * x[:, 1])
    torch.testing.assert_close(out[:, 1], want, atol=0.02, rtol=0)
    torch.testing.assert_close(out[:, [0, 2]], torch.full((500, 2), 0.5), atol=1e-5, rtol=0)


def test_no_particle_pulls_itself_and_momentum_is_conserved(loops, rng):
    """Painting and reading with one cloud, differences antisymmetric: all forces add to 0."""
    for n in (1, 200):
        x = particles(rng, n)
        potential = ifft(isotropic(fft(paint(x, MESH, BOX)), BOX, lambda k2: -1 / k2, windows=2))
        force = torch.zeros_like(x)
        add_gradient(force, 0.0, potential, x, BOX, 1.0)
        scale = potential.std() * MESH / BOX
        assert force.sum(0).abs().max() < 1e-4 * scale * n
        assert n == 1 or force.norm(dim=1).mean() > 0.01 * scale


def test_drift_wraps(loops, rng):
    x, u = particles(rng), torch.randn(500, 3, generator=rng)
    moved = x.clone()
    drift(moved, u, 4.0, BOX)
    assert moved.min() >= 0 and moved.max() < BOX
    turns = (moved - x - 4 * u) / BOX
    torch.testing.assert_close(turns, turns.round(), atol=1e-5, rtol=0)
    edge = torch.tensor([[-1e-9, BOX, 0.0]])
    assert wrap(edge, BOX).tolist() == [[0.0, 0.0, 0.0]]


def test_responses_are_of_the_wave_number(loops, rng):
    field = torch.randn(MESH, MESH, MESH, generator=rng)
    modes = torch.fft.rfftn(field)
    k2 = sum(axis**2 for axis in wavenumbers(MESH, BOX))
    got = isotropic(modes.clone(), BOX, lambda k2: np.exp(-k2))
    want = modes * torch.exp(-k2)
    want[0, 0, 0] = 0
    torch.testing.assert_close(got, want, atol=1e-4, rtol=1e-4)
    there = isotropic(modes.clone(), BOX, np.ones_like, windows=-1)
    back = isotropic(there, BOX, np.ones_like, windows=1)
    modes[0, 0, 0] = 0
    torch.testing.assert_close(back, modes, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("side", [8, 9])
def test_transforms_are_inverse(side, rng):
    field = torch.randn(side, side, side, generator=rng)
    if side % 2 == 0:
        torch.testing.assert_close(ifft(fft(field.clone())), field, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(fft(field.clone()), torch.fft.rfftn(field), atol=1e-4, rtol=1e-4)


def test_painting_does_not_depend_on_the_number_of_threads(rng):
    """Bit for bit: every cell is summed in the order of the particles."""
    from massgan_core.simulate import kernels

    x = particles(rng).numpy()
    cubes = [np.zeros((MESH,) * 3, np.float32) for _ in range(3)]
    for cube, threads in zip(cubes, (1, 2, 5), strict=True):
        kernels.paint(cube, x, MESH / BOX, threads)
    assert (cubes[0] == cubes[1]).all() and (cubes[0] == cubes[2]).all()
    assert cubes[0].sum() == pytest.approx(500, rel=1e-5)


THREADS = """
import os
os.environ |= {"NUMBA_NUM_THREADS": "2"}
import torch
from massgan_core.simulate import mesh
torch.set_num_threads(1)
mesh.paint(torch.rand(10, 3), 8, 1.0)
print(mesh._numba_loops() is not None, torch.get_num_threads())
"""


def test_compiled_loops_leave_torch_its_threads():
    """In a process of its own: numba begins its threads once."""
    pytest.importorskip("numba")
    words = [sys.executable, "-c", THREADS]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "1"]
