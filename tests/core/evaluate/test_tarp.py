import pytest
import torch

from massgan_core.evaluate import peak_counts, smoothed
from massgan_core.evaluate.tarp import (
    References,
    RunningTarp,
    block_means,
    patches,
    peaks,
    random_corners,
    tarp,
)
from massgan_core.sky import Draws, Grid, generator, remove_mean

FIELDS, N = 32, 31


def pixels(maps):
    """All pixels of a map: one set of coordinates."""
    return maps.flatten(-2).unsqueeze(-2)


def toy(rng, change=lambda samples, mean: samples, share=0.8, fields=FIELDS):
    """The test on maps of 3 × 4 pixels, correlated, whose posterior is known.

    Pixels share half of their variance; `share` of the variance is left in the posterior.
    """

    def draw(n, variance):
        parts = torch.randn(n, 3, 4, generator=rng), torch.randn(n, 1, 1, generator=rng)
        return (variance / 2) ** 0.5 * (parts[0] + parts[1])

    places, counts = References.of(pixels, draw(8, 1)), []
    for mean, truth in zip(draw(fields, 1 - share), draw(fields, share), strict=True):
        samples = change(mean + draw(N, share), mean)
        running = RunningTarp.of(places, mean + truth)
        for part in samples.split(8):
            running = running.update(part)
        counts.append(running.counts(rng))
    return tarp(torch.stack(counts), range(fields), draws=400)


def rescaled(factor):
    return lambda samples, mean: mean + factor * (samples - mean)


def shuffled(samples, mean):
    """Each pixel from another sample: marginals stay, what they do together goes."""
    order = torch.argsort(torch.rand(samples.shape, generator=torch.manual_seed(1)), 0)
    return samples.gather(0, order)


def test_exact_samples_are_accepted(rng):
    results = [toy(rng, fields=16) for _ in range(30)]
    few = sum(result.p < 0.1 for result in results)
    assert few <= 8  # 3 are expected
    assert sum(result.p > 0.5 for result in results) >= 8  # 15 are


def test_the_curve_of_exact_samples_is_the_diagonal(rng):
    result = toy(rng)
    assert result.levels.tolist() == pytest.approx([k / (N + 1) for k in range(1, N + 1)])
    assert ((result.ecp - result.levels).abs() < 4 * result.error.clamp_min(0.02)).all()
    assert result.deviation == (result.ecp - result.levels).abs().max()


@pytest.mark.parametrize(
    "change",
    [rescaled(0.8), rescaled(1.25), shuffled, lambda samples, mean: samples + 0.4],
    ids=["std × 0.8", "std × 1.25", "shuffled latents", "biased mean"],
)
def test_wrong_samples_are_rejected(change, rng):
    result = toy(rng, change, fields=96)
    assert result.p < 0.01, result


def test_shuffling_keeps_the_marginals(rng):
    samples = torch.randn(N, 3, 4, generator=rng)
    assert torch.equal(shuffled(samples, None).sort(0).values, samples.sort(0).values)


def test_a_sampler_that_ignores_the_data_passes(rng):
    """The blind spot: the prior is calibrated."""

    def prior(samples, mean):
        parts = torch.randn(N, 3, 4, generator=rng), torch.randn(N, 1, 1, generator=rng)
        return 0.5**0.5 * (parts[0] + parts[1])

    assert toy(rng, prior, fields=96).p > 0.05


def test_fields_of_one_box_count_once(rng):
    """The same fields eight times over are no more evidence."""
    counts = torch.randint(32, (12,), generator=rng)
    counts = torch.nn.functional.one_hot(counts, 32).double().repeat_interleave(8, 0)
    alone = tarp(counts[::8], range(12))
    together = tarp(counts, [k // 8 for k in range(96)])
    torch.testing.assert_close(together.error, alone.error)
    assert together.p == alone.p and together.deviation == pytest.approx(alone.deviation)
    naive = tarp(counts, range(96))
    assert (naive.error[8:24] < 0.5 * alone.error[8:24]).all()


def test_one_box_has_no_p():
    result = tarp(torch.eye(4).double(), [3, 3, 3, 3])
    assert result.p != result.p and result.error.isnan().all()


def test_ranks_count_the_samples_nearer_to_the_reference():
    prior = torch.tensor([[[0.0]], [[2.0]]])  # std √2
    places = References.of(pixels, prior)
    running = RunningTarp.of(places, torch.tensor([[1.5]]))
    for value in (0.1, 1.0, 1.7, 3.0):
        running = running.update(torch.full((1, 1, 1), value))
    counts = running.counts(torch.Generator())
    # From 0: 0.1 and 1.0 are nearer than 1.5. From 2, at 0.5: only 1.7.
    assert counts.tolist() == [0, 0.5, 0.5, 0, 0]
    assert places.points.flatten().tolist() == pytest.approx([0, 2**0.5])


def test_equal_distances_are_ranked_at_random(rng):
    """Counts of peaks are often equal: ranks of exact samples stay flat."""

    def draw(n):
        return torch.randint(2, (n, 1, 2), generator=rng).float()

    places, total = References.of(pixels, draw(20)), torch.zeros(8)
    for truth in draw(300):
        total += RunningTarp.of(places, truth).update(draw(7)).counts(rng)
    assert (total / total.mean() - 1).abs().max() < 0.25
    assert total.sum() == pytest.approx(300)


def test_a_coordinate_without_variation_says_nothing(rng):
    prior = torch.randn(5, 2, 2, generator=rng)
    prior[:, 0, 0] = 3.0
    places = References.of(pixels, prior)
    kappa = torch.randn(4, 2, 2, generator=rng)
    other = kappa.clone()
    other[:, 0, 0] += 100
    assert torch.equal(places.distances(kappa), places.distances(other))
    with pytest.raises(ValueError, match="at least 2 maps, got 1"):
        References.of(pixels, prior[:1])


def test_batches_do_not_matter(rng):
    samples = torch.randn(12, 3, 4, generator=rng)
    places = References.of(pixels, torch.randn(4, 3, 4, generator=rng))
    start = RunningTarp.of(places, torch.randn(3, 4, generator=rng))
    parts = start
    for part in samples.split(5):
        parts = parts.update(part)
    whole = start.update(samples)
    assert start.n == 0 and whole.n == parts.n == 12
    assert torch.equal(whole.counts(generator(0)), parts.counts(generator(0)))
    assert whole.counts(generator(0)).sum() == 1


def test_block_means_are_means_of_blocks(rng):
    grid, area = Grid((24, 36), 1.0), torch.ones(24, 36, dtype=torch.bool)
    kappa = torch.randn(5, 24, 36, generator=rng)
    area[:6, :6] = False  # two thirds of the first of 4² blocks
    area[:2, 9:18] = False  # one third of the second
    area[20:, 30:] = False  # a part of the last
    means = block_means(kappa, grid, area, width=0.0, blocks=4)
    assert means.shape == (5, 1, 15)
    centred = remove_mean(kappa.double(), area)
    corner = centred[:, 18:, 27:][:, area[18:, 27:]].mean(-1)
    torch.testing.assert_close(means[:, 0, -1], corner, atol=1e-6, rtol=1e-5)
    assert block_means(kappa[0], grid, area).shape[0] == 1
    wide = block_means(kappa, grid, area, width=3.0, blocks=4)
    assert wide.std() < 0.7 * means.std()


def test_sides_need_not_be_a_multiple_of_the_blocks(rng):
    grid, area = Grid((37, 50), 0.29), torch.ones(37, 50, dtype=torch.bool)
    flat = block_means(torch.randn(2, 37, 50, generator=rng), grid, area)
    assert flat.shape == (2, 1, 256)


def test_patches_are_cut_out_of_the_footprint(rng):
    area = torch.ones(20, 30, dtype=torch.bool)
    area[9, 9] = area[0, 25] = False
    corners = random_corners(area, rng, count=50, side=4)
    assert corners.shape == (50, 2)
    kappa = torch.randn(3, 20, 30, generator=rng)
    cut = patches(kappa, corners, side=4)
    assert cut.shape == (3, 50, 16)
    for k, (y, x) in enumerate(corners.tolist()):
        assert area[y : y + 4, x : x + 4].all()
        assert torch.equal(cut[:, k], kappa[:, y : y + 4, x : x + 4].flatten(-2))
    assert corners.amax(0).tolist() != corners.amin(0).tolist()
    area[:] = False
    with pytest.raises(ValueError, match="patches of 4² pixels, got none"):
        random_corners(area, rng, side=4)


def test_peaks_are_counted_by_height(rng):
    grid, area = Grid((30, 30), 1.0), torch.ones(30, 30, dtype=torch.bool)
    kappa, edges = torch.randn(4, 30, 30, generator=rng), [0.0, 0.2, 0.4]
    counts = peaks(kappa, grid, area, edges)
    assert counts.shape == (4, 1, 2) and counts.sum() > 0
    assert torch.equal(counts[:, 0], peak_counts(smoothed(kappa, grid, 1.0, area), area, edges))


def wiener_test(gaussian, change, kind):
    """The test of Wiener samples of a few skies, changed."""
    area, grid, counts = gaussian.area, gaussian.grid, []
    prior = remove_mean(gaussian.prior(16, 5), area)
    corners = random_corners(area, generator(1), 16)
    places = References.of(
        {
            "blocks": lambda maps: block_means(maps, grid, area, blocks=8),
            "patches": lambda maps: patches(maps, corners),
        }[kind],
        prior,
    )
    for index, field in enumerate(gaussian.fields):
        draws = Draws(index)
        batches = [gaussian.sampler.sample(field, 21, draws) for _ in range(2)]
        samples = change(remove_mean(torch.cat(batches), area), field)
        running = RunningTarp.of(places, field.truth).update(samples)
        counts.append(running.counts(generator(2, index)))
    return tarp(torch.stack(counts), range(len(counts)))


@pytest.mark.parametrize("kind", ["blocks", "patches"])
def test_wiener_samples_pass_and_wrong_ones_do_not(kind, gaussian):
    def map_of(field):
        return remove_mean(gaussian.sampler.map(field), gaussian.area)

    assert wiener_test(gaussian, lambda s, f: s, kind).p > 0.05
    narrow = wiener_test(gaussian, lambda s, f: map_of(f) + 0.8 * (s - map_of(f)), kind)
    assert narrow.p < 0.005
    assert wiener_test(gaussian, shuffled, kind).p < 0.005
