"""Who may import whom (the layers of the design), read from the source with `ast`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import massgan_core

ROOT = Path(__file__).resolve().parents[2]
GROUND = {"sky", "nn"}
WINGS = {"survey", "simulate", "mapping", "data", "gan", "posterior", "peaks", "score"}
ON_POSTERIOR = {"evaluate", "export"}
#: Put together what the wings offer, as the modules at the top do: all but the screen.
WIRING = {"cli", "calibrating", "evaluating"}
#: The one step upwards: a Summary has `to_xarray()`, and xarray is the export wing's business.
UPWARDS = {("massgan_core/posterior/summary.py", "massgan_core.export")}
SCREEN = {"panel", "holoviews", "bokeh", "param", "explorer", "page"}


def imports(source: str) -> list[str]:
    """Every module a source file imports, at any depth of its code, dotted."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.append("." * node.level)
            elif node.module == "massgan_core":
                # A lazy name counts as the part it comes from.
                homes = massgan_core._HOMES
                found += [f"massgan_core.{homes.get(a.name, a.name)}" for a in node.names]
            else:
                found.append(node.module)
    return found


def broken(path: str, modules: list[str]) -> list[str]:
    """The imports among `modules` that the file at `path` may not make."""
    return [
        m
        for m in modules
        if (path, m) not in UPWARDS and not _allowed(Path(path).parts, m.split("."))
    ]


def _allowed(here: tuple[str, ...], module: list[str]) -> bool:
    if module[0] == "":
        return False  # relative: the house uses absolute imports
    if here[0] == "apps":
        return module[0] != "massgan_core"
    if here[0] in ("explorer", "page"):
        return module[:2] != ["massgan_core", "cli"] and (module[0] != "page" or here[0] == "page")
    if module[0] in SCREEN:
        return False
    if module[0] != "massgan_core" or len(here) < 3 or here[1] in WIRING:
        return True
    mine, theirs = here[1], module[1] if len(module) > 1 else ""
    if mine in GROUND:
        return theirs == mine
    floor = GROUND | {mine, "__version__"}
    return theirs in (floor | {"posterior"} if mine in ON_POSTERIOR else floor)


def sources(*folders: str) -> list[str]:
    return sorted(
        str(p.relative_to(ROOT)) for name in folders for p in (ROOT / name).rglob("*.py")
    )


@pytest.mark.parametrize("path", sources("massgan_core", "explorer", "apps", "page"))
def test_file_imports_only_what_its_floor_may(path):
    assert broken(path, imports((ROOT / path).read_text())) == []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("massgan_core/sky/grid.py", "from massgan_core.mapping import Wiener"),
        ("massgan_core/sky/grid.py", "import massgan_core.nn.unet"),
        ("massgan_core/nn/unet.py", "from massgan_core.sky import Grid"),
        ("massgan_core/gan/trainer.py", "def f():\n    from massgan_core.survey import cosmos"),
        ("massgan_core/gan/trainer.py", "from massgan_core import wiring"),
        ("massgan_core/simulate/mock.py", "from massgan_core import posterior"),
        ("massgan_core/simulate/mock.py", "import massgan_core as mg"),
        ("massgan_core/mapping/wiener.py", "from massgan_core import cosmos"),
        ("massgan_core/export/to_fits.py", "from massgan_core.mapping import Wiener"),
        ("massgan_core/posterior/stream.py", "from massgan_core.export import to_fits"),
        ("massgan_core/cli/explore.py", "import explorer"),
        ("massgan_core/wiring.py", "import panel as pn"),
        ("massgan_core/calibrating/run.py", "import panel as pn"),
        ("massgan_core/calibrating/run.py", "from explorer import State"),
        ("massgan_core/evaluate/conformal.py", "from massgan_core.calibrating import calibrate"),
        ("massgan_core/sky/grid.py", "from .fields import ShearField"),
        ("explorer/app.py", "from massgan_core.cli import main"),
        ("apps/explorer.py", "import massgan_core as mg"),
        ("page/build.py", "from massgan_core.cli import main"),
        ("explorer/store.py", "from page.build import build"),
        ("massgan_core/wiring.py", "import page.build"),
    ],
)
def test_a_forbidden_import_is_seen(path, line):
    assert broken(path, imports(line)) != []


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("massgan_core/gan/trainer.py", "from massgan_core.nn import UNet"),
        ("massgan_core/gan/trainer.py", "from massgan_core import Grid, __version__"),
        ("massgan_core/export/to_fits.py", "from massgan_core.posterior import Summary"),
        ("massgan_core/cli/reconstruct.py", "from massgan_core import wiring"),
        ("massgan_core/wiring.py", "from massgan_core.gan import load"),
        ("massgan_core/calibrating/run.py", "from massgan_core.gan import load"),
        ("massgan_core/evaluating/run.py", "from massgan_core.calibrating import unused"),
        ("explorer/store.py", "import massgan_core as mg"),
    ],
)
def test_a_lawful_import_passes(path, line):
    assert broken(path, imports(line)) == []


def test_explorer_computes_no_physics():
    """No Fourier transform, lensing operator or statistic of κ is written in the explorer."""
    physics = re.compile(r"\bi?r?fft2?\b|\b(?:np|torch)\.(?:std|var|quantile)\(|ShearOperator")
    paths = sources("explorer", "apps", "page")
    written = {p: physics.findall((ROOT / p).read_text()) for p in paths}
    assert written, "the explorer has no source files"
    assert {p: found for p, found in written.items() if found} == {}
