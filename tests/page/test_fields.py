"""A field as the page gets it: everything is there, finite, and what the library says."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch

import massgan_core as mg
from explorer.first_look import SAMPLER
from explorer.store import circles
from page.fields import CHECKED, Choice, packed, script
from page.latents import latents

SIDE = 64


@pytest.fixture(scope="module")
def network():
    return mg.load(SAMPLER.partition(":")[2])


@pytest.fixture(scope="module")
def field():
    """A corner of a simulated sky with a hole and edges of the real survey."""
    return mg.simulated("lognormal", seed=1).crop(20, 30, (SIDE, SIDE))


@pytest.fixture(scope="module")
def made(network, field):
    return script(Choice("lognormal", "A sky", "Words."), field, network, 8)


def test_it_is_plain_json_with_all_that_the_page_asks_for(made, field):
    page, _ = made
    assert json.loads(json.dumps(page, allow_nan=False)) == page
    assert page["maps"].keys() == {"ks", "mean", "std", "truth"}
    assert page["shape"] == [SIDE, SIDE] and page["n"] == page["shown"] == 8
    assert page["clusters"] == [] and page["bar"] == 5
    area = np.unpackbits(np.frombuffer(base64.b64decode(page["area"]), np.uint8))
    np.testing.assert_array_equal(area[: SIDE**2], field.footprint.numpy().ravel())


def unpacked(told) -> np.ndarray:
    kind = {8: np.uint8, 16: np.uint16}[told["bits"]]
    levels = np.frombuffer(base64.b64decode(told["data"]), kind).astype(float)
    return told["low"] + levels * (told["high"] - told["low"]) / np.iinfo(kind).max


def test_its_maps_are_the_library_s(made, network, field):
    page, _ = made
    *_, summary = mg.stream(network, field, 8, 8)
    area = field.footprint
    step = 1e-4 * float(summary.std[area].mean())
    for name, image in (("mean", summary.mean), ("std", summary.std), ("truth", field.truth)):
        told = page["maps"][name]
        atol = max(step, (told["high"] - told["low"]) / 2**16)
        np.testing.assert_allclose(unpacked(told), image[area], atol=atol, rtol=0)
    told = page["samples"]
    samples = unpacked(told).reshape(8, -1)
    coarse = (told["high"] - told["low"]) / 255
    np.testing.assert_allclose(samples, summary.samples[:, area], atol=coarse, rtol=0)


def test_the_check_is_a_sample_of_the_page_s_own_latents(made, network, field):
    page, told = made
    at, kappa = page["check"]["at"], torch.tensor(page["check"]["kappa"])
    assert len(set(at)) == CHECKED and field.footprint.flatten()[at].all()
    padded = told["condition"].shape[-2:]
    white = latents(network.network.latent_shapes(padded), 0, 0)
    again = network.paint(field, [torch.from_numpy(level) for level in white])[0]
    again = (again - again[field.footprint].mean()).flatten()[at]
    torch.testing.assert_close(kappa, again, atol=1e-5, rtol=0)
    assert kappa.std() > 0.005


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_map_without_contrast_is_packed_too(kind):
    told = packed(np.full(5, 0.25), kind)
    assert told["low"] == told["high"] == 0.25
    np.testing.assert_array_equal(unpacked(told), np.full(5, 0.25))


def test_clusters_come_with_the_share_of_samples_that_see_them(network):
    from page.fields import clusters

    part = mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))
    *_, summary = mg.stream(network, part, 4, 4)
    rings = circles(part)
    rows = clusters(rings, summary.samples, part)
    assert [row["name"] for row in rows] == list(rings.name) and len(rows) > 5
    json.dumps(rows, allow_nan=False)
    shares = [row["found"] for row in rows if row["found"] is not None]
    assert shares and all(4 * share == round(4 * share) and 0 <= share <= 1 for share in shares)
