"""Rules from figures to faults: every figure can be one, and a good sampler has none."""

import pytest

from massgan_core.evaluate.faults import FIGURES, Fault, faults, unjudged


def test_what_is_not_repeatable_is_no_leak():
    leaks = {"repeat": 1e-3, "the true κ": 1.1e-3}
    assert [f.name for f in faults({"leaks": leaks})] == ["repeat"]
    leaks["the true κ"] = 0.1
    assert [f.name for f in faults({"leaks": leaks})] == ["repeat", "leak"]


GOOD = {
    "samples": 63,
    "spread_skill": 1.01,
    "spread_skill_2arcmin": 1.05,
    "spread_skill_4arcmin": 0.93,
    "spread_skill_top": 0.96,
    "deciles_unselected": [0.95] * 10,
    "depth_levels": [1.05] * 5,
    "ranks": [1.1, *[1.0] * 14, 1.1],
    "gain": 2.9,
    "coverage": [0.51, 0.91],
    "coverage_levels": [0.5, 0.9],
    "tarp": {"patches": 0.2},
    "slope": 0.98,
    "peak_bias_unselected": 0.03,
    "r_over_exact": 0.98,
    "b_mode_r": 0.01,
    "std_variation": 0.1,
    "std_error_r": 0.11,
    "latent_share": 0.7,
    "closest_pair": 0.8,
    "zero_point": 0.9,
    "zero_point_outside": 0.8,
    "leaks": {"repeat": 0.0, "the true κ": 0.0},
}


def test_the_table_of_a_good_sampler_is_complete():
    assert faults(GOOD) == [] and set(GOOD) == set(FIGURES) and unjudged(GOOD) == []


@pytest.mark.parametrize(
    ("figure", "value", "name", "words"),
    [
        ("spread_skill", 0.9, "spread per pixel", "per pixel is 0.90 (should be 0.96–1.04)"),
        ("spread_skill", 1.2, "spread per pixel", "samples scatter too much"),
        ("spread_skill_2arcmin", 0.5, "spread after 2′ smoothing", "scatter too little"),
        ("spread_skill_4arcmin", 1.5, "spread after 4′ smoothing", "is 1.50"),
        ("spread_skill_top", 0.8, "spread at the top 1 % of MEAN", "is 0.80"),
        ("deciles_unselected", [1.0] * 9 + [0.7], "deciles", "decile 10 of STD with 0.70"),
        (
            "depth_levels",
            [0.7, 1.0, 1.2],
            "depth",
            "outside 0.9–1.1 in 2 of 3, furthest in level 1",
        ),
        ("ranks", [1.6, *[0.92] * 14, 1.6], "ranks", "a valley: too little spread"),
        ("ranks", [0.6, *[1.06] * 14, 0.6], "ranks", "a hill: too much spread"),
        ("ranks", [0.6, *[1.0] * 14, 1.4], "ranks", "a slope: MEAN is biased"),
        ("gain", 1.0, "gain", "gains 1.00 dB (should be 2.94 ± 0.15): samples are too alike"),
        ("coverage", [0.45, 0.9], "coverage", "Intervals of 50% hold the truth in 45.0%"),
        ("coverage", [0.47, 1.0], "coverage", "Intervals of 90% hold the truth in 100.0%"),
        ("tarp", {"patches": 0.001}, "joint samples", "TARP on patches has p = 0.001"),
        ("slope", 0.7, "biased mean", "too strong, or carries errors of its own, and a spread"),
        ("slope", 1.3, "biased mean", "rises by 1.30 per unit of MEAN"),
        ("peak_bias_unselected", 0.2, "biased peaks", "off by +20 ± 0 %"),
        ("r_over_exact", 1.1, "r too high", "more than the data allow"),
        ("r_over_exact", 0.5, "r too low", "is 0.50 of the exact"),
        ("b_mode_r", -0.3, "B mode", "r = -0.30 with the truth"),
        ("std_error_r", 0.0, "misplaced STD", "correlate by 0.00, where so varied"),
        ("latent_share", 0.01, "latents", "only 1.0% of their own std"),
        ("closest_pair", 0.0, "latents", "the sampler repeats itself"),
        ("zero_point", 0.0, "zero point", "copied from the truth"),
        ("zero_point_outside", 0.1, "zero point", "outside the footprint is right to 10%"),
        ("leaks", {"the true κ": 0.5}, "leak", "0.5 times their own rms when the true κ changes"),
        ("leaks", {"repeat": 1e-3}, "repeat", "the same seed must give the same"),
    ],
)
def test_every_figure_can_be_a_fault(figure, value, name, words):
    (fault,) = faults(GOOD | {figure: value})
    assert fault.name == name and words in str(fault)
    assert str(fault).endswith(".") and str(fault).count(". ") == 0


def test_a_constant_std_is_a_fault_where_the_error_is_not():
    assert faults(GOOD | {"std_variation": 0.0}) == []  # the same at all depths
    rising = {"std_variation": 0.004, "depth_levels": [0.92, 1.0, 1.08]}
    (fault,) = faults(GOOD | rising)
    assert "only 0.4%" in str(fault) and "changes by 0.16 with the depth" in str(fault)
    assert faults(GOOD | rising | {"depth_levels_error": [0.04] * 3}) == []
    assert [f.name for f in faults(GOOD | rising | {"depth_levels_error": [0.03] * 3})]
    blind = {k: v for k, v in GOOD.items() if k != "depth_levels"}
    (fault,) = faults(blind | {"std_variation": 0.0})
    assert "only even noise without mask or edge allows" in str(fault)


def test_a_varied_std_must_know_where_errors_are():
    """STD that varies by 30 % and is known exactly should give r = 0.36: half is asked for."""
    table = {"std_variation": 0.3, "std_error_r": 0.2}
    assert faults(table) == []
    (fault,) = faults(table | {"std_error_r": 0.15})
    assert "correlate by 0.15, where so varied an STD should give 0.36" in str(fault)


def test_three_standard_errors_are_forgiven():
    assert faults({"spread_skill": 0.9, "spread_skill_error": 0.021}) == []
    assert len(faults({"spread_skill": 0.9, "spread_skill_error": 0.019})) == 1
    many = {"ranks": [0.8] * 16, "ranks_error": [0.04] * 16}
    assert faults(many) == []
    one_box = {"spread_skill": 0.9, "spread_skill_error": float("nan")}
    assert len(faults(one_box)) == 1  # an unknown error forgives nothing


def test_what_was_not_measured_is_not_judged():
    assert faults({}) == [] and faults({"something_else": 3}) == []
    assert unjudged({}) == list(FIGURES)
    assert faults({"coverage": [0.1, float("nan")], "coverage_levels": [0.1, 0.99]}) == []
    assert faults({"slope": float("nan")})[0].name == "not a number"
    assert str(Fault("name", "Words.")) == "Words."
