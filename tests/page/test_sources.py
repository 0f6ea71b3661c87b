"""The page's modules against the library: moments, places, colours, files."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save

import massgan_core as mg
from explorer.elements.colors import LEVELS, palette, to_levels
from explorer.elements.sky import plane_columns
from page.fields import packed, text


@pytest.fixture
def maps(np_rng) -> np.ndarray:
    """Seven maps of six pixels, far from zero: a sum of squares would lose their variance."""
    return (1e3 + np_rng.standard_normal((7, 6))).astype(np.float32)


def test_running_moments_are_those_of_the_library(node, maps):
    code = """
    const { Moments, deviation } = await from_page("moments")
    const moments = new Moments(6)
    for (const map of maps.slice(0, 3)) moments.update(map)
    const on = new Moments(6, moments.snapshot())  // as after Stop
    for (const map of maps.slice(3)) on.update(map)
    return [on.n, [...on.mean], [...deviation(on)], moments.n, [...moments.mean]]
    """
    n, mean, std, early, early_mean = node(code, maps=maps.tolist())
    expected = mg.RunningMoments().update(torch.from_numpy(maps))
    assert n == 7 and early == 3
    np.testing.assert_allclose(mean, expected.mean, rtol=1e-12)
    np.testing.assert_allclose(std, expected.std, rtol=1e-6)
    np.testing.assert_allclose(early_mean, maps[:3].astype(float).mean(0), rtol=1e-12)


def test_one_map_has_no_deviation(node):
    code = """
    const { Moments, deviation } = await from_page("moments")
    const moments = new Moments(2)
    moments.update([1, 2])
    return [...deviation(moments)].map(Number.isNaN)
    """
    assert node(code) == [True, True]


def test_places_are_those_of_the_world_coordinates(node):
    grid = mg.cosmos().grid
    field = {
        "bounds": list(grid.bounds),
        "scale": grid.pixel_scale,
        "plane": {name: value for name, [value] in plane_columns(grid).items()},
    }
    code = """
    const { offsets, place, radec } = await from_page("sky")
    const at = offsets(field, 40.5, 10.5)
    return [at, place(field, ...at), radec(field.plane, ...at)]
    """
    at, back, sky = node(code, field=field)
    # Middle of column 40, and of row 10 from the top.
    column, row = 40, grid.shape[0] - 1 - 10
    np.testing.assert_allclose(at, grid.pixel_to_plane(column, row), atol=1e-9)
    np.testing.assert_allclose(back, [40.5, 10.5])
    np.testing.assert_allclose(sky, [float(v) for v in grid.pixel_to_sky(column, row)], atol=1e-7)


def test_the_smallest_circle_round_a_place_is_chosen(node):
    clusters = [
        {"name": "wide", "x": 0, "y": 0, "radius": 5},
        {"name": "small", "x": 2, "y": 0, "radius": 1},
    ]
    code = """
    const { clusterAt } = await from_page("sky")
    return [[2, 0.5], [0, -4], [9, 9]].map(at => clusterAt(clusters, ...at)?.name ?? null)
    """
    assert node(code, clusters=clusters) == ["small", "wide", None]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_maps_are_unpacked_as_they_were_packed(node, np_rng, kind):
    area = np_rng.random((5, 7)) < 0.6
    maps = np_rng.normal(0.01, 0.05, (3, *area.shape)).astype(np.float32)
    told = packed(maps[:, area], kind)
    code = """
    const { decode } = await from_page("field")
    const field = decode("x", {shape: [5, 7], area, maps: {}, samples: told})
    return [[...field.area], field.samples.map(map => [...map])]
    """
    seen, read = node(code, area=text(np.packbits(area.ravel())), told=told)
    assert seen == area.ravel().astype(int).tolist()
    read = np.array(read, float).reshape(maps.shape)
    assert np.isnan(read[:, ~area]).all()
    half_a_step = (told["high"] - told["low"]) / np.iinfo(kind).max / 2
    assert np.abs(read - maps)[:, area].max() <= half_a_step + 2e-8  # of a float32


def test_colours_are_the_explorer_s_with_north_up(node, np_rng):
    area = np_rng.random((4, 6)) < 0.8
    image = np.where(area, np_rng.normal(0, 0.08, area.shape), np.nan).astype(np.float32)
    colors = palette("kappa", "diverging", "light")
    code = """
    const { paint } = await from_page("colors")
    const map = image.map(value => value ?? NaN)
    return [...paint(map, {width: 6, height: 4, area}, [-0.1, 0.1], colors, "#010203")]
    """
    given = [None if np.isnan(v) else float(v) for v in image.ravel()]
    drawn = node(code, image=given, area=area.ravel().astype(int).tolist(), colors=colors)
    drawn = np.array(drawn).reshape(4, 6, 4)[::-1]  # row 0 of a map is the South
    levels = to_levels(image, (-0.1, 0.1))
    wanted = [
        "#010203" if level == 0 else colors[level - 1] for level in levels.astype(int).ravel()
    ]
    assert ["#{:02x}{:02x}{:02x}".format(*pixel[:3]) for pixel in drawn.reshape(-1, 4)] == wanted
    assert len(colors) == LEVELS and (drawn[..., 3] == 255).all()


def test_arrays_are_read_from_safetensors(node, np_rng):
    arrays = {
        "half": np_rng.normal(size=(2, 3)).astype(np.float16),
        "full": np_rng.normal(size=(3, 5)).astype(np.float32),
        "one": np.array([2.5], np.float32),
    }
    code = """
    const { tensors } = await from_page("safetensors")
    class Tensor { constructor(type, data, dims) { Object.assign(this, {type, data, dims}) } }
    const read = tensors(Uint8Array.from(atob(file), c => c.charCodeAt(0)).buffer, Tensor)
    const plain = ({type, data, dims}) => ({type, dims, data: [...data]})
    return Object.fromEntries(Object.entries(read).map(([name, one]) => [name, plain(one)]))
    """
    read = node(code, file=base64.b64encode(save(arrays)).decode())
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        told = read[name]
        kind = {"float16": np.uint16, "float32": np.float32}[told["type"]]
        back = np.array(told["data"], kind).view(array.dtype).reshape(told["dims"])
        np.testing.assert_array_equal(back, array)


def test_a_minus_is_a_minus(node):
    code = 'const { number } = await from_page("colors"); return [number(-0.1, 2), number(1, 1)]'
    assert node(code) == ["−0.10", "1.0"]


WORDS = """
const { words } = await from_page("pointer")
return words(field, x, 0)
"""


def test_a_cluster_is_told_with_what_is_known_of_it(node):
    grid = mg.cosmos().grid
    cluster = {"x": 0, "y": 0, "radius": 2, "name": "A", "redshift": 0.73, "mass": None}
    field = {"plane": {name: value for name, [value] in plane_columns(grid).items()}}
    for found, line in ((0.84375, "In 84\u202f% of the samples"), (None, None)):
        told = node(WORDS, field=field | {"clusters": [cluster | {"found": found}]}, x=1)
        assert told[0] == "A" and told[1] == "redshift 0.73" and told[-1].startswith("RA 150.")
        assert len(told) == (4 if line else 3) and (line is None or told[2].startswith(line))
    (nothing,) = node(WORDS, field=field | {"clusters": [cluster | {"found": 1}]}, x=3)
    assert nothing.startswith("RA 150.") and "Dec +2." in nothing


PROGRESS = """
const { progress } = await from_page("progress")
const parts = {strong: {}, ".quiet": {}, i: {style: {}}}
const node = {dataset: {}, setAttribute() {}, querySelector: name => parts[name]}
progress(node, run, 512)
const words = [parts.strong, parts[".quiet"]].map(part => part.textContent)
return [...words, node.dataset.state, parts.i.style.width]
"""


@pytest.mark.parametrize(
    ("state", "n", "left"),
    [
        ("idle", 0, "Ready: 512 samples were drawn beforehand"),
        ("running", 0, "Drawing the first sample …"),
        ("running", 3, "Drawing: 3 of 12 samples"),
        ("stopped", 3, "Stopped at 3 of 12 samples"),
        ("finished", 12, "Finished: 12 samples"),
        ("failed", 0, "It did not work"),
    ],
)
def test_the_progress_line_says_where_the_run_stands(node, state, n, left):
    run = {"state": state, "n": n, "total": 12, "said": "", "seconds": 0.3 if n else 0}
    told = node(PROGRESS, run=run | {"backend": "wasm" if n else ""})
    speed = "0.30 s a sample, on the processor" if n else ""
    right = {"idle": "Start draws new ones, here"}.get(state, speed)
    assert told == [left, right, state, json.dumps(100 * n / 12).removesuffix(".0") + "%"]
