"""What an output says of a summary: laws of the maps, the facts, the refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from massgan_core import __version__
from massgan_core.export import Interval, Maps
from massgan_core.posterior import SmoothedSamples, stream


def test_moments_and_signal_to_noise_are_the_summary_s(wiener):
    images = Maps.of(wiener).images
    np.testing.assert_array_equal(images["MEAN"], wiener.mean)
    np.testing.assert_array_equal(images["STD"], wiener.std)
    np.testing.assert_allclose(images["SNR"] * images["STD"], images["MEAN"], rtol=1e-5)


def test_every_map_has_lost_its_footprint_mean(wiener, ks):
    maps = Maps.of(wiener, ks=ks, save_samples=True)
    inside = maps.images["FOOTPRT"] == 1
    for name in ("MEAN", "KS", "KS_B", "TRUTH"):
        assert abs(maps.images[name][inside].mean(dtype=float)) < 1e-7, name
    assert np.abs(maps.samples[:, inside].mean(1, dtype=float)).max() < 1e-7


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_low_and_high_hold_the_level_of_the_samples(wiener, level):
    maps = Maps.of(wiener, level=level)
    low, high = np.quantile(wiener.samples, [(1 - level) / 2, (1 + level) / 2], axis=0)
    np.testing.assert_allclose(maps.images["LOW"], low, atol=1e-6)
    np.testing.assert_allclose(maps.images["HIGH"], high, atol=1e-6)
    assert maps.facts["level"] == level and maps.facts["calibrated"] is False


def test_a_calibrated_interval_takes_the_quantiles_place(wiener):
    low, high = wiener.mean - 0.1, wiener.mean + 0.2
    facts = {"interval_method": "rcps", "calibration_maps": 100}
    maps = Maps.of(wiener, interval=Interval(low, high, "coverage: enough", facts))
    np.testing.assert_array_equal(maps.images["LOW"], low)
    np.testing.assert_array_equal(maps.images["HIGH"], high)
    assert maps.facts["calibrated"] is True and facts.items() <= maps.facts.items()
    assert maps.facts["promise"] == "coverage: enough"
    assert maps.meaning["LOW"] == "lower end of the interval of kappa; coverage: enough"
    assert "enough" not in Maps.of(wiener).meaning["LOW"]


def test_why_there_is_no_calibrated_interval_is_a_remark(wiener):
    maps = Maps.of(wiener, uncalibrated=["nobody did it"])
    assert maps.facts["calibrated"] is False and "interval_method" not in maps.facts
    assert "not calibrated: nobody did it" in maps.remarks


def test_probability_counts_the_samples_above_the_threshold(wiener):
    image = Maps.of(wiener, threshold=0.01, prob_smoothing=0.0).images["PROB"]
    inside = wiener.field.footprint.numpy()
    share = (wiener.samples > 0.01).float().mean(0).numpy()
    np.testing.assert_allclose(image[inside], share[inside], atol=1e-6)
    assert np.isnan(image[~inside]).all() and not inside.all()


def test_probability_falls_with_the_threshold_and_smoothing_matters(wiener):
    low, high, smoothed = (
        np.nan_to_num(Maps.of(wiener, threshold=t, prob_smoothing=s).images["PROB"])
        for t, s in ((0.0, 0.0), (0.02, 0.0), (0.02, 3.0))
    )
    assert (high <= low).all() and high.sum() < low.sum()
    assert smoothed.sum() < high.sum()


def test_smoothed_maps_are_of_smoothed_samples(wiener):
    maps, soft = Maps.of(wiener, blur=2.0), SmoothedSamples(2.0)
    for name in ("mean", "std", "snr"):
        np.testing.assert_array_equal(
            maps.images[f"{name.upper()}_SM"], getattr(soft, name)(wiener)
        )
    assert maps.facts["blur"] == 2.0
    assert not {"MEAN_SM", "STD_SM", "SNR_SM"} & set(Maps.of(wiener).images)


def test_masks_and_counts_are_whole_numbers(wiener):
    counted = replace(wiener.field, counts=torch.arange(24 * 33).reshape(24, 33).double())
    images = Maps.of(replace(wiener, field=counted)).images
    np.testing.assert_array_equal(images["NGAL"].ravel(), np.arange(24 * 33))
    np.testing.assert_array_equal(images["MASK"], wiener.field.mask)
    np.testing.assert_array_equal(images["FOOTPRT"], wiener.field.footprint)
    assert images["NGAL"].dtype == np.int32 and images["MASK"].dtype == np.uint8
    assert images["FOOTPRT"].sum() == images["MASK"].sum() + 1  # the single hole is filled


def test_what_is_unknown_is_left_out(wiener):
    blind = replace(wiener.field, kappa=None)
    maps = Maps.of(replace(wiener, field=blind))
    assert set(maps.images) == {"MEAN", "STD", "SNR", "LOW", "HIGH", "MASK", "FOOTPRT"}
    assert maps.samples is None and "threshold" not in maps.facts


def test_kaiser_squires_has_propagated_noise_and_no_samples(classical, ks, small_field):
    maps = Maps.of(classical, ks=ks, level=0.6827)
    np.testing.assert_array_equal(maps.images["MEAN"], maps.images["KS"])
    np.testing.assert_array_equal(maps.images["STD"], ks.std(small_field))
    half = (maps.images["HIGH"] - maps.images["LOW"]) / 2
    np.testing.assert_allclose(half, maps.images["STD"], rtol=1e-3)
    assert "PROB" not in maps.images
    assert "no posterior" in maps.meaning["STD"] and maps.facts["ks_smoothing"] == 1.5


def test_one_sample_has_no_spread(wiener):
    one = replace(wiener, moments=type(wiener.moments)().update(wiener.samples[:1]))
    one = replace(one, batches=(wiener.samples[:1],))
    images = Maps.of(one).images
    assert np.isfinite(images["MEAN"]).all()
    assert all(np.isnan(images[name]).all() for name in ("STD", "SNR", "LOW", "HIGH"))


def test_facts_are_the_provenance(wiener):
    noted = replace(wiener.field, notes={"file": "a.fits", "sigma_e": [0.3, 0.3]})
    extra = {**wiener.provenance, "checkpoint": "deep", "digest": "0123456789ab", "x": [1]}
    maps = Maps.of(replace(wiener, field=noted, provenance=extra), outside=[])
    want = {"version": __version__, "method": "wiener", "seed": 3, "n": 12, "batch": 4}
    want |= {"checkpoint": "deep", "digest": "0123456789ab", "in_domain": True, "kept": 12}
    want |= {"zero_point": "footprint mean", "dtype": "float32", "device": "cpu"}
    assert want.items() <= maps.facts.items()
    assert maps.facts["threads"] == torch.get_num_threads()
    assert {"field.file = a.fits", "field.sigma_e = [0.3, 0.3]", "x = [1]"} <= {*maps.remarks}


def test_reasons_outside_the_domain_are_remarks(wiener):
    maps = Maps.of(wiener, outside=["pixels are too large"])
    assert maps.facts["in_domain"] is False
    assert "outside the domain: pixels are too large" in maps.remarks
    assert "in_domain" not in Maps.of(wiener).facts


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"level": 1.0}, "`level` must lie between 0 and 1"),
        ({"threshold": float("nan")}, "`threshold` must be a finite"),
        ({"prob_smoothing": -1.0}, "`prob_smoothing` must be ≥ 0"),
        ({"blur": -1.0}, "`blur` must be ≥ 0"),
    ],
)
def test_a_choice_without_sense_is_refused(wiener, choice, words):
    with pytest.raises(ValueError, match=words):
        Maps.of(wiener, **choice)


def test_samples_of_a_method_without_samples_are_refused(classical, ks):
    for choice in ({"save_samples": True}, {"threshold": 0.1}, {"blur": 1.0}):
        with pytest.raises(ValueError, match="draws no samples"):
            Maps.of(classical, ks=ks, **choice)
    with pytest.raises(ValueError, match="needs `ks`"):
        Maps.of(classical)


def test_a_sparse_map_has_no_uncertainty_however_often_it_is_drawn(small_field):
    from massgan_core.mapping import Sparse
    from massgan_core.posterior import stream
    from massgan_core.survey import cosmos_spectrum

    *_, summary = stream(Sparse(cosmos_spectrum()), small_field, 3, 3)
    maps = Maps.of(summary)
    for name in ("STD", "SNR", "LOW", "HIGH"):
        assert np.isnan(maps.images[name]).all() and "no uncertainty" in maps.meaning[name]
    assert np.isfinite(maps.images["MEAN"]).all() and maps.meaning["MEAN"].startswith("sparse map")
    assert maps.facts["sparse_threshold"] == 3 and "threshold" not in maps.facts
    for choice in ({"threshold": 0.0}, {"save_samples": True}):
        with pytest.raises(ValueError, match="the sparse map draws no samples"):
            Maps.of(summary, **choice)


def test_samples_that_were_not_kept_are_refused(small_field, ks):
    class Constant:
        def sample(self, field, n, generator=None):
            return torch.zeros(n, *field.grid.shape)

    summary = list(stream(Constant(), small_field, 4, 2, keep=0))[-1]
    assert np.isnan(Maps.of(summary).images["LOW"]).all()
    with pytest.raises(ValueError, match="kept no samples"):
        Maps.of(summary, save_samples=True)
