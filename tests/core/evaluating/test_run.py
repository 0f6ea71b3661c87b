"""A whole evaluation on small fields: it goes on where it was, and keeps boxes apart."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from massgan_core.data import MapStore
from massgan_core.evaluating import cosmos, evaluate, fields, methods, run
from massgan_core.evaluating.fields import from_store, in_turn
from massgan_core.score.checkpoint import build, save
from massgan_core.sky import Grid, PowerSpectrum, gaussian_field, generator
from massgan_core.survey import cosmos as real_cosmos
from massgan_core.survey import cosmos_sources

SIDE, BOXES, PER_BOX = 32, 4, 2
POWER = PowerSpectrum([10.0, 1e3, 1e4, 1e5], [4e-9, 8e-10, 2e-11, 1e-13])


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Four boxes of two maps with the n(z) of COSMOS."""
    return maps(tmp_path_factory.mktemp("maps") / "maps.zarr")


def maps(path, first=0, sigma8=0.8):
    grid = Grid((2 * SIDE, 2 * SIDE), 1.0)
    sources, rows = cosmos_sources(), np.arange(BOXES * PER_BOX)
    columns = {"omega_m": 0.2, "omega_b": 0.05, "h": 0.7, "sigma8": sigma8, "n_s": 0.96}
    columns |= {"box": rows // PER_BOX, "seed": rows, "sources": 0 * rows}
    table = {"redshift": sources.redshift, "density": sources.density, "sigma_kappa": 0.02}
    store = MapStore.create(
        path,
        columns,
        shape=grid.shape,
        pixel_scale=1.0,
        kind="nbody",
        sources=[table],
        settings={"seed": 5},
    )
    for row in rows.tolist():
        store.write(row, gaussian_field(POWER, grid, generator(first + row)))
    return store


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """A survey of 32² pixels, and a small pool."""
    sigma = torch.full((SIDE, SIDE), 0.1)
    sigma[:, 28:] = torch.inf
    one = replace(
        real_cosmos().crop(100, 100, (SIDE, SIDE)),
        grid=Grid((SIDE, SIDE), 1.0),
        sigma=sigma,
        mask=torch.isfinite(sigma),
        area=torch.isfinite(sigma),
    )
    monkeypatch.setattr(fields, "cosmos", lambda: one)
    monkeypatch.setattr(methods, "POOL", 16)


def ask(store, out, **settings):
    return evaluate(
        store.path, out, **{"specs": ["ks", "wiener"], "samples": 15, "clusters": False} | settings
    )


@pytest.fixture
def report(store, tmp_path):
    return ask(store, tmp_path / "out")


def test_every_method_sees_the_same_fields_of_all_boxes(report, tmp_path):
    one = report["sets"]["test"]
    assert (one["fields"], one["boxes"]) == (BOXES * PER_BOX, BOXES)
    ks, wiener = (one["methods"][name] for name in ("ks", "wiener"))
    assert ks["fields"] == wiener["fields"] == BOXES * PER_BOX
    assert wiener["samples"] == 15 and "samples" not in ks
    assert wiener["r"] > ks["r"] > 0
    assert ks["over_wiener"]["r"][0] == pytest.approx(ks["r"] / wiener["r"], rel=1e-4)
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == report


def test_a_stopped_run_goes_on(store, tmp_path, monkeypatch):
    calls = []

    def counted(*words):
        calls.append(words)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return measure(*words)

    measure = run.measure
    monkeypatch.setattr(run, "measure", counted)
    with pytest.raises(KeyboardInterrupt):
        ask(store, tmp_path / "out")
    assert not (tmp_path / "out" / "report.json").exists()
    told = []
    resumed = ask(store, tmp_path / "out", watch=lambda *counts: told.append(counts))
    assert len(calls) == 6 + 2 * BOXES * PER_BOX - 5
    assert told[0] == (0, 8) and told[-1] == (8, 8)
    again = ask(store, tmp_path / "fresh")
    for name, table in again["sets"]["test"]["methods"].items():
        other = resumed["sets"]["test"]["methods"][name]
        same = {k: v for k, v in table.items() if not k.startswith("seconds")}
        assert same == {k: other[k] for k in same}


def test_other_settings_are_measured_anew(store, tmp_path, monkeypatch):
    ask(store, tmp_path / "out")
    calls = []
    measure = run.measure
    monkeypatch.setattr(run, "measure", lambda *w: calls.append(w) or measure(*w))
    ask(store, tmp_path / "out")
    assert calls == []
    ask(store, tmp_path / "out", seed=1, fields=2)
    assert len(calls) == 2 * 2


def test_pooled_samples_are_the_exact_posterior_s(store, tmp_path):
    tests = from_store(store, 2)
    field = tests.field(0)
    pooled = methods.make("wiener", field, POWER, tmp_path).sampler
    exact = pooled.wiener.sample(field, 64, 1)
    samples = pooled.sample(field, 16, 3)
    assert len(torch.unique(samples[:, 10, 10])) == 16
    inside = field.footprint
    stds = [s.std(0)[inside].mean().item() for s in (samples, exact)]
    assert stds[0] == pytest.approx(stds[1], rel=0.06)
    other = pooled.sample(tests.field(1), 16, 3)
    torch.testing.assert_close(
        samples - samples.mean(0), other - other.mean(0), rtol=1e-3, atol=1e-5
    )


def test_fields_are_taken_in_turn_and_never_from_used_boxes(store):
    assert in_turn([0, 1, 2, 3, 4], [0, 0, 0, 1, 1], 4) == [0, 1, 3, 4]
    tests = from_store(store, 3, without=[1])
    assert set(tests.boxes) == {0, 2, 3}
    with pytest.raises(ValueError, match="simulate others with another --seed"):
        from_store(store, without=range(BOXES))


def test_noise_levels_belong_to_a_learned_prior(store, tmp_path):
    file = tmp_path / "prior.safetensors"
    network = {"widths": [8, 12], "shuffle": 2, "bottleneck": 1, "embedding": 8}
    table = {"ell": POWER.ell.tolist(), "power": POWER.power.tolist(), "pixel_scale": 1.0}
    card = {"network": network, "normalization": table, "domain": {}, "training": {}}
    save(file, build(network).state_dict(), {"name": "one", "trained_on": "nothing"} | card)
    found = ask(store, tmp_path / "out", specs=[f"few={file}@2", f"more={file}@5"], fields=1)
    few, more = (found["sets"]["test"]["methods"][name] for name in ("few", "more"))
    assert (few["title"], more["title"]) == ("score (one, 2 levels)", "score (one, 5 levels)")
    assert methods.make(f"few={file}@2", fields.cosmos(), POWER, tmp_path).linear
    # Other random numbers, hence not the same record.
    assert few["r"] != more["r"]
    with pytest.raises(ValueError, match="@3 belongs to score, 'gan@3' is not"):
        ask(store, tmp_path / "out", specs=["gan@3"])


def test_depth_changes_what_is_observed(store):
    shallow, deep = (from_store(store, 1, depth=d).field(0) for d in (5.0, 100.0))
    assert torch.equal(shallow.kappa, deep.kappa)
    assert shallow.sigma[shallow.mask].mean() > 3 * deep.sigma[deep.mask].mean()


def test_another_store_is_a_set_of_its_own(store, tmp_path):
    other = maps(tmp_path / "richer.zarr", first=100, sigma8=0.9)
    sets = ask(store, tmp_path / "out", specs=["ks"], also=[other.path])["sets"]
    assert list(sets) == ["test", "richer"]
    assert sets["richer"]["title"] == "nbody maps, σ8 0.90, COSMOS mask and noise"
    assert sets["richer"]["fields"] == BOXES * PER_BOX
    assert sets["richer"]["methods"]["ks"]["r"] != sets["test"]["methods"]["ks"]["r"]
    alone = ask(other, tmp_path / "alone", specs=["ks"])["sets"]["test"]["methods"]["ks"]
    assert sets["richer"]["methods"]["ks"]["r"] == alone["r"]


def test_two_sets_of_one_name_are_refused(store, tmp_path):
    other = maps(tmp_path / "test.zarr")
    with pytest.raises(ValueError, match="got 'test' twice: rename one"):
        ask(store, tmp_path / "out", specs=["ks"], also=[other.path])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"specs": ["ks", "ks"]}, "different names"),
        ({"specs": ["magic"]}, "`methods` must be some of ks"),
        ({"samples": 1}, "`samples` must be at least 2"),
        ({"fields": 0}, "`fields` must be at least 1"),
        ({"ktng": "nowhere.fits"}, "`ktng` must be a FITS map"),
    ],
)
def test_bad_settings_are_one_sentence_and_write_nothing(store, tmp_path, settings, words):
    with pytest.raises(ValueError, match=words):
        ask(store, tmp_path / "out", **settings)
    assert not (tmp_path / "out" / "report.json").exists()


def test_clusters_lie_well_inside():
    field = real_cosmos()
    inside, places, which = cosmos.on_clusters(field)
    assert inside[tuple(places.T)].all() and len(which) == len(places) > 30
    turned = cosmos.turned_at_random(field, generator(1))
    torch.testing.assert_close(turned.gamma.abs(), field.gamma.abs())
    assert abs((turned.gamma * field.gamma.conj()).mean()) < 0.05 * field.gamma.abs().mean() ** 2
