"""What `massgan_core` promises as a package: light to import, complete, declared, versioned."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError

import massgan_core
from massgan_core.sky import ShearOperator

ROOT = Path(__file__).resolve().parents[2]
HEAVY = "panel dask pyccl lightning lightning_fabric xarray pandas astropy zarr".split()
#: Import name → distribution name, where they differ; what comes with a declared library.
DISTRIBUTION = {"yaml": "pyyaml", "lightning": "lightning-fabric"}
COMES_WITH = {
    "IPython": "jupyter_bokeh",
    "PIL": "matplotlib",
    "markdown_it": "panel",
    "param": "panel",
    "pyviz_comms": "panel",
    "tornado": "bokeh",
}


def test_importing_the_package_is_light():
    code = "import sys, massgan_core; print('\\n'.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(run.stdout.split())
    assert "massgan_core" in loaded
    assert [name for name in (*HEAVY, "scipy.stats") if name in loaded] == []


def test_every_library_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    declared = {re.match(r"[\w-]+", line)[0].lower().replace("-", "_") for line in lines}
    used = set()
    for folder in ("massgan_core", "explorer", "apps", "page", "tests", "benchmarks"):
        for path in (ROOT / folder).rglob("*.py"):
            nodes = list(ast.walk(ast.parse(path.read_text())))
            used |= {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
            used |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) if not n.level}
    used = {module.split(".")[0] for module in used}
    ours = {"massgan_core", "explorer", "page", "performance", "explorer_many"}
    third = used - set(sys.stdlib_module_names) - ours
    third = {COMES_WITH.get(m, m) for m in third}
    names = {DISTRIBUTION.get(m, m).lower().replace("-", "_") for m in third}
    assert sorted(names - declared) == []


@pytest.mark.parametrize("name", massgan_core.__all__)
def test_every_public_name_resolves(name):
    assert getattr(massgan_core, name) is not None


def test_version_is_the_distribution_s():
    assert version("massgan") == massgan_core.__version__


def test_the_shape_checker_is_on():
    with pytest.raises(TypeCheckError, match="gamma"):
        ShearOperator((4, 4)).adjoint(torch.zeros(4, dtype=torch.complex64))


def test_array_shapes_are_strings():
    """Without its quotes a shape such as "N *S" still parses, and says nothing."""
    bare = []
    for path in (*(ROOT / "massgan_core").rglob("*.py"), *(ROOT / "explorer").rglob("*.py")):
        tree = ast.parse(path.read_text())
        froms = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        kinds = {a.name for n in froms if n.module == "jaxtyping" for a in n.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and getattr(node.value, "id", None) in kinds:
                shape = node.slice.elts[-1] if isinstance(node.slice, ast.Tuple) else node.slice
                if not (isinstance(shape, ast.Constant) and isinstance(shape.value, str)):
                    bare.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert bare == []
