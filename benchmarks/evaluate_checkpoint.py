"""Measure one checkpoint against everything it must reach, on a store of test maps.

    python benchmarks/evaluate_checkpoint.py CHECKPOINT --data TEST.zarr [--fields 64]
        [--samples 64] [--regression CHECKPOINT] [--redshift-data STORE] [--ktng FOLDER]
        [--only main,depth,redshift,ktng,cosmos,cost] [--out DIR] [--write]

TEST.zarr comes from benchmarks/make_test_maps.py or `massgan simulate`; none of its boxes may
have served training. --redshift-data has maps for sources of mean redshift 0.6, 1.0 and 1.4
(`--stretch 0.426,0.71,1`); by default they are looked for in TEST.zarr.

Prints tables and the list of bars, puts evaluation.json and pictures into DIR/<name>, and with
--write the report into the checkpoint's card. Wiener maps stay in DIR/classical: the second
checkpoint is scored without solving again. Parts measured before, of the same weights, fields and
samples, stay in the report.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import Any

import massgan_core as mg
from massgan_core.data import MapStore
from massgan_core.gan import checkpoint

# The folder beside this file, which is no installed package.
bars, classical, parts = (import_module(f"evaluation.{n}") for n in ("bars", "classical", "parts"))

VERSION = 1  #: of the report; parts of another one are not kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fields", type=int, default=64)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--regression", help="checkpoint of the regression stage")
    parser.add_argument("--redshift-data", type=Path)
    parser.add_argument("--ktng", type=Path, help="folder of the κTNG map")
    parser.add_argument("--only", default=",".join(parts.PARTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("evaluation-out"))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    path = checkpoint.find(given.checkpoint)
    out = given.out / path.stem
    out.mkdir(parents=True, exist_ok=True)
    store = MapStore.open(given.data)
    job = parts.Job(
        sampler=mg.load(path, device=given.device),
        regression=mg.load(given.regression, device=given.device) if given.regression else None,
        store=store,
        redshift_store=MapStore.open(given.redshift_data) if given.redshift_data else store,
        ktng=given.ktng,
        fields=given.fields,
        samples=given.samples,
        seed=given.seed,
        out=out,
        classical=classical.Classical(given.out / "classical"),
    )
    made_of = {
        "version": VERSION,
        "weights": weights_digest(path),
        "data": str(given.data),
        "wanted": [given.fields, given.samples, given.seed],
    }
    report = before(out / "evaluation.json", made_of)
    wanted = given.only.split(",")
    for name in wanted:
        if name not in parts.PARTS:
            raise ValueError(f"--only must be some of {', '.join(parts.PARTS)}, got {name!r}")
    for name in wanted:
        report = rounded(report | parts.PARTS[name](job))
        report["bars"] = bars.as_rows(bars.judge(report))
        (out / "evaluation.json").write_text(json.dumps({"of": made_of, **report}, indent=1))
        (out / "evaluation.md").write_text(text(report) + "\n")
    print(text(report))
    if given.write:
        if "gan" not in report:
            raise ValueError("--write needs the part `main`: leave --only out, or name it there")
        checkpoint.annotate(path, evaluation=report)
        print(f"wrote the evaluation into {path}")


def text(report: dict[str, Any]) -> str:
    """Everything as Markdown."""
    judged = [bars.Bar(**row) for row in report["bars"]]
    return f"{bars.tables(report)}\n\n{bars.list_of_bars(judged)}"


def before(path: Path, made_of: dict[str, Any]) -> dict[str, Any]:
    """What an earlier run measured of the same weights on the same fields."""
    if not path.is_file():
        return {}
    report = json.loads(path.read_text())
    return report if report.pop("of", None) == made_of else {}


def weights_digest(path: Path) -> str:
    """First 12 hex digits of the SHA-256 of the weights alone, whatever the card says."""
    digest = hashlib.sha256()
    for name, weight in sorted(checkpoint.load_weights(path).items()):
        digest.update(name.encode() + weight.numpy().tobytes())
    return digest.hexdigest()[:12]


def rounded(value: Any) -> Any:
    """The same with floats of five digits; what is not finite becomes None."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.5g}") if isfinite(value) else None
    return value


if __name__ == "__main__":
    main()
