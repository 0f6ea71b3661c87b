"""The script that redraws boxes: it keeps a guarantee that holds, and sees one that does not."""

import runpy
from pathlib import Path

import pytest
import torch

from massgan_core.sky import generator

ROOT = Path(__file__).resolve().parents[2]
BOXES = 60


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(ROOT / "benchmarks" / "fresh_boxes.py"))


@pytest.fixture
def risk(script):
    """Risk curves of boxes whose errors differ in size by a tenth."""
    size = 1 + 0.1 * torch.randn(BOXES, 1, generator=generator(3), dtype=torch.float64)
    return torch.erfc(script["FACTORS"] / size / 2**0.5)


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_the_promise_holds_in_as_many_redraws_as_it_says(script, risk, level):
    row = script["_redrawn"](risk, list(range(BOXES)), level, 60, 0)
    assert row["redraws"] == 60 and row["exceeded"] <= row["delta"]
    exact = 2**0.5 * float(torch.erfinv(torch.tensor(level)))
    assert exact < row["median_factor"] < 1.6 * exact


def test_a_factor_without_the_bound_breaks_it(script, risk, monkeypatch):
    """The test above can fail."""

    def hopeful(curve, alpha, *, delta):
        return max(float(f) for f in script["FACTORS"] if float(curve(f[None]).mean()) > alpha)

    monkeypatch.setitem(script["_redrawn"].__globals__, "smallest_factor", hopeful)
    row = script["_redrawn"](risk, list(range(BOXES)), 0.68, 40, 0)
    assert row["exceeded"] > 0.3


def test_curves_are_joined_by_lines(script):
    at = torch.tensor([0.0, 0.55, 1.0, 99.0], dtype=torch.float64)
    got = script["_at"](-script["FACTORS"][None], at)[0]
    assert torch.allclose(-got, at.clamp_max(10.0), atol=1e-12)
