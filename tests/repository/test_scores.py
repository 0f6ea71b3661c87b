"""The README's figures are of the bundled checkpoint, and good enough to be shown."""

import runpy

from massgan_core.gan import load_card


def test_the_readmes_table_is_of_the_bundled_network(root):
    """Two evaluations, with noises of their own, of one network on the same skies."""
    report = load_card("default")["evaluation"]
    rows = runpy.run_path(str(root / "benchmarks" / "readme_table.py"))["rows"]()
    (row,) = (row for row in rows if row["method"] == "gan")
    assert abs(float(row["r"]) - report["gan"]["r"]) < 0.003
    assert abs(float(row["rmse"]) / report["gan"]["rmse"] - 1) < 0.003
    assert abs(float(row["spread_skill"]) - report["gan"]["spread_skill"]) < 0.01


def test_the_bundled_checkpoint_is_worth_having():
    """Better than Kaiser–Squires at its best smoothing; a spread of the size of the error."""
    report = load_card("default")["evaluation"]
    gan, ks = report["gan"], report["ks"]
    assert report["fields"] >= 32 and report["samples"] >= 32
    assert gan["r"] > ks["r"] and gan["rmse"] < ks["least_rmse"]
    assert 0.7 < gan["spread_skill"] < 1.3


def test_the_bundled_regression_is_worth_having():
    """A mean better than Kaiser–Squires, a std of the size of its error."""
    import massgan_core as mg
    from massgan_core.evaluate import pearson, spread_skill

    field = mg.simulated(seed=20_002)
    network = mg.sampler("regression", field)
    mean, std = network.moments(field)
    best = mg.KaiserSquires(1.5).map(field)
    area = field.footprint
    assert pearson(mean, field.truth, area) > pearson(best, field.truth, area)
    # A mean and a std are known exactly, as from infinitely many samples.
    ratio = spread_skill(mean, std**2, field.truth, area, 10**6)
    assert 0.6 < ratio < 1.4
    assert {s["seed"] for s in network.card["training"]["stores"]} == {11, 31}


def test_the_bundled_prior_is_worth_having():
    """A posterior mean not below that of the Gaussian prior, a spread of a size with its error."""
    import massgan_core as mg
    from massgan_core.evaluate import limit_of_r, pearson, spread_skill

    field = mg.simulated(mask="none", depth=60.0, side=112, seed=20_004)
    prior = mg.sampler("score", field, steps=6)
    assert prior.in_domain(field) == []
    *_, last = mg.stream(prior, field, 8, 8, seed=1)
    area, truth, var = field.footprint, field.truth, last.std**2
    # What is left of the difference to the mean of all samples is known.
    r = pearson(last.mean, truth, area) * limit_of_r(last.mean, var, area, 8)
    wiener = mg.Wiener(mg.spectrum_of(field)).map(field)
    assert r > 0.98 * pearson(wiener, truth, area)
    assert 0.6 < spread_skill(last.mean, var, truth, area, 8) < 1.4
    assert {s["seed"] for s in prior.card["training"]["stores"]} == {12}


def test_the_documentation_says_what_the_prior_was_measured_to_do(root):
    from massgan_core.score import load_card as card_of

    training = card_of("score")["training"]
    best = training["best"]
    figures = [f"{best[f'ratio_{level}']:.2f}" for level in ("0.05", "0.15", "0.5", "1.5", "5")]
    text = " ".join((root / "docs" / "training.md").read_text().split())
    assert f"is {', '.join(figures[:4])} and {figures[4]} of the Gaussian one's" in text
    assert f"{training['steps']} steps of batch 8" in text
    assert f"({training['minutes']:.0f} minutes" in text


def test_the_card_says_so_of_fields_made_now():
    """A small part of the score again, on skies of yet another seed."""
    import massgan_core as mg
    from massgan_core.evaluate import pearson, rmse, spread_skill

    field = mg.simulated(seed=20_001)
    *_, last = mg.stream(mg.load("default"), field, 16, 8, seed=1)
    scores = [f(last.mean, field.truth, field.footprint) for f in (pearson, rmse)]
    best = [
        f(mg.KaiserSquires(1.5).map(field), field.truth, field.footprint) for f in (pearson, rmse)
    ]
    assert scores[0] > best[0] and scores[1] < best[1]
    ratio = spread_skill(last.mean, last.std**2, field.truth, field.footprint, 16)
    assert 0.6 < ratio < 1.4
    difference = (last.samples[0] - last.samples[1])[field.footprint].std()
    assert difference > 0.5 * last.std[field.footprint].mean()


def test_the_readmes_table_is_of_the_very_checkpoints_that_are_bundled(root):
    from massgan_core.gan.checkpoint import digest, find

    script = runpy.run_path(str(root / "benchmarks" / "readme_table.py"))
    trained = {"gan": "default", "regression": "regression"}
    found = {row["method"]: row["digest"] for row in script["rows"]() if row["digest"]}
    assert found == {method: digest(find(name)) for method, name in trained.items()}
    assert all(int(row["boxes"]) >= 8 and int(row["fields"]) >= 64 for row in script["rows"]())
