"""Every bundled checkpoint has a card, made from what it and the evaluations hold."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = sorted(
    path
    for path in (ROOT / "massgan_core").glob("*/bundled/*.safetensors")
    if not path.name.endswith(".calibration.safetensors")
)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location(
        "model_card", ROOT / "benchmarks" / "model_card.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in [name for name in sys.modules if name.split(".")[0] == "evaluation"]:
        del sys.modules[name]


@pytest.mark.parametrize("path", BUNDLED, ids=lambda path: path.stem)
def test_its_card_is_of_it(path: Path, script: ModuleType) -> None:
    text = (ROOT / "docs" / "models" / f"{path.stem}.md").read_text()
    assert f"digest `{script.checkpoint.digest(path)[:12]}`" in text
    assert path.stem in (ROOT / "docs" / "models" / "index.md").read_text().split()


@pytest.mark.parametrize("name", ["regression", "score"])
def test_the_script_writes_the_card_that_is_there(
    name: str, script: ModuleType, tmp_path: Path
) -> None:
    (path,) = (path for path in BUNDLED if path.stem == name)
    made = script.write(path, None, None, tmp_path).read_text()
    assert made == (ROOT / "docs" / "models" / f"{name}.md").read_text()
    assert "## Measured" in made or "## On its validation boxes" in made
