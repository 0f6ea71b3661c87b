import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from massgan_core.gan import checkpoints, load
from massgan_core.gan.normalize import Normalizer
from massgan_core.gan.sampler import normalization_card, normalizer_of
from massgan_core.posterior import Sampler, stream
from massgan_core.sky import Draws, PowerSpectrum, Sources, Stopped


def test_streams_like_any_sampler(saved, small_field):
    sampler = load(saved)
    assert isinstance(sampler, Sampler)
    last = list(stream(sampler, small_field, 5, 2, seed=3))[-1]
    assert last.samples.shape == (5, *small_field.grid.shape)
    assert last.std.min() > 0
    again = list(stream(load(saved), small_field, 5, 2, seed=3))[-1]
    assert torch.equal(last.samples, again.samples)


def test_the_set_of_samples_does_not_depend_on_the_batch(saved, small_field):
    sampler = load(saved)
    runs = [list(stream(sampler, small_field, 6, b, seed=1))[-1] for b in (1, 4)]
    rms = ((runs[0].samples - runs[1].samples) ** 2).mean().sqrt()
    assert rms <= 1e-3 * runs[1].std.mean()


def test_large_fields_are_painted_one_by_one_and_end_on_the_way(saved, small_field, monkeypatch):
    sampler = load(saved)
    together = sampler.sample(small_field, 3, 1)
    monkeypatch.setattr("massgan_core.gan.sampler.CALL", 1)
    apart = sampler.sample(small_field, 3, 1)
    assert ((apart - together) ** 2).mean().sqrt() <= 1e-3 * together.std()
    asked, draws = [], Draws(1)
    sampler.stop = lambda: asked.append(1) or len(asked) > 2
    with pytest.raises(Stopped):
        sampler.sample(small_field, 3, draws)
    sampler.stop = None
    assert torch.equal(sampler.sample(small_field, 3, draws), apart)


def check_same_posterior(found, wanted, share):
    """Mean and std maps of two sets of samples, within a `share` of the posterior std."""
    unit = wanted.std(0).square().mean().sqrt()
    for statistic in (lambda x: x.mean(0), lambda x: x.std(0)):
        assert (statistic(found) - statistic(wanted)).square().mean().sqrt() <= share * unit


def test_bf16_gives_the_posterior_of_fp32(small_field):
    """Of the bundled checkpoint: what its decoder does to rounding errors, training decides."""
    plain, half = (load("default", precision=p) for p in ("fp32", "bf16"))
    assert half.provenance["dtype"] == "bfloat16" and plain.provenance["dtype"] == "float32"
    samples = half.sample(small_field, 16, 2)
    assert samples.dtype == torch.float32
    check_same_posterior(samples, plain.sample(small_field, 16, 2), 0.01)
    other = plain.sample(small_field, 16, 3)
    with pytest.raises(AssertionError):
        check_same_posterior(samples, other, 0.01)


COMPILED = """
import sys, torch, massgan_core as mg
field = mg.simulated("lognormal", side=64, mask="none", depth=50, seed=1)
plain, compiled = (mg.load(sys.argv[1], compiled=c).sample(field, 4, 1) for c in (False, True))
assert ((plain - compiled) ** 2).mean().sqrt() <= 1e-3 * plain.std()
"""


@pytest.mark.slow  # half a minute of compiling
def test_a_compiled_decoder_gives_the_same_samples(saved):
    """In a process of its own: the compiler does not understand the checks of shapes."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILED, str(saved)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_shear_outside_the_mask_changes_nothing(saved, small_field):
    gamma = torch.where(small_field.mask, small_field.gamma, 1e6 + 0j)
    poisoned = replace(small_field, gamma=gamma)
    a, b = (load(saved).sample(f, 2, Draws(1)) for f in (small_field, poisoned))
    assert torch.equal(a, b)


def test_fields_do_not_share_what_was_encoded(saved, small_field):
    sampler = load(saved)
    other = replace(small_field, gamma=2 * small_field.gamma)
    first = sampler.sample(small_field, 1, 7)
    assert not torch.equal(sampler.sample(other, 1, 7), first)
    assert torch.equal(sampler.sample(small_field, 1, 7), first)


def test_domain_says_what_is_outside(saved, small_field):
    sampler = load(saved)
    assert sampler.in_domain(small_field) == []
    shallow = replace(small_field, sources=Sources.plane(0.2))
    assert "mean redshift" in sampler.in_domain(shallow)[0]
    quiet = replace(small_field, sigma=small_field.sigma * 1e-3)
    assert "noise" in sampler.in_domain(quiet)[0]


def test_kappa_scales_with_the_sources(saved, small_field):
    """The same γ/σ_κ and σ/σ_κ must give the same κ/σ_κ."""
    sampler = load(saved)
    near, far = Sources.plane(0.5), Sources.plane(1.5)
    one = sampler.sample(replace(small_field, sources=near), 1, 3)
    larger = replace(
        small_field, gamma=4 * small_field.gamma, sigma=4 * small_field.sigma, sources=far
    )
    torch.testing.assert_close(sampler.sample(larger, 1, 3), 4 * one, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", checkpoints() or [None])
def test_bundled_checkpoints_load_and_explain_themselves(name):
    assert name is not None, "no checkpoint is bundled"
    sampler = load(name)
    assert len(sampler.card["trained_on"]) > 40
    assert {"r", "rmse", "spread_skill"} <= set(sampler.card["evaluation"]["gan"])


def test_a_card_rebuilds_the_units_of_the_network():
    one = Normalizer(PowerSpectrum([1.0, 10.0], [2e-9, 1e-9]), 0.5, (0.3, 1.0), (0.01, 0.02), 4)
    card = normalization_card(one)
    again = normalizer_of(card)
    names = ("pixel_scale", "redshifts", "scales", "iterations", "fiducial")
    assert [getattr(again, k) for k in names] == [getattr(one, k) for k in names]
    del card["iterations"]  # as the first checkpoints were written
    assert normalizer_of(card).iterations == 0
