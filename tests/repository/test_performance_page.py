"""The tables of docs/performance.md are what its CSV says, and say so of any other."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return runpy.run_path(str(ROOT / "benchmarks" / "performance_page.py"))


def row(part="sampling", figure="speed", value="2", least="", most="", measured="then, there|0.5"):
    return {
        "part": part,
        "figure": figure,
        "value": value,
        "unit": "×",
        "least": least,
        "most": most,
        "measured": measured,
    }


def test_the_page_says_what_was_measured(script):
    text = script["PAGE"].read_text()
    rows = script["read"]()
    assert rows and script["page"](text, rows) == text


def test_another_figure_is_another_page(script):
    """The test above can fail."""
    text, rows = script["PAGE"].read_text(), script["read"]()
    changed = [dict(rows[0], value=str(float(rows[0]["value"]) + 1)), *rows[1:]]
    assert script["page"](text, changed) != text


def test_every_part_of_the_suite_is_on_the_page(script):
    files = (ROOT / "benchmarks" / "performance").glob("bench_*.py")
    parts = {path.stem.removeprefix("bench_") for path in files}
    assert parts | {"gpu"} == set(script["PARTS"])
    assert parts <= {row["part"] for row in script["read"]()}


def test_a_bar_that_is_missed_is_said_to_be_and_counted(script):
    rows = [row(least="3"), row(most="3"), row(least="2"), row()]
    assert [script["reached"](r) for r in rows] == [False, True, True, None]
    text = script["tables"](rows)
    assert text.startswith("2 of 3 bars are reached")
    assert "| speed | 2 × | ≥ 3 | **no** |" in text and text.count("**no**") == 1
    assert "| speed | 2 × |  |  |" in text


def test_a_part_that_is_measured_again_replaces_itself_alone(script):
    old = [row("start", "a"), row("sampling", "b"), row("sampling", "c")]
    new = [row("sampling", "d")]
    assert [r["figure"] for r in script["merged"](old, new)] == ["d", "a"]


def test_a_run_of_the_suite_becomes_rows(script):
    info = {
        "versions": {"torch": "9"},
        "cpu": {"brand_raw": "Chip"},
        "cores": 2,
        "threads": 1,
        "memory": 8e9,
        "python": "3.99",
    }
    figure = {"figure": "speed", "value": 51.0, "unit": "×", "least": 50, "most": None}
    found = {
        "datetime": "2030-01-02T03:04:05",
        "machine_info": info,
        "benchmarks": [
            {
                "fullname": "bench_start.py::bench_x",
                "extra_info": {"figures": [figure], "cores of others": 0.26},
            }
        ],
    }
    (made,) = script["of_suite"](found)
    assert (made["part"], made["value"], made["least"], made["most"]) == ("start", "51", "50", "")
    said = script["tables"]([made])
    assert "2030-01-02, Chip, 1 of 2 cores, 8 GB, Python 3.99, torch 9" in said
    assert "others used 0.3 cores of it at most" in said


def test_of_a_gpu_the_best_batch_of_every_way_is_told(script):
    def way(batch, rate, **more):
        about = {"way": "graph", "dtype": "bf16", "batch": batch, "samples a second": rate}
        return about | more

    found = {
        "device": "Card",
        "torch": "9",
        "sampling": [
            way(8, 10.0, **{"of the roofline": 0.2}),
            way(64, 30.0, **{"of the roofline": 0.6}),
            way(8, 9.0, **{"way": "eager", "of the roofline": 0.55}),
            {"way": "sample", "batch": 8, "samples a second": 1600.0},
        ],
        "training": {"batch": 16, "of the product": 0.1, "of the roofline": 0.2},
    }
    made = {r["figure"]: r for r in script["of_accelerator"](found)}
    assert made["graph bf16, batch 64, 300²: of the roofline"]["value"] == "0.6"
    assert not any("batch 8" in name and "graph" in name for name in made)
    reached = {name: script["reached"](r) for name, r in made.items()}
    assert reached["sample, batch 8, 300²: samples"] is True
    assert reached["eager bf16, batch 8, 300²: of the roofline"] is None
    assert reached["graph bf16, batch 64, 300²: of the roofline"] is True
    assert reached["adversarial step of 16 fields: of the matrix product"] is None
    assert reached["adversarial step of 16 fields: of the roofline"] is False


def test_the_convolutions_of_a_gradient_are_two_more(monkeypatch):
    """FLOP as PyTorch counts them; bytes of input, weights and output, once each."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from torch.utils.flop_counter import FlopCounterMode

    from performance.networks import convolutions

    first, second = torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.Conv2d(8, 4, 3, stride=2)
    image = torch.randn(2, 3, 16, 16)

    def work():
        second(first(image)).square().sum().backward()

    with FlopCounterMode(display=False) as counter:
        work()
    with convolutions() as rows:
        work()
    assert len(rows) == 5  # the image itself asks for no gradient
    assert sum(row.flop for row in rows) == counter.get_total_flops()
    assert rows[0].bytes == 4 * (2 * 3 * 256 + 3 * 8 * 9 + 2 * 8 * 256)
    assert {row.dtype for row in rows} == {torch.float32}


def test_the_method_says_what_the_networks_cost(monkeypatch):
    """GFLOP counted anew, of the networks as they are."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    from performance.networks import counts

    ours, theirs = counts("default"), counts("mmgan-paper")
    text = " ".join((ROOT / "docs" / "explanation" / "method.md").read_text().split())
    assert f"A sample alone costs {ours['lone']:.0f} GFLOP" in text
    assert f"one of 32 of a field {ours['stream']:.0f}, where" in text
    assert f"published generator takes {theirs['stream']:.0f} " in text
