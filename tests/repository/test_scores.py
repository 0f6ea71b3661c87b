"""The README's figures are those in the checkpoint's card, and good enough to be shown."""

import runpy

from massgan_core.gan import load_card


def test_readme_shows_the_measured_scores(root):
    report = load_card("default")["evaluation"]
    table = runpy.run_path(str(root / "benchmarks" / "score.py"))["table"](report)
    assert table in (root / "README.md").read_text()


def test_the_bundled_checkpoint_is_worth_having():
    """Better than Kaiser–Squires at its best smoothing; a spread of the size of the error."""
    report = load_card("default")["evaluation"]
    gan, ks = report["gan"], report["ks"]
    assert report["fields"] >= 32 and report["samples"] >= 32
    assert gan["r"] > ks["r"] and gan["rmse"] < ks["least_rmse"]
    assert 0.7 < gan["spread_skill"] < 1.3


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
