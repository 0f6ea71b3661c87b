"""The folder: pinned, whole or not at all, in the explorer's colours; errors in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import massgan_core as mg
from explorer.elements.colors import palette
from explorer.first_look import SAMPLER
from explorer.widgets.calm import TOKENS
from page import build as builder
from page.fields import BATCH, CHOICES, JUDGED, SHOWN


def test_every_module_is_pinned_with_its_hash(root):
    wanted = json.loads((root / "page" / "package.json").read_text())["dependencies"]
    lock = json.loads((root / "page" / "package-lock.json").read_text())["packages"]
    modules = {name: one for name, one in lock.items() if name}
    assert len(modules) > 10
    assert all(one["integrity"].startswith("sha512-") for one in modules.values())
    for name, version in wanted.items():
        assert version == lock[f"node_modules/{name}"]["version"]
    assert all("resolved" not in one for one in modules.values()), "it names a host"


def test_the_player_s_samples_are_among_those_drawn():
    assert SHOWN <= JUDGED and JUDGED % BATCH == 0
    assert len({choice.name for choice in CHOICES}) == len(CHOICES) == 3


def test_colours_and_words_are_the_explorer_s():
    network = mg.load(SAMPLER.partition(":")[2])
    about = builder.about_page(network, [(4, 8, 8)])
    assert about["palettes"]["spread"]["dark"] == palette("spread", "diverging", "dark")
    assert about["palettes"]["kappa"]["light"] == palette("kappa", "diverging", "light")
    assert about["tokens"] == TOKENS and about["latents"] == [[4, 8, 8]]
    assert set(about["titles"]) == set(about["units"]) >= set(about["empty"])
    json.dumps(about, allow_nan=False)


def nothing(*_: object) -> None:
    """Stands for a step of the build."""


@pytest.fixture
def steps(monkeypatch) -> None:
    """Builds without registry, bundler and networks."""
    monkeypatch.setattr(builder, "install", lambda folder: folder)
    monkeypatch.setattr(builder, "copy_runtime", nothing)
    monkeypatch.setattr(builder, "bundle", nothing)


def test_a_new_page_takes_the_place_of_the_old(steps, monkeypatch, tmp_path):
    out = tmp_path / "page"
    out.mkdir()
    (out / "old").touch()
    monkeypatch.setattr(builder, "write_data", lambda part, *_: (part / "new").touch())
    builder.build(out, 2)
    assert [path.name for path in out.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_a_build_that_fails_leaves_the_old_page(steps, monkeypatch, tmp_path):
    out = tmp_path / "page"
    out.mkdir()
    (out / "old").touch()

    def broken(part: Path, *_: object) -> None:
        (part / "half").touch()
        raise RuntimeError("no")

    monkeypatch.setattr(builder, "write_data", broken)
    with pytest.raises(RuntimeError, match="^no$"):
        builder.build(out, 2)
    assert [path.name for path in out.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["page"]


def test_without_node_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        builder.main(["--out", str(tmp_path / "page"), "--samples", "2"])
    said = str(end.value)
    assert "pip install 'massgan[page]'" in said and said.count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_registry_that_does_not_answer_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("npm_config_registry", "http://localhost:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as end:
        builder.main(["--out", str(tmp_path / "page"), "--samples", "2"])
    said = str(end.value)
    assert said.startswith("npm ci failed: ") and "ECONNREFUSED" in said and said.count("\n") == 0
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize("samples", ["1", "-3"])
def test_too_few_samples_are_refused(samples, capsys, tmp_path):
    with pytest.raises(SystemExit) as end:
        builder.main(["--out", str(tmp_path / "page"), f"--samples={samples}"])
    assert end.value.code == 2 and "--samples must be at least 2" in capsys.readouterr().err
