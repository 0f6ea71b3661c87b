"""The lists of libraries agree: pyproject.toml, environment.yml and constraints.txt."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
SETS = (
    *("explorer", "train", "storage", "simulate", "plot", "page", "notebook", "cluster"),
    *("test", "docs", "bench"),
)
#: Name on PyPI → name on conda-forge, where they differ.
CONDA = {"torch": "pytorch"}


def names_and_bounds(lines: list[str]) -> dict[str, SpecifierSet]:
    needs = [Requirement(line) for line in lines]
    return {canonicalize_name(need.name): need.specifier for need in needs}


def declared() -> dict[str, SpecifierSet]:
    """Everything `pip install massgan[explorer,train,storage,test]` asks for by name."""
    return names_and_bounds(PROJECT["dependencies"] + sum((EXTRAS[s] for s in SETS), []))


def locked() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_conda_has_the_same_names_and_bounds():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(item["pip"] for item in listed if isinstance(item, dict))
    assert "-e ." in from_pip
    lines = [item for item in listed if isinstance(item, str)]
    conda = names_and_bounds([x for x in lines + from_pip if x not in ("pip", "-e .")])
    python = conda.pop("python")
    wanted = {CONDA.get(name, name): bounds for name, bounds in declared().items()}
    assert conda == {canonicalize_name(name): bounds for name, bounds in wanted.items()}
    installer = runpy.run_path(str(ROOT / ".ci" / "install.py"))
    tested = [minor for minor in range(30) if f"3.{minor}" in python]
    assert (3, tested[0]) == installer["OLDEST"] and (3, tested[-1]) == installer["NEWEST"]
    assert f">=3.{installer['OLDEST'][1]}" == PROJECT["requires-python"]


@pytest.mark.parametrize("name", declared())
def test_every_library_has_both_bounds(name):
    operators = {bound.operator for bound in declared()[name]}
    assert operators == {">=", "<"}


def test_torch_two_point_six_and_up_will_do():
    assert all(declared()["torch"].contains(v) for v in ("2.6.0", "2.13.0", "2.13.0+cpu"))


@pytest.mark.parametrize("name", declared())
def test_the_tested_version_is_locked_and_within_the_bounds(name):
    assert declared()[name].contains(locked()[name])


def test_the_lock_holds_every_library_installed_here_that_is_needed():
    closure = runpy.run_path(str(ROOT / ".ci" / "lock.py"))["closure"]
    needed = set(closure("massgan", frozenset(SETS))) - {"massgan"}
    assert len(needed) > 50
    assert needed - set(locked()) == set()


def test_the_lock_holds_public_versions_only():
    assert len(locked()) > 50
    # furo stands on a library that has seen betas alone
    public = r"\d+(\.\d+)*(b\d+)?(\.post\d+)?"
    odd = {n: v for n, v in locked().items() if not re.fullmatch(public, v)}
    assert odd == {}


def test_development_adds_to_all_the_sets():
    extras = next(r for r in map(Requirement, EXTRAS["dev"]) if r.name == "massgan").extras
    assert extras == set(SETS)
