import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from massgan_core.simulate import NFW, PLANCK, light_cone
from massgan_core.simulate.boxes import AXES, _card, plane_path, preset, run_box
from massgan_core.simulate.light_cone import LightCone, add_plane
from massgan_core.simulate.mesh import paint_sheet
from massgan_core.sky import Grid, Sources, generator
from massgan_core.sky.grid import ARCMIN
from massgan_core.survey import cosmos_sources

TINY = preset("tiny", particles=16, mesh=32, depth=1.2)
GRID = Grid((40, 40), 0.5)
SOURCES = Sources.plane(1.0)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """Planes of a tiny box."""
    folder = tmp_path_factory.mktemp("cones") / "box"
    run_box(folder, TINY, PLANCK, 1)
    return folder


def empty_box(folder, settings=TINY, planes=None):
    """A box of uniform planes, but for those given by slab."""
    folder.mkdir()
    slabs = settings.slabs(PLANCK)
    for slab, distance in enumerate(slabs.distance):
        pixels = settings.pixels(float(distance))
        plane = np.ones((AXES, pixels, pixels), np.float16)
        np.save(plane_path(folder, slab), (planes or {}).get(slab, plane))
    (folder / "box.json").write_text(json.dumps(_card(settings, PLANCK, 0)))
    return folder


def test_a_plane_wave_of_mass_is_one_of_convergence(tmp_path):
    """κ(θ) = w cos(k χ θ) for the slab's weight w and distance χ, along either axis."""
    settings = replace(TINY, finest=0.1)
    slab, waves, height = 20, 3, 0.25
    chi = float(settings.slabs(PLANCK).distance[slab])
    pixels = settings.pixels(chi)
    wave = 1 + height * np.cos(2 * np.pi * waves * np.arange(pixels) / pixels)
    plane = np.broadcast_to(wave.astype(np.float16), (AXES, pixels, pixels))
    # Wide enough for whole waves: the box fills 64 Mpc/h / χ.
    grid = Grid((64, 64), settings.box / chi / ARCMIN / 64)
    cone = LightCone(empty_box(tmp_path / "box", settings, {slab: plane}), grid, SOURCES)
    want = cone.weights[slab] * height
    for seed in range(4):
        modes = torch.fft.fft2(cone(generator(seed)).double()).abs() * 2 / 64**2
        peak = modes.flatten().argmax().item()
        assert (peak // 64, peak % 64) in {
            (0, waves),
            (waves, 0),
            (0, 64 - waves),
            (64 - waves, 0),
        }
        # Bilinear reading takes off a little.
        assert modes.max().item() == pytest.approx(want, rel=0.02)
        modes.view(-1)[peak] = 0
        assert modes.flatten().sort().values[-2] < 0.02 * want


def test_a_halo_of_particles_lenses_as_its_profile(tmp_path):
    """Particles drawn from an NFW profile, painted, read: the analytic κ, in rings."""
    settings = replace(TINY, finest=0.04, box=16.0, depth=0.45)
    slabs = settings.slabs(PLANCK)
    slab = 45
    redshift = float(slabs.redshift(slabs.distance[slab]))
    halo, n = NFW(5e14, redshift, 4.0), 400_000
    rho = float(PLANCK.ccl().rho_x(1 / (1 + redshift), "critical"))
    r200 = (3 * halo.mass / (800 * np.pi * rho)) ** (1 / 3) * (1 + redshift) * PLANCK.h
    # M(<r) ∝ ln(1 + x) − x/(1 + x), out to three r200.
    rng = np.random.default_rng(1)
    x = np.linspace(1e-4, 3 * halo.concentration, 4000)
    mass = np.log1p(x) - x / (1 + x)
    radius = np.interp(rng.uniform(0, mass[-1], n), mass, x) * r200 / halo.concentration
    way = rng.standard_normal((n, 3))
    way *= (radius / np.linalg.norm(way, axis=1))[:, None]
    points = torch.from_numpy((way + 8.0) % 16.0).float()
    inside = np.log1p(halo.concentration) - halo.concentration / (1 + halo.concentration)
    # What the whole halo adds to the mean density of the box, as a weight of the sheets.
    mean = PLANCK.omega_m * 2.77536627e11 * 16.0**3 / PLANCK.h  # Msun in the box
    share = halo.mass * mass[-1] / inside / mean
    pixels = settings.pixels(float(slabs.distance[slab]))
    sheets = [paint_sheet(points, axis, 0.0, 16.0, pixels, 16.0) for axis in range(AXES)]
    plane = np.stack([1 + share * s.numpy() for s in sheets]).astype(np.float16)
    grid = Grid((64, 64), 0.25)
    sources = Sources.plane(0.4)
    cone = LightCone(empty_box(tmp_path / "box", settings, {slab: plane}), grid, sources)
    planes, step = cone._planes[slab], cone._step(slab, pixels)
    first = [pixels / 2 - 32 * step] * 2  # the halo in the middle of the field
    image = np.zeros(grid.shape, np.float32)
    add_plane(image, planes[1], first, (step, step), float(cone.weights[slab]))
    kappa = torch.from_numpy(image)
    peak = kappa.flatten().argmax().item()
    row, column = (torch.arange(64) - at for at in divmod(peak, 64))
    theta = torch.sqrt(row[:, None] ** 2 + column**2.0) * 0.25
    wanted = halo.lens(Grid((129, 129), 0.25), sources)[0]
    y = torch.arange(129) - 64.0
    ring_at = torch.sqrt(y[:, None] ** 2 + y**2) * 0.25

    def rings(image, at):
        edges = (0.75, 1.5, 2.5, 4.0)
        return torch.stack(
            [image[(at >= a) & (at < b)].mean() for a, b in zip(edges, edges[1:], strict=False)]
        )

    got, want = rings(kappa, theta), rings(wanted, ring_at)
    # Only differences between rings are known: a map has no zero point.
    torch.testing.assert_close(got - got[-1], want - want[-1], rtol=0.06, atol=0)


def test_maps_have_zero_mean_and_depend_on_the_generator_alone(box):
    cone = LightCone(box, GRID, SOURCES)
    first, again, other = (cone(generator(s)) for s in (1, 1, 2))
    assert first.dtype == torch.float32 and abs(first.mean()) < 1e-7
    assert torch.equal(first, again) and not torch.equal(first, other)
    both = torch.stack([first.flatten(), other.flatten()])
    assert torch.corrcoef(both)[0, 1].abs() < 0.5


@pytest.mark.parametrize("steps", [(1.3, 0.4), (-2.1, 0.7), (0.2, -3.0)])
def test_planes_are_summed_alike_as_arrays_and_as_tensors(steps):
    plane = np.random.default_rng(3).random((24, 24)).astype(np.float16)
    array = np.full((7, 9), 0.5, np.float32)
    tensor = torch.from_numpy(array.copy())
    add_plane(array, plane, [20.5, 3.25], steps, 0.3)
    add_plane(tensor, torch.from_numpy(plane), [20.5, 3.25], steps, 0.3)
    torch.testing.assert_close(tensor.numpy(), array, rtol=0, atol=1e-6)


def test_deeper_sources_are_lensed_more(box):
    std = [LightCone(box, GRID, Sources.plane(z))(generator(1)).std() for z in (0.4, 0.8, 1.1)]
    assert std[0] < std[1] < std[2]


def test_the_look_up_is_the_conversion(box, monkeypatch):
    """Compiled and plain reading agree, forwards and backwards, across the edge."""
    import sys

    plane = np.load(plane_path(box, 5))[1]
    maps = []
    for without in (False, True):
        if without:
            monkeypatch.setitem(sys.modules, "massgan_core.simulate.kernels", None)
        kappa = np.zeros((7, 9), np.float32)
        add_plane(kappa, plane, [len(plane) - 2.3, 0.4], (0.37, -1.9), 0.5)
        maps.append(kappa)
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-4)
    assert maps[0].std() > 0


def test_fields_wider_than_the_box_are_judged(box, tmp_path):
    cone = LightCone(box, Grid((40, 40), 0.5), SOURCES)
    assert cone.tiled == 0
    with pytest.warns(UserWarning, match="repeats within the field for 2[0-9]% of the lensing"):
        LightCone(box, Grid((40, 40), 6.5), SOURCES)
    with pytest.raises(ValueError, match="more than half: take a larger box or a smaller field"):
        LightCone(box, Grid((40, 40), 20.0), SOURCES)


def test_bad_boxes_and_sources_are_one_sentence(box, tmp_path):
    with pytest.raises(ValueError, match="must be a folder of planes"):
        LightCone(tmp_path, GRID, SOURCES)
    with pytest.raises(ValueError, match="must end within the light cone"):
        LightCone(box, GRID, cosmos_sources())
    broken = empty_box(tmp_path / "broken")
    plane_path(broken, 3).write_bytes(b"no numbers")
    with pytest.raises(ValueError, match="plane_003.npy must hold planes of mass"):
        LightCone(broken, GRID, SOURCES)(generator(1))
    np.save(plane_path(broken, 3), np.ones((3, 4, 4), np.float16))
    with pytest.raises(ValueError, match="plane_003.npy must hold .* float16 values, got"):
        LightCone(broken, GRID, SOURCES)(generator(1))


def test_planes_are_mapped_not_loaded(box):
    """Planes of many boxes stream from disk: none is held in memory."""
    cone = LightCone(box, GRID, SOURCES)
    cone(generator(1))
    assert all(isinstance(p, np.memmap) for p in cone._planes)
    assert light_cone.TILED_ERROR == 0.5
