"""Docstrings of public names say what people look up: arguments, shapes, units, errors, source."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from pkgutil import iter_modules, resolve_name
from textwrap import dedent
from typing import NamedTuple

import pytest

import massgan_core

OURS = ("massgan_core", "explorer")
#: Parameters that have a unit, whatever they are of; where they are whole numbers, they count.
DIMENSIONAL = {
    *("angle", "box", "center", "dec", "depth", "extent", "height", "margin", "mass"),
    *("pixel_scale", "place", "places", "position", "ra", "radius", "reach", "size"),
    *("smoothing", "width", "zs"),
}
UNITS = re.compile(r"\[[^\]]*(arcmin|deg|dimensionless|pixels|Msun|Mpc|σ)|arcmin²|redshift|units")
#: An array whose annotation has no shape: the docstring then says one.
BARE = re.compile(r"\b(Tensor|ndarray|ArrayLike)\b")
SHAPED = re.compile(r"\w+\[(?:torch\.)?(?:Tensor|np\.ndarray|ArrayLike), *(['\"]).*?\1\]")
SHAPE = re.compile(r"\[[^\]]*\b([A-Z_n]|\d+)\b[^\]]*\]|\bscalar\b|\bshape\b|\blength N\b")
#: Errors for who writes code, of an abstract method or a lazy name, not for what is given to it.
INWARD = (NotImplementedError, AttributeError, AssertionError, StopIteration)
#: Published formulas and methods, and whom the docstring of the name or its module must credit.
SOURCES = {
    "sky.lensing.ShearOperator": "Kaiser & Squires",
    "sky.lensing.reduced_shear": "Bartelmann & Schneider",
    "mapping.kaiser_squires.KaiserSquires": "Kaiser & Squires",
    "mapping.wiener.Wiener": "Hoffman & Ribak",
    "mapping.sparse.Sparse": "Starck",
    "survey.catalog.Catalog.from_distortion": "Bartelmann & Schneider",
    "survey.orientation.orientation_check": "Schneider",
    "simulate.cosmology.theory_spectrum": "Takahashi",
    "simulate.growth.growth": "Bouchet",
    "simulate.halo.NFW": "Navarro, Frenk & White",
    "simulate.initial.displacements": "Scoccimarro",
    "simulate.kappa_tng.KappaTNG": "Osato",
    "simulate.lognormal.Lognormal": "Coles & Jones",
    "simulate.lognormal.hilbert_shift": "Hilbert",
    "simulate.particle_mesh.ParticleMesh": "Feng",
    "simulate.sharpen.Sharpening": "Dai, Feng & Seljak",
    "simulate.suite.Suite": "Roberts",
    "nn.unet.UNet": "Ronneberger",
    "nn.published.PublishedUNet": "Whitney",
    "gan.losses.deviation_reward": "Bendel",
    "gan.losses.gradient_penalty": "Gulrajani",
    "gan.losses.fair_crps": "Ferro",
    "gan.losses.variance_score": "Patton",
    "gan.moments.moments": "Jeffrey & Wandelt",
    "gan.reward.tuned": "Bendel",
    "score.sampler.ScoreSampler": "Rozet",
    "posterior.running.RunningMoments": "Chan, Golub & LeVeque",
    "peaks.aperture.aperture_mass": "Schneider",
    "evaluate.bootstrap.paired_ratio": "Efron",
    "evaluate.conformal.order_statistic": "Romano",
    "evaluate.convergence.gain_law": "Bendel",
    "evaluate.cross.taper": "Grain",
    "evaluate.metrics.psnr": "Whitney",
    "evaluate.metrics.spread_skill": "Fortin",
    "evaluate.predictive.chi_square": "Gelman",
    "evaluate.ranks.rank_counts": "Talts",
    "evaluate.rcps.smallest_factor": "Bates",
    "evaluate.rcps.upper_bound": "Waudby-Smith & Ramdas",
    "evaluate.similarity.ssim": "Wang",
    "evaluate.tarp.tarp": "Lemos",
}


class Row(NamedTuple):
    """A public callable under the name people import, and all that its docstring says."""

    name: str
    thing: Callable[..., object]
    text: str
    owner: type | None


def ours(thing: object) -> bool:
    return str(getattr(thing, "__module__", "")).split(".")[0] in OURS


def packages() -> list[str]:
    """Those that say which of their names are public."""
    names = list(OURS)
    for root in OURS:
        modules = iter_modules(import_module(root).__path__)
        names += [f"{root}.{module.name}" for module in modules if module.ispkg]
    return [name for name in names if getattr(import_module(name), "__all__", [])]


def public() -> dict[str, object]:
    """Every public name and what it is, once."""
    found: dict[int, tuple[str, object]] = {}
    for package in packages():
        module = import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            if callable(thing) and ours(thing):
                found.setdefault(id(thing), (f"{package}.{name}", thing))
    return dict(found.values())


def written(thing: object) -> str:
    """The docstring that a person wrote: not a dataclass's own, not one of another library."""
    text = vars(thing).get("__doc__") if isinstance(thing, type) else thing.__doc__
    text = inspect.cleandoc(text or "") if ours(thing) else ""
    return "" if text.startswith(f"{getattr(thing, '__name__', '')}(") else text


def with_linked(text: str, thing: object, owner: object = None) -> str:
    """With the docstrings that it hands the reader on to by "as :func:`…`"."""
    parts = [text]
    for name in re.findall(r"\b[Aa]s (?:in |of )?:(?:func|class|meth):`~?([\w.]+)`", text):
        if name.startswith(OURS):
            other = resolve_name(name)
        else:  # of its module, or a method of its class
            home = sys.modules[thing.__module__]
            other = attrgetter(name)(home if hasattr(home, name.split(".")[0]) else owner)
        parts.append(written(getattr(other, "__func__", other)))
    return "\n".join(parts)


def members(owner: type) -> Iterator[tuple[str, object, str]]:
    """Public methods and properties; what fills a promise (a protocol, a base) has its words."""
    promises = [massgan_core.Sampler] if issubclass(owner, massgan_core.Sampler) else []
    bases = [base for base in (*owner.__mro__, *promises) if ours(base)]
    for key in dict.fromkeys(key for base in bases for key in vars(base)):
        found = [vars(base)[key] for base in bases if key in vars(base)]
        parts = [getattr(f, "fget", None) or getattr(f, "__func__", f) for f in found]
        if (not key.startswith("_") or key == "__call__") and inspect.isfunction(parts[0]):
            yield key, parts[0], "\n".join(with_linked(written(p), p, owner) for p in parts)


def rows() -> Iterator[Row]:
    for name, thing in public().items():
        owner = thing if isinstance(thing, type) else None
        yield Row(name, thing, with_linked(written(thing), thing, owner), owner)
        for key, member, text in members(owner) if owner else ():
            yield Row(f"{name}.{key}", member, text, owner)


ROWS = list(rows())


def parameters(thing: Callable[..., object]) -> dict[str, str]:
    """Names and annotations, but for those that every method or widget has."""
    try:
        found = inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return {}
    own = ("self", "cls", "args", "kwargs", "params")
    return {name: str(p.annotation) for name, p in found.items() if name not in own}


def entry(parameter: str, text: str) -> str:
    """What the lists of arguments, its own and those linked, say of one."""
    head = rf"^( *)(?:\w+, )*\**{parameter}(?:, \w+)*:"
    return " ".join(told for _, told in re.findall(rf"{head}(.*(?:\n\1 +.*)*)", text, re.M))


def raised(thing: object, owner: type | None, seen: frozenset[object] = frozenset()) -> set[type]:
    """Errors that its lines raise, or those of its module's functions that it calls."""
    if isinstance(thing, type):
        thing = vars(thing).get("__post_init__") or vars(thing).get("__init__")
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if not inspect.isfunction(thing) or not ours(thing) or thing in seen:
        return set()
    try:
        tree = ast.parse(dedent(inspect.getsource(thing)))
    except OSError:  # a dataclass wrote it
        return set()
    names, found = vars(builtins) | thing.__globals__, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            made = names.get(getattr(node.exc.func, "id", ""))
            if inspect.isfunction(made):  # one that words the error
                made = names.get(str(made.__annotations__.get("return")))
            found |= {made} if isinstance(made, type) and not issubclass(made, INWARD) else set()
        elif isinstance(node, ast.Call) and not _fixed(node):
            method = isinstance(node.func, ast.Attribute)
            name = getattr(node.func, "attr" if method else "id", "")
            called = getattr(owner, name, None) if method else names.get(name)
            called = getattr(called, "__func__", called)
            if not isinstance(called, type) and _home(called) == thing.__module__:
                found |= raised(called, owner, seen | {thing})
    return found


def _fixed(call: ast.Call) -> bool:
    """Given constants alone: whoever calls the caller has no part in what comes of it."""
    return bool(call.args) and all(isinstance(a, ast.Constant) for a in call.args)


def _home(thing: object) -> str:
    return getattr(thing, "__module__", "")


def test_all_packages_and_kinds_of_names_are_seen() -> None:
    names = {row.name for row in ROWS}
    assert len(ROWS) > 300
    assert {
        "massgan_core.Grid",
        "massgan_core.Grid.tan",
        "massgan_core.Grid.extent",
        "massgan_core.Generator.in_domain",
        "massgan_core.evaluate.ssim",
        "massgan_core.evaluating.evaluate",
        "explorer.Explorer.pick",
    } <= names


def test_there_is_one() -> None:
    assert [row.name for row in ROWS if not row.text.strip()] == []


def test_every_parameter_is_explained() -> None:
    """A lone one may be what the sentence is about; others are named."""
    missing = [
        f"{row.name}({parameter})"
        for row in ROWS
        if len(parameters(row.thing)) > 1
        for parameter in parameters(row.thing)
        if f"`{parameter}`" not in row.text and not entry(parameter, row.text)
    ]
    assert missing == []


def test_no_parameter_is_explained_that_is_gone() -> None:
    gone = []
    for name, thing, _, _ in ROWS:
        listed = re.search(r"^Args:\n((?: +.*\n?|\n(?= ))*)", written(thing), re.M)
        told = re.findall(r"^    (\**\w+(?:, \w+)*):", listed[1] if listed else "", re.M)
        have = {*inspect.signature(thing).parameters} if told else set()
        gone += [f"{name}({p})" for p in re.findall(r"\w+", " ".join(told)) if p not in have]
    assert gone == []


def test_errors_are_named() -> None:
    """Under their own name or that of a base."""
    missing = []
    for name, thing, text, owner in ROWS:
        for error in raised(thing, owner):
            known = "|".join(base.__name__ for base in error.__mro__[:-3] or (error,))
            if not re.search(rf"\b({known})\b", text):
                missing.append(f"{name}: {error.__name__}")
    assert missing == []


def test_dimensional_parameters_have_a_unit() -> None:
    missing = []
    for name, thing, text, _ in ROWS:
        for parameter, kind in parameters(thing).items():
            if parameter in DIMENSIONAL and kind != "int":
                if not UNITS.search(entry(parameter, text) or text):
                    missing.append(f"{name}({parameter})")
    assert missing == []


def test_arrays_have_a_shape() -> None:
    missing = []
    for name, thing, text, owner in ROWS:
        kinds = parameters(thing)
        if thing is not owner:
            kinds["return"] = str(thing.__annotations__.get("return", ""))
        for parameter, kind in kinds.items():
            if BARE.search(SHAPED.sub("", kind)):
                told = text.partition("Args:")[0] + entry(parameter, text)
                if not SHAPE.search(told if parameter != "return" else text):
                    missing.append(f"{name}({parameter}): {kind}")
    assert missing == []


@pytest.mark.parametrize("name, author", SOURCES.items())
def test_what_was_published_names_its_source(name: str, author: str) -> None:
    package, module, *path = name.split(".")
    home = thing = import_module(f"massgan_core.{package}.{module}")
    for part in path:
        thing = getattr(thing, part)
    assert author in written(thing) + home.__doc__


def test_public_constants_have_a_comment_for_readers() -> None:
    """`#:` before or behind them is what the documentation shows."""
    missing = []
    for package in packages():
        module = import_module(package)
        text = "\n".join(p.read_text() for p in Path(module.__file__).parent.glob("*.py"))
        for name in module.__all__:
            made = callable(getattr(module, name)) and ours(getattr(module, name))
            if not made and not name.startswith("__"):
                if not re.search(rf"^#: .*\n{name}\b|^{name}\b.* = .*#: ", text, re.M):
                    missing.append(f"{package}.{name}")
    assert missing == []
