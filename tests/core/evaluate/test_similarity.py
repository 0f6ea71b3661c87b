import numpy as np
import pytest
import torch

from massgan_core.evaluate.similarity import ssim, ssim_map, value_range


def maps(rng, *batch, side=24):
    area = torch.rand(side, side, generator=rng) > 0.2
    truth = torch.randn(*batch, side, side, generator=rng)
    return truth, truth + 0.5 * torch.randn(*batch, side, side, generator=rng), area


def test_a_map_is_like_itself_and_unlike_its_negative(rng):
    truth, noisy, area = maps(rng, 3)
    assert (ssim(truth, truth, area, data_range=5.0) == 1).all()
    likeness = ssim(noisy, truth, area, data_range=5.0)
    assert ((0.3 < likeness) & (likeness < 0.9)).all()
    # A large k1 leaves the means out of it; the covariance is negative.
    assert (ssim(-truth, truth, area, data_range=5.0, k1=1.0) < -0.9).all()
    torch.testing.assert_close(ssim(truth, noisy, area, data_range=5.0), likeness)


def test_only_the_footprint_counts_and_no_zero_point(rng):
    truth, noisy, area = maps(rng)
    junk = 1e3 * torch.randn(2, 24, 24, generator=rng)
    junk[:, 0, 0] = torch.nan
    area[0, 0] = False
    want = ssim(noisy, truth, area, data_range=5.0)
    poisoned = [torch.where(area, m, j) for m, j in zip((noisy, truth), junk, strict=True)]
    torch.testing.assert_close(ssim(*poisoned, area, data_range=5.0), want)
    torch.testing.assert_close(
        ssim(noisy + 7, truth - 3, area, data_range=5.0), want, rtol=1e-5, atol=0
    )


def test_it_is_wang_s_formula_pixel_by_pixel(rng):
    """A slow loop over pixels, windows and footprint, straight from the paper."""
    truth, noisy, area = maps(rng, side=16)
    x, y = (m.double().numpy() - m.double().numpy()[area.numpy()].mean() for m in (noisy, truth))
    got = ssim_map(noisy, truth, area, data_range=4.0)
    rows, columns = np.indices((16, 16))
    c1, c2 = (0.01 * 4) ** 2, (0.03 * 4) ** 2
    for i, j in area.nonzero().tolist():
        near = (abs(rows - i) <= 5) & (abs(columns - j) <= 5) & area.numpy()
        w = np.exp(-((rows[near] - i) ** 2 + (columns[near] - j) ** 2) / (2 * 1.5**2))
        w /= w.sum()
        a, b = (w * x[near]).sum(), (w * y[near]).sum()
        va, vb = (w * (x[near] - a) ** 2).sum(), (w * (y[near] - b) ** 2).sum()
        cov = (w * (x[near] - a) * (y[near] - b)).sum()
        want = (2 * a * b + c1) * (2 * cov + c2) / ((a**2 + b**2 + c1) * (va + vb + c2))
        assert got[i, j].item() == pytest.approx(want, rel=1e-6)
    assert (got[~area] == 0).all()


def test_against_scikit_image(rng):
    metrics = pytest.importorskip("skimage.metrics")
    truth, noisy, _ = maps(rng, side=40)
    truth, noisy = truth.double(), noisy.double()
    truth, noisy = truth - truth.mean(), noisy - noisy.mean()
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    _, want = metrics.structural_similarity(
        noisy.numpy(), truth.numpy(), data_range=5.0, full=True, **settings
    )
    got = ssim_map(noisy, truth, torch.ones(40, 40, dtype=torch.bool), data_range=5.0)
    np.testing.assert_allclose(got[5:-5, 5:-5], want[5:-5, 5:-5], rtol=1e-8)


def test_a_batch_is_its_maps_and_the_range_may_differ(rng):
    truth, noisy, area = maps(rng, 2, 3)
    scale = value_range(truth, area)
    assert scale.shape == (2, 3)
    assert scale[1, 0] == truth[1, 0][area].max() - truth[1, 0][area].min()
    got = ssim(noisy, truth, area, data_range=scale)
    assert got.shape == (2, 3)
    one = ssim(noisy[1, 2], truth[1, 2], area, data_range=scale[1, 2].item())
    torch.testing.assert_close(got[1, 2], one)


def test_a_wide_range_makes_all_maps_alike(rng):
    truth, noisy, area = maps(rng)
    scores = [ssim(noisy, truth, area, data_range=r).item() for r in (1.0, 5.0, 100.0)]
    assert scores == sorted(scores) and scores[-1] > 0.95


@pytest.mark.parametrize("bad", [{"data_range": 0.0}, {"data_range": 1.0, "width": 0.0}])
def test_ranges_and_windows_must_be_positive(bad, rng):
    truth, noisy, area = maps(rng)
    with pytest.raises(ValueError, match="must be positive"):
        ssim(noisy, truth, area, **bad)
