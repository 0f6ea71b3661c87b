"""Batches from a store: leak-free, turned with spin 2, the same whatever the way there."""

import numpy as np
import pytest
import torch

from massgan_core.data import Dataset, MapStore, Observe, dataset, dihedral, fixed_fields
from massgan_core.simulate import Lognormal
from massgan_core.sky import Grid, PowerSpectrum, ShearOperator, generator, reduced_shear

POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])
NZ = [
    {"redshift": [0.1, z, 3.0], "density": [0.0, 1.0, 0.0], "sigma_kappa": s}
    for z, s in ((1.5, 0.02), (0.6, 0.01))
]
SIDE = 24
SIGMA = torch.full((30, 30), 0.1)
SIGMA[:, 22:] = torch.inf
SIGMA[5, 5] = torch.inf


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """13 maps of 56 × 60 pixels, the last five for another n(z)."""
    grid = Grid((56, 60), 1.0)
    columns = {"omega_m": 0.3, "omega_b": 0.05, "h": 0.7, "sigma8": 0.8, "n_s": 0.96}
    columns |= {"box": np.arange(13) // 2, "seed": np.arange(13), "sources": np.arange(13) // 8}
    store = MapStore.create(
        tmp_path_factory.mktemp("maps") / "maps.zarr",
        columns,
        shape=grid.shape,
        pixel_scale=1.0,
        kind="lognormal",
        sources=NZ,
    )
    sky = Lognormal(grid, POWER)
    for row in range(12):
        store.write(row, sky(generator(row)))
    return store


def plain(kappa, gamma, *which):
    """A survey without mask, noise or reduced shear."""
    return Observe(torch.full((30, 30), 1e-9), 1.0, real=1.0, linear=True)(kappa, gamma, *which)


def make(store, observe=None, **options):
    look = Observe(SIGMA, 1.0, seed=4) if observe is None else observe
    return Dataset(store, range(12), look, **{"side": SIDE, "batch": 3, "seed": 1} | options)


def same(a, b):
    (field, scale), (other, scale2) = a, b
    names = ("gamma", "sigma", "mask", "kappa", "footprint")
    return scale == scale2 and all(
        torch.equal(getattr(field, n), getattr(other, n)) for n in names
    )


def test_a_batch_depends_on_its_index_alone(store):
    """Neither order, nor reading ahead, nor keeping the maps in memory changes it."""
    source = make(store)
    want = [source(i) for i in range(9)]
    for options in ({"budget": 0, "ahead": 0}, {"budget": 0, "ahead": 3}, {"budget": 1}):
        other = make(store, **options)
        for i in (4, 0, 1, 2, 8, 7, 4, 5, 6, 3):
            assert same(other(i), want[i])
    assert not same(want[0], want[1])
    assert not same(make(store, seed=2)(0), want[0])


@pytest.mark.parametrize("budget", [0, 1])
def test_parts_of_a_batch_are_those_of_the_whole(store, budget):
    """Maps, places, turns, masks, counts and noise, however a batch is shared out."""
    look = Observe(SIGMA, 1.0, real=0.3, rescaled=0.3, seed=4)
    source = make(store, look, batch=5)
    for index in (0, 1, 4):
        whole, scale = source(index)
        for part in (slice(0, 1), slice(1, 3), slice(3, 5)):
            field, other = make(store, look, batch=5, budget=budget, part=part)(index)
            assert scale == other and len(field.gamma) == part.stop - part.start
            for name in ("gamma", "sigma", "mask", "footprint"):
                assert torch.equal(getattr(field, name), getattr(whole, name)[part])
            torch.testing.assert_close(field.kappa, whole.kappa[part], rtol=0, atol=1e-7)


def test_an_epoch_takes_every_row_and_a_batch_one_n_of_z(store):
    source = make(store)
    assert len(source) == 3 + 2  # 8 and 4 rows, by 3
    orders = []
    for epoch in range(3):
        batches = [source.chosen(epoch * 5 + i) for i in range(5)]
        assert set(sum(batches, [])) == set(range(12))
        orders.append(batches)
    assert orders[0] != orders[1] != orders[2]
    sources = store.rows("sources")
    for i in range(10):
        _, scale = source(i)
        assert {NZ[s]["sigma_kappa"] for s in sources[source.chosen(i)]} == {scale}


def where(kappa, maps):
    """Corner and turn of a crop among large maps: its first pixel is a corner there."""
    for y, x in (maps == kappa[0, 0]).nonzero().tolist():
        for top, left in ((y - dy, x - dx) for dy in (0, SIDE - 1) for dx in (0, SIDE - 1)):
            part = maps[max(top, 0) : top + SIDE, max(left, 0) : left + SIDE]
            for kind in range(8 if part.shape == kappa.shape else 0):
                if torch.equal(dihedral(part, part + 0j, kind)[0], kappa):
                    return top, left, kind
    raise AssertionError("this crop is nowhere in its map")


def test_shear_is_made_on_the_large_map_and_then_cut_and_turned(store):
    source = make(store, plain)
    index = next(i for i in range(9) if len(set(source.chosen(i))) == 3)
    field, _ = source(index)
    corners = []
    for i, row in enumerate(source.chosen(index)):
        large = store.read([row])[0]
        large = large - large.mean()
        gamma = ShearOperator((56, 60))(large)
        top, left, kind = where(field.kappa[i], large)
        here = slice(top, top + SIDE), slice(left, left + SIDE)
        _, want = dihedral(large[here], gamma[here], kind)
        torch.testing.assert_close(field.gamma[i], want, rtol=0, atol=1e-6)
        own = ShearOperator((SIDE, SIDE))(field.kappa[i])  # what a leaky simulation would show
        assert (field.gamma[i] - own).abs().mean() > 0.1 * want.abs().mean()
        corners += [(top, left)]
    assert len(set(corners)) > 1


def test_crops_keep_their_distance_from_the_edges(store, monkeypatch):
    seen = []

    def spy(maps, corner, turn, shape):
        seen.append(corner)
        return cut(maps, corner, turn, shape)

    cut = dataset.cut
    monkeypatch.setattr(dataset, "cut", spy)
    source = make(store, plain, batch=8)
    for i in range(40):
        source(i)
    corners = torch.cat(seen, dim=1)
    quarter = SIDE // 4
    assert corners.amin(1).tolist() == [quarter, quarter]
    assert corners.amax(1).tolist() == [56 - SIDE - quarter, 60 - SIDE - quarter]


def test_nothing_depends_on_kappa_that_is_not_lensing(store, rng):
    """Shear outside the mask never shows, nor does it change what is drawn."""
    kappa = 0.05 * torch.randn(4, SIDE, SIDE, generator=rng)
    gamma = torch.complex(kappa, -kappa)
    look = Observe(SIGMA, 1.0)
    field = look(kappa, gamma, 0)
    other = look(kappa, torch.where(field.mask, gamma, 7.0), 0)
    assert torch.equal(field.gamma, other.gamma) and not field.mask.all()
    assert (field.gamma[~field.mask] == 0).all() and field.sigma[~field.mask].isinf().all()


def test_the_last_word_is_passed_on(store):
    source = make(store, finish=lambda field, scale: field.gamma / scale)
    field, scale = make(store)(2)
    assert torch.equal(source(2), field.gamma / scale)


def test_data_that_break_the_rules_are_refused(store):
    with pytest.raises(
        ValueError, match=r"at most half of the maps' \(56, 60\) .* got \(29, 29\)"
    ):
        make(store, side=29)
    with pytest.raises(ValueError, match=r"1 of 2 wanted maps .* \(row 12 is the first\)"):
        Dataset(store, [3, 12], plain, side=SIDE)
    with pytest.raises(ValueError, match="`rows` must hold at least one row"):
        Dataset(store, [], plain, side=SIDE)
    with pytest.raises(ValueError, match=r"must have the maps' pixels of 1\.0′, got 0\.29′"):
        make(store, Observe(SIGMA, 0.29))(0)


def test_a_map_lost_on_the_way_is_named(store, tmp_path):
    source = make(store, budget=0)
    path = store.path / "kappa" / "c.5.0.0"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1] + b"?")
    try:
        with pytest.raises(ValueError, match="row 5 of .* is damaged"):
            for i in range(len(source)):
                source(i)
    finally:
        path.write_bytes(kept)


def test_fixed_fields_see_the_survey_as_it_is(store):
    sigma = SIGMA[:28, :28]
    fields = fixed_fields(store, [3, 9], sigma, seed=5)
    for field, row in zip(fields, (3, 9), strict=True):
        assert torch.equal(field.sigma, sigma) and field.notes["box"] == row // 2
        assert field.footprint[5, 5] and not field.mask[5, 5]
        large = store.read([row])[0]
        here = slice(14, 42), slice(16, 44)
        kappa = (large - large.mean())[here]
        assert torch.equal(field.kappa, kappa)
        gamma = ShearOperator((56, 60))(large)[here]
        noise = (field.gamma - reduced_shear(gamma, kappa))[field.mask] / 0.1
        torch.testing.assert_close(noise.real.std(), torch.tensor(1.0), rtol=0.1, atol=0)
    assert fields[0].sources.mean > fields[1].sources.mean
    alone = fixed_fields(store, [9], sigma, seed=5)[0]
    assert torch.equal(alone.gamma, fields[1].gamma)
    other = fixed_fields(store, [9], sigma, seed=6)[0]
    assert not torch.equal(other.gamma, alone.gamma) and torch.equal(other.kappa, alone.kappa)


@pytest.mark.gpu
def test_choices_agree_between_devices(store, device):
    """Crops, turns and masks of the real survey; counts and noise are drawn on the device."""
    look = Observe(SIGMA, 1.0, real=1.0, linear=True)
    (here, _), (there, _) = (make(store, look, device=d)(3) for d in ("cpu", device))
    assert there.gamma.device.type == device.type
    torch.testing.assert_close(there.kappa.cpu(), here.kappa, rtol=0, atol=1e-6)
    assert torch.equal(there.sigma.cpu(), here.sigma)
    again, _ = make(store, look, device=device, budget=0)(3)
    assert torch.equal(again.gamma, there.gamma)
