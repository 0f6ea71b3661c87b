"""Calibration put together: maps of other boxes → samples → λ → a file beside the checkpoint.

Fields stream by one after the other; only their scores stay, in a folder beside the output from
which a killed run goes on.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from massgan_core import __version__
from massgan_core.calibrating.fields import LEAST_MAPS, MOST_PER_BOX, Survey, Views, choose, unused
from massgan_core.calibrating.kept import SPANS, with_kept
from massgan_core.calibrating.parts import Part, SurveyPart, TablePart, coverage
from massgan_core.calibrating.terms import Coverage, Terms, scores_of
from massgan_core.data import Ledger, MapStore
from massgan_core.evaluate.calibration import Calibration
from massgan_core.evaluate.calibration_file import beside, load_calibration, save_calibration
from massgan_core.export.whole import check_place
from massgan_core.gan import checkpoint, load
from massgan_core.gan.trained import Trained
from massgan_core.posterior import stream
from massgan_core.sky import ShearField, generator
from massgan_core.survey import cosmos, cosmos_sources

LEVELS = (0.68, 0.95)  #: of the intervals, by default
FIELDS = ("all", "survey", "other")  #: which fields a calibration can be for
_LATENT = 96  # key of the random stream behind a seed


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a calibration found.

    Args:
        calibration: As written.
        path: Where.
        coverage: On maps held out, by part and level, then the same by σ8.
        notes: Sentences a person should read.
    """

    calibration: Calibration
    path: Path
    coverage: list[Coverage]
    notes: list[str]


def calibrate(
    data: str | os.PathLike[str],
    name_or_file: str | os.PathLike[str] = "default",
    *,
    method: str = "residual",
    levels: Sequence[float] = LEVELS,
    fields: str = "all",
    samples: int = 32,
    maps: int = LEAST_MAPS,
    per_box: int = MOST_PER_BOX,
    held_out: float = 0.2,
    units: str = "maps",
    delta: float = 0.1,
    seed: int = 0,
    batch: int = 8,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    device: torch.device | str = "cpu",
    survey: Survey | None = None,
    watch: Callable[[int, int], None] = lambda done, total: None,
) -> Outcome:
    """Learn the margins of a checkpoint's intervals from maps whose truth is known.

    Args:
        data: Store of κ maps from boxes that took no part in the training.
        name_or_file: Of the checkpoint.
        method: ``residual``, ``cqr`` (both conformal) or ``rcps``; see
            :mod:`massgan_core.evaluate.calibration`.
        levels: Probabilities inside the interval.
        fields: ``survey`` (each pixel of the survey's own grid), ``other`` (a table) or ``all``.
            One part leaves the other of a file that it replaces, where both were asked alike.
        samples: Posterior samples of each field; use the interval with as many or more.
        maps: To calibrate; those held out come on top.
        per_box: Maps of a box, at most.
        held_out: Share of the boxes on which the coverage is measured.
        units: ``maps``: maps count as exchangeable, which shape noise nearly makes them;
            ``boxes``: only boxes do, a guarantee for alike maps too, with wider intervals.
        delta: Probability that the risk is exceeded all the same (``rcps``).
        seed: Of the choice of maps, of noise, masks and latents.
        batch: Samples a network call.
        out: File; by default beside the checkpoint.
        overwrite: Replace it.
        device: Of the network.
        survey: The real survey; COSMOS by default.
        watch: Is told the fields done, and all.

    Raises:
        ValueError: Settings, or maps and boxes too few for a guarantee; nothing was written.
    """
    terms = Terms(method, tuple(sorted(map(float, levels))), units, delta, samples, batch, seed)
    if fields not in FIELDS:
        raise ValueError(f"`fields` must be one of {', '.join(FIELDS)}, got {fields!r}")
    weights = checkpoint.find(name_or_file)
    path = beside(weights) if out is None else Path(out)
    if path.suffix != ".safetensors":
        raise ValueError(f"`out` must end in .safetensors, got {str(path)!r}")
    check_place(path, overwrite=overwrite)
    sampler, store = load(weights, device=device), MapStore.open(data)
    rows, note = unused(sampler.card, store)
    views = views_of(sampler, store, survey, seed)
    obstacle = None if fields == "other" else views.obstacle
    if obstacle and fields == "survey":
        raise ValueError(f"{store.path} cannot calibrate the survey's own grid: {obstacle}")
    ask = {"maps": maps, "per_box": per_box, "held_out": held_out, "seed": seed}
    parts: list[Part] = []
    if fields != "other" and not obstacle:
        parts.append(SurveyPart(views, choose(store, views.deep_enough(rows), **ask), terms))
    if fields != "survey":
        parts.append(TablePart(views, choose(store, rows, **ask), terms))
    for part in parts:
        terms.check_enough(part.chosen)
    about = {"digest": sampler.provenance["digest"], "data": str(store.path.resolve())}
    ledgers = [_ledger(part, path, about) for part in parts]
    _fill(parts, ledgers, sampler, watch)
    pairs = [
        (part, ledger, part.factors(ledger)) for part, ledger in zip(parts, ledgers, strict=True)
    ]
    measured = [c for triple in pairs for c in coverage(*triple, terms.levels)]
    factors = {type(part): found for part, _, found in pairs}
    calibration = _assemble(sampler, parts, factors, measured)
    # Whoever asks for all wants nothing of before, even where one part cannot be made.
    calibration, kept = (calibration, []) if fields == "all" else with_kept(calibration, path)
    save_calibration(path, calibration)
    for ledger in ledgers:
        ledger.remove()
    missing = [f"the survey's own grid is not calibrated: {obstacle}"] if obstacle else []
    return Outcome(calibration, path, measured, [note, *missing, *kept])


def calibration_of(
    name_or_file: str | os.PathLike[str], path: str | os.PathLike[str] | None = None
) -> Calibration | None:
    """The calibration of a checkpoint, or `None` where none lies beside it.

    Args:
        name_or_file: Of the checkpoint.
        path: Of the calibration, where it lies elsewhere.

    Raises:
        ValueError: It is damaged, or was made for another checkpoint.
    """
    weights = checkpoint.find(name_or_file)
    if path is None and not beside(weights).is_file():
        return None
    return load_calibration(path or beside(weights), digest=checkpoint.digest(weights))


def views_of(sampler: Trained, store: MapStore, survey: Survey | None, seed: int) -> Views:
    """Observations such as the checkpoint was trained on."""
    low, high = sampler.card["domain"].get("pixel_scale", (0.0, float("inf")))
    if not low <= store.pixel_scale <= high:
        raise ValueError(
            f"{store.path} has pixels of {store.pixel_scale:g}′, the checkpoint was trained on "
            f"{low:.3g}′ to {high:.3g}′"
        )
    if survey is None:
        real = cosmos()
        survey = Survey(real.sigma, real.footprint, real.grid.pixel_scale, cosmos_sources())
    settings = sampler.card["training"].get("config", {})
    depth = settings.get("data", {}).get("depth", (10.0, 120.0))
    return Views(store, survey, tuple(depth), seed)


def _ledger(part: Part, path: Path, about: dict[str, Any]) -> Ledger:
    """Where the scores of a part are kept until it is done."""
    settings = about | asdict(part.terms) | {"version": __version__}
    settings |= {"rows": part.chosen.rows, "calibrate": part.chosen.calibrate}
    folder = path.with_name(f".{path.name}.{type(part).__name__}.part")
    return Ledger(folder, settings, part.shapes())


def _fill(
    parts: list[Part],
    ledgers: list[Ledger],
    sampler: Trained,
    watch: Callable[[int, int], None],
) -> None:
    """Sample the fields that the ledgers do not hold yet."""
    total = sum(part.looks * len(part.chosen.rows) for part in parts)
    watch(sum(ledger.done for ledger in ledgers), total)
    for part, ledger in zip(parts, ledgers, strict=True):
        fields: list[ShearField] = []
        for index in range(ledger.done, part.looks * len(part.chosen.rows)):
            place, look = divmod(index, part.looks)
            row = part.chosen.rows[place]
            fields = part.fields(row) if look == 0 or not fields else fields
            ledger.put(**_measured(part, fields[look], sampler, (row, look)))
            watch(sum(ledger.done for ledger in ledgers), total)


def _measured(
    part: Part, field: ShearField, sampler: Trained, place: tuple[int, int]
) -> dict[str, Any]:
    """What the ledger keeps of a field."""
    terms = part.terms
    key = int(generator(terms.seed, _LATENT, *place).initial_seed())
    moved, n = field.to(sampler.device), terms.samples
    *_, summary = stream(sampler, moved, n, terms.batch, seed=key, keep=n)
    scale = sampler.normalizer.scale(field)
    scores, before = scores_of(summary, field, terms, scale)
    return {"before": before, **part.record(field, scores, scale, key)}


def _assemble(
    sampler: Trained, parts: list[Part], factors: dict[type, Any], measured: list[Coverage]
) -> Calibration:
    terms, store, normalizer = parts[0].terms, parts[0].views.store, sampler.normalizer
    rows = sorted({row for part in parts for row in part.chosen.rows[: part.chosen.calibrate]})
    spans = {k: store.rows(k)[rows] for k in SPANS}
    behind = {
        part.name: {
            "maps": part.chosen.calibrate,
            "boxes": len(set(part.chosen.boxes[: part.chosen.calibrate])),
            "store_seed": store.settings.get("seed"),
        }
        for part in parts
    }
    return Calibration(
        method=terms.method,
        levels=terms.levels,
        checkpoint=sampler.provenance["checkpoint"],
        digest=sampler.provenance["digest"],
        samples=terms.samples,
        seed=terms.seed,
        maps=min(part.chosen.calibrate for part in parts),
        boxes=len(set(store.rows("box")[rows].tolist())),
        redshifts=tuple(normalizer.redshifts),
        scales=tuple(normalizer.scales),
        home=(cosmos_sources().mean, normalizer.fiducial),
        survey=factors.get(SurveyPart),
        table=factors.get(TablePart),
        facts={
            "delta": terms.delta,
            "units": terms.units,
            "kind": store.kind,
            "store_seed": store.settings.get("seed"),
            "parts": behind,
            "masks": ["the survey's footprint", "round holes and bad columns"],
            "version": __version__,
            "coverage": [asdict(c) for c in measured],
            **{k: [float(v.min()), float(v.max())] for k, v in spans.items()},
        },
    )
