"""Every demo runs from top to bottom, and what it finds is what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

ROUND_THE_HALO = "[float(-(g * np.exp(-2j * np.angle(place))).real[ring == k].mean())"


@pytest.mark.slow
def test_shear_and_mass(run: Callable[..., dict]):
    moved = "centre.data.update(x=[10.0], y=[-8.0]) or redraw() or"
    told = run(
        "01_shear_and_mass",
        {"seed": 4},
        {
            "mean": "mean.tolist()",
            "error": "error.tolist()",
            "true": f"{ROUND_THE_HALO} for k in range(1, len(edges))]",
            "angle": f"({moved} lensed.data['angle'].tolist())",
            "x": "x[:drawn].tolist()",
            "y": "y[:drawn].tolist()",
        },
    )
    mean, error, true = (np.array(told[k]) for k in ("mean", "error", "true"))
    assert mean[0] > 5 * error[0]
    assert (np.abs(mean - true) < 4 * error).all()
    # The halo was dragged: images of round galaxies lie along circles about its new place.
    bearing = np.angle(np.array(told["x"]) - 10 + 1j * (np.array(told["y"]) + 8))
    along = -np.cos(2 * (np.array(told["angle"]) - bearing))
    assert np.median(along) > 0.99


def test_kaiser_squires(run: Callable[..., dict]):
    told = run(
        "02_kaiser_squires",
        {"side": 120},
        {
            "true": "float(quiet_map[area].std())",
            "noise": "float(noise[area].square().mean().sqrt())",
            "e": "float(e[area].std())",
            "b": "float(b[area].std())",
            "lost": "float((quiet_map - e_holes - ks.map(replace(quiet, mask=~mask)))"
            ".abs().max())",
            "harm": "float((quiet_map - e_holes)[mask].abs().max())",
        },
    )
    assert told["b"] == pytest.approx(told["noise"], rel=0.1)
    assert told["e"] ** 2 == pytest.approx(told["noise"] ** 2 + told["true"] ** 2, rel=0.2)
    # What holes do to the map is what the shear within them would have given it.
    assert told["lost"] < 1e-5 and told["harm"] > 0.01


@pytest.mark.slow
def test_priors(run: Callable[..., dict]):
    soft = "blurred(summary.samples).std(0)"
    told = run(
        "03_priors",
        {"samples": 16},
        {
            "gap": "float(gap)",
            "spread": "float(spread)",
            "error": "float(error)",
            "hidden": f"float({soft}[~field.mask].mean())",
            "seen": f"float({soft}[field.mask].mean())",
        },
    )
    # The mean of exact samples is the filter, but for the chance of so few.
    assert told["gap"] == pytest.approx(told["spread"] / 4, rel=0.25)
    assert told["spread"] == pytest.approx(told["error"], rel=0.15)
    assert told["hidden"] > 1.2 * told["seen"]


@pytest.mark.slow
def test_what_a_gan_learns(run: Callable[..., dict]):
    told = run(
        "04_what_a_gan_learns",
        {"frame": 250},
        {
            "std": "{name: points.std(0).tolist() for name, points in drawn.items()}",
            "mean": "{name: points.mean(0).tolist() for name, points in drawn.items()}",
        },
    )
    possible = np.array([0.2**0.5, 1.0])
    assert (np.array(told["std"]["no reward"]) < 0.1 * possible).all()
    np.testing.assert_allclose(told["std"]["with the reward"], possible, rtol=0.2)
    np.testing.assert_allclose(list(told["mean"].values()), [[0.8, 0.0]] * 2, atol=0.25)


@pytest.mark.slow
def test_train_a_network(run: Callable[..., dict]):
    told = run(
        "05_train_a_network",
        {"regression_steps": 6, "adversarial_steps": 4, "tests": 2, "samples": 16},
        {
            "scores": "{name: score.tolist() for name, score in scores.items()}",
            "domain": "network.in_domain(field)",
            "mean": "[float(m[field.footprint].mean()) for m in (summary.mean, field.truth)]",
        },
    )
    (r, ratio), (r_wiener, ratio_wiener) = (
        told["scores"][name] for name in ("this network", "Wiener")
    )
    # It starts from the Wiener filter and from samples of the Gaussian posterior.
    assert r > 0.9 * r_wiener > 0.15
    assert 0.6 < ratio < 1.7 and 0.8 < ratio_wiener < 1.25
    assert told["domain"] == []
    np.testing.assert_allclose(told["mean"], 0, atol=1e-5)


@pytest.mark.slow
def test_samples(run: Callable[..., dict]):
    told = run(
        "06_samples",
        {"samples": 16},
        {
            "error": "[float(rmse(image, field.truth, area)) for image in"
            " (summary.sample(0), seen[4].mean, summary.mean)]",
            "spread": "[float(seen[n].std[area].square().mean().sqrt()) for n in (4, 16)]",
        },
    )
    one, four, all_ = np.array(told["error"]) ** 2
    # What averaging gains: (N + 1)/2N of the error of one sample.
    assert four / one == pytest.approx(5 / 8, rel=0.15)
    assert all_ / one == pytest.approx(17 / 32, rel=0.15)
    assert told["spread"][1] == pytest.approx(told["spread"][0], rel=0.1)


@pytest.mark.slow
def test_honest_error_bars(run: Callable[..., dict]):
    maps, level = 16, 0.9
    told = run(
        "07_honest_error_bars",
        {"maps": maps, "samples": 19, "side": 32},
        {
            "curves": "{k: [s.tolist(), e.tolist()] for k, (s, e) in curves.items()}",
            "levels": "levels.tolist()",
            "held": "{k: [float(h.mean()), float(h.std()) / maps**0.5] for k, h in held.items()}",
            "factor": "factor",
        },
    )
    share, error = np.array(told["curves"]["right prior"])
    assert (np.abs(share - told["levels"]) < 4 * error + 0.01).all()
    assert told["curves"]["wrong prior"][0][-1] < level - 0.1
    for held, spread in told["held"].values():
        assert level - 3 * spread < held < level + 1 / (maps + 1) + 3 * spread
    assert told["factor"]["wrong prior"] > 1.2 * told["factor"]["right prior"] > 1.7


@pytest.mark.slow
def test_cosmos(run: Callable[..., dict]):
    told = run(
        "08_cosmos",
        {"samples": 8},
        {
            "found": "found.tolist()",
            "kappa": "kappa.tolist()",
            "mass": "mass.tolist()",
            "galaxies": "field.notes['galaxies']",
            "chosen": "bool(found[inside.index(chosen)] > 0.5)",
        },
    )
    found, kappa, mass = (np.array(told[k]) for k in ("found", "kappa", "mass"))
    assert told["galaxies"] > 400_000 and told["chosen"]
    assert found.mean() > 3 * 0.05
    assert kappa.mean() > 4 * kappa.std() / len(kappa) ** 0.5
    heavy = mass > np.median(mass)
    assert found[heavy].mean() > found[~heavy].mean()


@pytest.mark.slow
def test_your_survey(run: Callable[..., dict], tmp_path: Path):
    told = run(
        "your_survey",
        {"samples": 8},
        {
            "mean": "summary.mean.tolist()",
            "area": "field.footprint.tolist()",
            "turned": "bool(mg.orientation_check(mg.open_field(catalogue, columns=columns))"
            ".suspicious)",
            "right": "bool(check.suspicious)",
            "place": "[float(place.ra.deg), float(place.dec.deg)]",
            "peak": "[int(i) for i in peak]",
            "galaxies": "[count, field.notes['galaxies']]",
            "calibrated": "interval is not None",
        },
    )
    assert told["turned"] and not told["right"]
    assert told["galaxies"][0] == told["galaxies"][1]
    with fits.open(tmp_path / "my_mass_map.fits") as file:
        mean, header = file["MEAN"].data, file["MEAN"].header
        assert file[0].header["NSAMP"] == 8
        assert file[0].header["CALIB"] == told["calibrated"]
        assert {"STD", "LOW", "HIGH", "KS", "KS_B"} <= {hdu.name for hdu in file}
    np.testing.assert_array_equal(mean, np.array(told["mean"], np.float32))
    inside = np.where(told["area"], mean, -1)
    row, column = np.unravel_index(inside.argmax(), mean.shape)
    assert [row, column] == told["peak"]
    at = WCS(header).pixel_to_world(column, row)
    np.testing.assert_allclose([at.ra.deg, at.dec.deg], told["place"], atol=1e-9)
    assert at.ra.deg == pytest.approx(210, abs=0.65) and at.dec.deg == pytest.approx(52, abs=0.4)
