"""Hold the bundled calibration, and RCPS, to boxes that took no part in either.

    massgan simulate fresh.zarr --kind nbody --preset small --n 765 --seed 52 --sigma8 0.65:1.0 \
            --omega-m 0.25:0.38 --stretch 0.4,0.7,1 --per-box 9
    python benchmarks/fresh_boxes.py fresh.zarr --per-box 3 --out runs/fresh

1. Coverage: how often the calibrated intervals hold the truth, on the COSMOS grid and on other
   fields, with errors from a bootstrap over boxes, and whether they pass: the s.e. must not exceed
   0.005 either. Boxes are weighted so that their mean cosmology is the middle of the range that
   they were drawn from, which the promise is about (in every draw of the bootstrap anew); what
   they give unweighted stands beside it. Maps need all n(z) that the calibration had: the COSMOS
   grid takes those of its own, other fields take each in turn.
2. RCPS: the boxes are taken for the population. Sets of boxes are redrawn from it with
   replacement; each gives a factor λ, whose mean risk over the population is known. It may exceed
   α in a share δ of the redraws at most.

Fields stream by one after the other; a run that was stopped goes on with the same command. Prints
tables and writes fresh.csv.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from tqdm import tqdm

import massgan_core as mg
from massgan_core.calibrating import calibration_of
from massgan_core.calibrating.fields import LOOKS, skies, unused
from massgan_core.calibrating.kept import sources
from massgan_core.calibrating.run import views_of
from massgan_core.data import Ledger
from massgan_core.evaluate import box_weights
from massgan_core.evaluate.balance import balanced
from massgan_core.evaluate.calibration import calibrated_interval
from massgan_core.evaluate.calibration_file import beside
from massgan_core.evaluate.conformal import missed, residual_score
from massgan_core.evaluate.coverage import is_calibrated
from massgan_core.evaluate.rcps import box_means, fewest_boxes, smallest_factor
from massgan_core.gan.checkpoint import digest, find
from massgan_core.sky import ShearField, generator

FACTORS = torch.cat([torch.zeros(1), torch.logspace(-1, 1, 400)]).double()  #: λ whose risk is kept
PARTS = ("its own grid", "other fields")
DELTA = 0.1
BLOCK = 5  #: boxes whose numbers are kept together
_LATENT, _REDRAW = 61, 62  # keys of the random streams behind a seed


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("store", type=Path, help="maps of boxes of their own")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--out", type=Path, default=Path("runs/fresh"))
    parser.add_argument("--per-box", type=int, default=5)
    parser.add_argument("--samples", type=int, default=32)
    parser.add_argument("--redraws", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of noise, masks, latents, redraws")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--part", choices=PARTS, help="only this one, as when two run at once")
    parser.add_argument("--share", default="0/1", help="I/N: only fill every N-th block, from I")
    given = parser.parse_args()
    share = tuple(int(part) for part in given.share.split("/"))
    found = measure(
        mg.MapStore.open(given.store),
        given.checkpoint,
        given.out,
        per_box=given.per_box,
        samples=given.samples,
        redraws=given.redraws,
        seed=given.seed,
        parts=(given.part,) if given.part else PARTS,
        device=given.device,
        share=share,
    )
    if share[1] > 1:
        return
    for title, rows in found.items():
        if rows:
            _show(title, rows)
    about = {"checkpoint": given.checkpoint}
    rows = [{**about, "table": title, **row} for title, part in found.items() for row in part]
    with (given.out / "fresh.csv").open("w", encoding="utf-8", newline="") as file:
        names = list(dict.fromkeys(name for row in rows for name in row))
        table = csv.DictWriter(file, names, restval="")
        table.writeheader()
        table.writerows(rows)


def measure(
    store: mg.MapStore,
    checkpoint: str,
    out: Path,
    *,
    per_box: int,
    samples: int,
    redraws: int,
    seed: int,
    parts: tuple[str, ...] = PARTS,
    device: str = "cpu",
    share: tuple[int, int] = (0, 1),
) -> dict[str, list[dict]]:
    """Coverage and redraws of one checkpoint."""
    sampler, calibration = mg.load(checkpoint, device=device), calibration_of(checkpoint)
    if calibration is None:
        raise SystemExit(f"{checkpoint} has no calibration")
    behind, seed_of_boxes = sources(calibration), store.settings.get("seed")
    if seed_of_boxes in [behind[part]["store_seed"] for part in parts]:
        raise SystemExit(f"{store.path} is of the run that calibrated {checkpoint}")
    rows, note = unused(sampler.card, store)
    print(note)
    views = views_of(sampler, store, None, seed)
    done = set(store.done())
    every_row = [row for row in rows if row in done]
    coverage, redrawn = [], []
    for part in parts:
        rows = every_row if part == PARTS[1] else views.deep_enough(every_row)
        rows = _first_of_each(store, rows, per_box)
        looks = LOOKS if part == PARTS[1] else 1
        observed = views.otherwise if looks > 1 else views.as_surveyed
        settings = {"digest": calibration.digest, "samples": samples, "seed": seed}
        # Of the same checkpoint there may be another calibration.
        settings["calibration"] = digest(beside(find(checkpoint)))
        found = []
        for number, block in _blocks(store, rows):
            if number % share[1] != share[0]:
                continue
            shapes = {"miss": (looks * len(block), len(calibration.levels))}
            shapes |= {"risk": (looks * len(block), len(FACTORS)), "inside": (looks * len(block),)}
            folder = out / part.replace(" ", "-") / f"{number:03d}"
            ledger = Ledger(folder, settings | {"rows": block}, shapes)
            progress = tqdm(
                total=looks * len(block), initial=ledger.done, desc=f"{part}, {number}"
            )
            fields: list[ShearField] = []  # of the last row
            while ledger.done < looks * len(block):
                place, look = divmod(ledger.done, looks)
                fields = observed(block[place]) if look == 0 or not fields else fields
                field = fields[look]
                key = int(generator(seed, _LATENT, block[place], look).initial_seed())
                moved = field.to(sampler.device)
                *_, summary = mg.stream(sampler, moved, samples, 8, seed=key, keep=samples)
                summary = replace(summary, field=field)
                ledger.put(**_of_field(summary, field, calibration))
                progress.update()
            progress.close()
            found.append({name: ledger[name][:].copy() for name in shapes})
        if share[1] > 1:
            continue
        every = {name: np.concatenate([one[name] for one in found]) for name in found[0]}
        own = np.repeat(store.rows("box")[rows], looks).tolist()
        about = {"part": part, "seed": seed_of_boxes}
        about["factors"] = import_module("coverage_table").fingerprint(calibration, part)
        told = _coverage(every, calibration.levels, own, Skies.of(store, rows))
        coverage += [about | row for row in told]
        if part == PARTS[0]:
            for level in calibration.levels:
                risk = torch.from_numpy(every["risk"])
                redrawn.append(about | _redrawn(risk, own, level, redraws, seed))
    return {"coverage": coverage, "rcps": redrawn}


def _blocks(store: mg.MapStore, rows: list[int]) -> Iterator[tuple[int, list[int]]]:
    """Rows by the block of boxes they belong to: more boxes leave what is done as it is."""
    block = store.rows("box")[rows] // BLOCK
    for number in np.unique(block).tolist():
        yield number, [row for row, of in zip(rows, block.tolist(), strict=True) if of == number]


def _of_field(summary: mg.Summary, field: ShearField, calibration: object) -> dict[str, Tensor]:
    """What the ledger keeps of a field."""
    truth, area = field.truth.float(), field.footprint
    miss = []
    for level in calibration.levels:
        low, high = calibrated_interval(summary, calibration, level)
        miss.append(missed(low, high, truth, area))
    score = residual_score(summary.mean, summary.std, truth)[area].double().sort().values
    inside = torch.searchsorted(score, FACTORS, right=True) / len(score)
    return {
        "miss": torch.stack(miss),
        "risk": 1 - inside,
        "inside": float(not calibration.covers(field, summary.n)),
    }


@dataclass(frozen=True)
class Skies:
    """Cosmologies of boxes, and the mean that they stand for."""

    boxes: list[int]
    properties: np.ndarray
    means: np.ndarray

    @classmethod
    def of(cls, store: mg.MapStore, rows: list[int]) -> Skies:
        boxes, first = np.unique(store.rows("box")[rows], return_index=True)
        return cls(boxes.tolist(), *skies(store, [rows[i] for i in first]))

    def share(
        self, misses: np.ndarray, boxes: list[int], draws: int = 1000
    ) -> tuple[float, float, float, float]:
        """Weighted mean over fields with its std error, then the same unweighted."""
        index = np.searchsorted(self.boxes, boxes)
        total = np.bincount(index, misses, len(self.boxes))
        count = np.bincount(index, minlength=len(self.boxes))
        drawn = box_weights(self.boxes, draws).numpy()
        found = []
        for weigh in (self._weights, np.asarray):
            each = [weigh(times) for times in (np.ones(len(self.boxes)), *drawn)]
            means = np.array([w @ total / (w @ count) for w in each])
            found += [float(means[0]), float(means[1:].std(ddof=1))]
        return tuple(found)

    def _weights(self, times: np.ndarray) -> np.ndarray:
        return times * balanced(self.properties, self.means, times, least=0.0)


def _coverage(
    every: dict[str, np.ndarray],
    levels: tuple[float, ...],
    boxes: list[int],
    skies: Skies,
) -> list[dict]:
    known = every["inside"] > 0
    found, own = [], np.asarray(boxes)[known].tolist()
    for i, level in enumerate(levels):
        miss, error, drawn, drawn_error = skies.share(every["miss"][known, i].astype(float), own)
        found.append(
            {
                "promised": level,
                "covered": 1 - miss,
                "error": error,
                "unweighted": 1 - drawn,
                "unweighted_error": drawn_error,
                "fields": int(known.sum()),
                "in_domain": float(known.mean()),
                "boxes": len(set(own)),
                "passes": bool(is_calibrated(*torch.tensor([1 - miss, error]), level)),
            }
        )
    return found


def _redrawn(risk: Tensor, boxes: list[int], level: float, redraws: int, seed: int) -> dict:
    """How often λ of a redrawn set of boxes leaves more than α outside."""
    of_box, alpha = box_means(risk, boxes), 1 - level
    count, number = len(of_box), max(len(of_box), fewest_boxes(alpha, DELTA))
    truth, worse, factors = of_box.mean(0), 0, []
    for draw in range(redraws):
        chosen = torch.randint(count, (number,), generator=generator(seed, _REDRAW, draw))
        drawn = of_box[chosen]
        try:
            factor = smallest_factor(lambda at, drawn=drawn: _at(drawn, at), alpha, delta=DELTA)
        except ValueError:  # too few boxes to show it: no promise is made
            continue
        factors.append(factor)
        worse += float(_at(truth[None], torch.tensor([factor]).double())) > alpha
    return {
        "promised": level,
        "boxes": number,
        "population": count,
        "redraws": len(factors),
        "exceeded": worse / max(len(factors), 1),
        "delta": DELTA,
        "median_factor": float(np.median(factors)) if factors else float("nan"),
    }


def _at(risk: Tensor, factors: Tensor) -> Tensor:
    """Risk of each box at any factor: the curves that were kept, joined by lines."""
    at = factors.clamp(FACTORS[0], FACTORS[-1])
    right = torch.searchsorted(FACTORS, at).clamp(1, len(FACTORS) - 1)
    share = (at - FACTORS[right - 1]) / (FACTORS[right] - FACTORS[right - 1])
    return risk[:, right - 1] * (1 - share) + risk[:, right] * share


def _first_of_each(store: mg.MapStore, rows: list[int], per_box: int) -> list[int]:
    """At most `per_box` rows of each box."""
    own: dict[int, list[int]] = {}
    for row, box in zip(rows, store.rows("box")[rows].tolist(), strict=True):
        own.setdefault(box, []).append(row)
    return [row for part in own.values() for row in part[:per_box]]


def _show(title: str, rows: list[dict]) -> None:
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console().print(table)


if __name__ == "__main__":
    main()
