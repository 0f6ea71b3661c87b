"""What a calibration of one part leaves of the file it replaces: the other part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from massgan_core.calibrating.parts import SurveyPart, TablePart
from massgan_core.evaluate.calibration import Calibration
from massgan_core.evaluate.calibration_file import load_calibration

NAMES = {"survey": SurveyPart.name, "table": TablePart.name}  #: of the fields of a calibration
SPANS = ("sigma8", "omega_m")  #: facts that are a lowest and a highest value


def with_kept(made: Calibration, path: Path) -> tuple[Calibration, list[str]]:
    """`made` with the part that it lacks, where the file at `path` has one asked for alike.

    Intervals of both parts say the same of themselves, so that a part is kept only if it is of
    the same checkpoint and of the same method, levels, samples and units.

    Args:
        made: About to be written.
        path: Of the file that it replaces; there may be none.

    Returns:
        The calibration to write, and sentences on what became of the other part.
    """
    lacking = [name for name in NAMES if getattr(made, name) is None]
    if not lacking or not path.is_file():
        return made, []
    try:
        former = load_calibration(path)
    except ValueError:
        return made, [f"{path} was damaged: nothing of it was kept"]
    lacking = [name for name in lacking if getattr(former, name) is not None]
    if not lacking:
        return made, []
    words = " and ".join(NAMES[name] for name in lacking)
    asked = _terms(former)
    if differing := [name for name, value in _terms(made).items() if value != asked[name]]:
        return made, [f"the former part for {words} was not kept: its {differing[0]} differs"]
    kept = {NAMES[name] for name in lacking}
    rows = [c for c in former.facts["coverage"] if c["part"] in kept]
    facts = made.facts | {
        "coverage": sorted(rows + made.facts["coverage"], key=_place),
        "parts": made.facts["parts"] | {name: sources(former)[name] for name in kept},
    }
    for name in SPANS:
        both = [*made.facts[name], *former.facts[name]]
        facts[name] = [min(both), max(both)]
    whole = replace(
        made,
        maps=min(made.maps, former.maps),
        boxes=min(made.boxes, former.boxes),
        facts=facts,
        **{name: getattr(former, name) for name in lacking},
    )
    return whole, [f"the part for {words} was kept as it was"]


def sources(calibration: Calibration) -> dict[str, dict[str, Any]]:
    """Maps, boxes and the seed of the store behind each part of a calibration."""
    alike = {"maps": calibration.maps, "boxes": calibration.boxes}
    alike["store_seed"] = calibration.facts.get("store_seed")
    has = [name for key, name in NAMES.items() if getattr(calibration, key) is not None]
    return {name: alike for name in has} | calibration.facts.get("parts", {})


def _terms(calibration: Calibration) -> dict[str, Any]:
    """What two parts of one file have in common."""
    terms: dict[str, Any] = {"checkpoint": calibration.digest, "method": calibration.method}
    terms |= {"set of levels": calibration.levels, "number of samples": calibration.samples}
    return terms | {name: calibration.facts.get(name) for name in ("units", "delta")}


def _place(row: dict[str, Any]) -> int:
    """Parts in their order; within a part rows stay as they are."""
    return list(NAMES.values()).index(row["part"])
