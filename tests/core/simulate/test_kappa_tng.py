import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from massgan_core.simulate.kappa_tng import COSMOS_BEYOND, Crop, KappaTNG, plane_weights, planes
from massgan_core.sky import Grid, Sources, generator
from massgan_core.survey import cosmos_sources

N = 30  # pixels of the small maps: 10′ each
GRID = Grid((12, 12), 10.0)


def kappa_of(box, run, number, side=N):
    """A map that tells its box, run, plane, row and column."""
    y, x = np.mgrid[:side, :side]
    return box + run / 10 + number / 1e3 + y / 1e5 + x / 1e7


@pytest.fixture
def root(tmp_path):
    """Boxes 3 (two runs) and 8 (one run), every plane, in the old layout."""
    for box, run in ((3, 1), (3, 2), (8, 1)):
        folder = tmp_path / f"LP{box:03d}" / f"run{run:03d}"
        folder.mkdir(parents=True)
        for number in range(1, 41):
            mark = np.array([N], "<i4").tobytes()
            data = mark + kappa_of(box, run, number).astype("<f8").tobytes() + mark
            (folder / f"kappa{number:02d}.dat").write_bytes(data)
    return tmp_path


def maker(root, grid=GRID, **settings):
    return KappaTNG(root, grid, side=N, **settings)


# Weights


def test_a_map_is_the_weighted_sum_of_its_planes(root):
    weights = np.zeros(40)
    weights[[2, 39]] = 1, 3
    tng = maker(root, sources=weights)
    assert_allclose(tng.weights.sum(), 1)
    one = tng.realisations[0]
    want = 0.25 * kappa_of(3, 1, 3) + 0.75 * kappa_of(3, 1, 40)
    assert_allclose(tng.map(one).numpy(), want, rtol=1e-6)
    single = maker(root, sources=23).map(one)
    assert_array_equal(single.numpy(), kappa_of(3, 1, 23).astype(np.float32))


def test_only_planes_with_a_weight_are_read(root):
    for path in root.glob("LP*/run*/kappa*.dat"):
        if path.name != "kappa23.dat":
            path.unlink()
    assert maker(root, sources=23)(generator(1)).shape == GRID.shape
    with pytest.raises(FileNotFoundError, match="source plane 1 is missing"):
        maker(root)(generator(1))


def test_the_default_are_the_published_cosmos_weights(root):
    redshift, weight = planes()
    tng = maker(root)
    assert (len(redshift), redshift[0], redshift[-1]) == (40, 0.034, 2.568)
    assert_allclose(weight.sum(), 1)
    assert_allclose(tng.weights, weight)
    assert tng.beyond == COSMOS_BEYOND
    assert_allclose(plane_weights(cosmos_sources())[1], COSMOS_BEYOND, atol=0.005)
    # Made from other cuts of the catalogue, they are those of its n(z) only roughly.
    assert_allclose(plane_weights(cosmos_sources())[0], weight, atol=0.02)


def test_weights_of_sources_keep_number_and_mean_redshift():
    z = np.linspace(0.2, 2.4, 500)
    sources = Sources(z, z**2 * np.exp(-((z / 0.7) ** 1.5)))
    weights, beyond = plane_weights(sources)
    assert_allclose(weights.sum(), 1)
    assert_allclose(weights @ planes()[0], sources.mean, rtol=1e-4)
    assert beyond == 0


@pytest.mark.parametrize("plane", [7, 23, 39])
def test_sources_on_a_plane_weigh_that_plane(plane):
    weights, _ = plane_weights(Sources.plane(planes()[0][plane - 1], width=1e-3))
    assert weights.argmax() == plane - 1 and weights[plane - 1] > 0.95


def test_sources_outside_the_planes_are_counted_on_the_outermost(root):
    deep = Sources([0.0, 0.03, 2.6, 2.7, 4.0], [1.0, 0.0, 0.0, 0.5, 0.5])
    tng = maker(root, sources=deep)
    assert_allclose(tng.weights[[0, -1]].sum(), 1)
    assert_allclose(tng.beyond, tng.weights[-1])
    assert_allclose(tng.beyond, deep.density[-1] * (1.3 + 0.05), rtol=1e-3)


def test_redshifts_are_those_of_the_file_beside_the_maps(root):
    assert_array_equal(maker(root).redshifts, planes()[0])
    shifted = planes()[0] + 0.01
    np.savetxt(root / "zs.dat", shifted)
    tng = maker(root, sources=Sources.plane(shifted[9], width=1e-3))
    assert_allclose(tng.redshifts, shifted)
    assert tng.weights.argmax() == 9
    for text in ("0.1 0.2 0.3", "redshift"):
        (root / "zs.dat").write_text(text)
        with pytest.raises(ValueError, match=r"zs\.dat must hold 40 increasing redshifts"):
            maker(root)


# Crops


def test_a_crop_is_the_named_part_of_the_named_map(root):
    tng = maker(root, Grid((12, 9), 10.0), sources=5, zero_mean=False)
    one = tng.realisations[2]
    whole = torch.from_numpy(kappa_of(8, 1, 5).astype(np.float32))
    assert torch.equal(tng.crop(Crop(one, 4, 6)), whole[4:16, 6:15])
    assert torch.equal(tng.crop(Crop(one, 4, 6, turn=1)), whole[4:16, 6:15].flip(1))
    assert torch.equal(tng.crop(Crop(one, 4, 6, turn=2)), whole[4:16, 6:15].flip(0))
    turned = tng.crop(Crop(one, 18, 18, turn=7))
    assert torch.equal(turned, whole[18:27, 18:30].flip(0, 1).mT)
    assert turned.shape == (12, 9) and turned.is_contiguous()


def test_random_crops_come_from_everywhere_and_lie_inside(root):
    tng = maker(root, sources=5, zero_mean=False)
    crops = [tng.draw(generator(i)) for i in range(300)]
    assert {c.realisation.name for c in crops} == {"LP003_run001", "LP003_run002", "LP008_run001"}
    assert {c.turn for c in crops} == set(range(8))
    for first in ("top", "left"):
        assert {getattr(c, first) for c in crops} == set(range(N - 12 + 1))
    kappa = tng(generator(7))
    assert tng.last == tng.draw(generator(7)) and torch.equal(kappa, tng.crop(tng.last))
    assert round(kappa.mean().item() * 10) == tng.last.realisation.box * 10 + (
        tng.last.realisation.run
    )


def test_same_generator_same_crop(root):
    tng = maker(root)
    first, second, other = (tng(generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, second) and not torch.equal(first, other)


def test_only_the_given_boxes_are_used(root):
    assert maker(root).boxes == (3, 8) and len(maker(root)) == 3
    tng = maker(root, boxes=[3])
    assert tng.boxes == (3,) and len(tng) == 2
    assert {tng.draw(generator(i)).realisation.box for i in range(40)} == {3}
    for boxes in ([3, 4], []):
        with pytest.raises(ValueError, match=r"`boxes` must be some .* \(3, 8\), got"):
            maker(root, boxes=boxes)


def test_the_mean_is_removed_or_kept(root):
    assert abs(maker(root)(generator(1)).mean()) < 1e-5
    assert maker(root, zero_mean=False)(generator(1)).mean() > 3


@pytest.mark.parametrize("scale", [8.0, 20.0])
def test_another_pixel_scale_shows_the_same_sky(root, scale):
    """200′ × 200′ of whole pixels either way: same mean, same gradient."""
    n = round(200 / scale)
    fine = maker(root, Grid((20, 20), 10.0), sources=5, zero_mean=False)
    other = maker(root, Grid((n, n), scale), sources=5, zero_mean=False)
    where = Crop(fine.realisations[0], 5, 5)
    a, b = fine.crop(where).double(), other.crop(where).double()
    assert b.shape == (n, n)
    assert_allclose(b.mean(), a.mean(), rtol=1e-6)
    slopes = [(m[-1].mean() - m[0].mean()) / (1 - 1 / len(m)) for m in (a, b)]
    assert_allclose(slopes[1], slopes[0], rtol=0.03)


def test_a_full_map_at_another_scale_fits(root):
    """The largest crop has one place only."""
    tng = maker(root, Grid((25, 25), 12.0))
    assert {(c.top, c.left) for c in map(tng.draw, map(generator, range(20)))} == {(0, 0)}


def test_a_full_size_map_is_cut_and_resampled(tmp_path, np_rng):
    kappa, folder = np_rng.normal(0, 0.02, (1024, 1024)), tmp_path / "LP001" / "run001"
    folder.mkdir(parents=True)
    mark = np.array([1024], "<i4").tobytes()
    (folder / "kappa40.dat").write_bytes(mark + kappa.astype("<f8").tobytes() + mark)
    tng = KappaTNG(tmp_path, Grid((64, 64), 300 / 1024), sources=40, zero_mean=False)
    where = Crop(tng.realisations[0], 900, 100)
    cut = kappa[900:964, 100:164].astype(np.float32)
    assert_array_equal(tng.crop(where).numpy(), cut)
    tng = KappaTNG(tmp_path, sources=40)
    assert tng.grid.shape == (300, 300) and tng.grid.pixel_scale == 0.29
    assert_allclose(tng(generator(1)).std(), 0.02, rtol=0.03)


def test_maps_are_read_once_while_they_are_kept(root, monkeypatch):
    tng, reads = maker(root, keep=2), []
    kind = type(tng.realisations[0])
    plane = kind.plane
    monkeypatch.setattr(kind, "plane", lambda *a: reads.append(a[0].name) or plane(*a))
    first, second, third = tng.realisations
    for one in (first, second, first, third, first):
        tng.map(one)
    assert len(reads) == 3 * 40
    tng.map(second)
    assert len(reads) == 4 * 40


# Errors


def test_a_crop_larger_than_the_map_is_refused(root):
    with pytest.raises(ValueError, match=r"must fit into a map of 300′ .* 310\.0′ × 100\.0′"):
        maker(root, Grid((31, 10), 10.0))
    tng = maker(root)
    for top, left in ((19, 0), (0, -1)):
        with pytest.raises(ValueError, match="must lie inside the image"):
            tng.crop(Crop(tng.realisations[0], top, left))


@pytest.mark.parametrize(
    ("sources", "sentence"),
    [
        (0, "must be 1 … 40, got 0"),
        (41, "must be 1 … 40, got 41"),
        (np.zeros(40), "40 numbers ≥ 0, not all 0"),
        (np.ones(39), "40 numbers ≥ 0, not all 0"),
        (-np.ones(40), "40 numbers ≥ 0, not all 0"),
    ],
)
def test_wrong_planes_and_weights_are_refused(root, sources, sentence):
    with pytest.raises(ValueError, match=f"`sources` as .*{sentence}"):
        maker(root, sources=sources)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="`root` must be the folder"):
        KappaTNG(tmp_path / "nowhere")
