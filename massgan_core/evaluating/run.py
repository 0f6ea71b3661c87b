"""An evaluation put together: fields → every method → records → figures → a report.

A record of (method, field) is a small file; a killed run goes on from those that are there, and
workers share nothing else. Memory holds the samples of one field a worker.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from massgan_core import __version__
from massgan_core.calibrating import unused
from massgan_core.data import MapStore
from massgan_core.evaluate.probes import leak_probe
from massgan_core.evaluating import cosmos, methods
from massgan_core.evaluating.fields import TestSet, from_ktng, from_store
from massgan_core.evaluating.figures import finite, ratios, tabulate
from massgan_core.evaluating.measure import Record, measure
from massgan_core.evaluating.methods import Method
from massgan_core.evaluating.scene import Scene, Yardstick
from massgan_core.sky import generator
from massgan_core.wiring import spectrum_of

DEFAULTS = ("ks", "wiener", "sparse", "gan")
VERSION = 1  #: of records; those of another are not read
_LATENT = 110  # key of the random stream behind a seed

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What every worker is told.

    Args:
        specs: Methods, see :func:`massgan_core.evaluating.methods.make`.
        samples: Of a field.
        seed: Of samples and noise.
        batch: Samples drawn at once.
        folder: Of the records.
        device: Of networks and of all figures.
    """

    specs: tuple[str, ...]
    samples: int
    seed: int
    batch: int
    folder: Path
    device: str


class Bench:
    """Methods and yardstick for the fields of one set, made once in every process."""

    def __init__(self, plan: Plan, tests: TestSet) -> None:
        self.plan, self.tests = plan, tests
        self.folder = plan.folder / tests.name
        self.folder.mkdir(parents=True, exist_ok=True)
        first = self.field(0)
        self.power = spectrum_of(first)
        self.yard = Yardstick.of(first, self.power, plan.seed)
        self.methods = [
            methods.make(spec, first, self.power, self.folder, seed=plan.seed, device=plan.device)
            for spec in plan.specs
        ]

    def field(self, index: int):
        """On the device."""
        return self.tests.field(index).to(self.plan.device)

    def path(self, method: Method, index: int) -> Path:
        """Of a record; everything it depends on is in its folder's name."""
        plan = self.plan
        made_of = [VERSION, method.facts, plan.samples, plan.seed, plan.batch, self.tests.facts()]
        digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
        return self.folder / f"{method.name}-{digest}" / f"{self.tests.rows[index]}.safetensors"

    def fill(self, index: int) -> None:
        """Measure whatever is not there yet of field number `index`."""
        wanted = [m for m in self.methods if not self.path(m, index).is_file()]
        if not wanted:
            return
        field = self.field(index)
        if not self.yard.fits(field):
            self.yard = Yardstick.of(field, self.power, self.plan.seed)
        scene, row = Scene.of(field, self.yard), self.tests.rows[index]
        seed = int(generator(self.plan.seed, _LATENT, row).initial_seed())
        for method in wanted:
            record = measure(method, scene, self.plan.samples, seed, self.plan.batch)
            path = self.path(method, index)
            path.parent.mkdir(exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}")
            save_file({k: v.contiguous() for k, v in record.items()}, part)
            os.replace(part, path)

    def records(self, method: Method) -> list[Record]:
        """Of all fields."""
        return [load_file(self.path(method, i)) for i in range(len(self.tests))]


def evaluate(
    data: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    specs: Sequence[str] = DEFAULTS,
    fields: int = 64,
    samples: int = 32,
    depths: Sequence[float] = (),
    also: Sequence[str | os.PathLike[str]] = (),
    ktng: str | os.PathLike[str] | None = None,
    draws: int = 32,
    clusters: bool = True,
    seed: int = 0,
    batch: int = 8,
    workers: int = 1,
    device: str = "cpu",
    watch: Watch = lambda done, total: None,
) -> dict[str, Any]:
    """Measure methods on the same fields; the report, which is written into ``out`` too.

    Args:
        data: Store of test maps.
        out: Folder: ``report.json``, and records from which a killed run goes on.
        specs: Methods: names, or NAME=CHECKPOINT.
        fields: Number of test fields, at most.
        samples: Of each field.
        depths: Further sets of fields at these depths [galaxies/arcmin²].
        also: Further stores, each a set of its own: other cosmologies, other kinds of skies.
        ktng: FITS file of the κTNG map, or its folder.
        draws: Noises of this map.
        clusters: Measure the real COSMOS field too.
        seed: Of everything.
        batch: Samples drawn at once.
        workers: Processes.
        device: Of networks and figures.
        watch: Is told the fields done, and all.

    Raises:
        ValueError: Settings, or maps that cannot serve; nothing was written.
    """
    names = [spec.partition("=")[0] for spec in specs]
    if len(set(names)) < len(names):
        raise ValueError(f"`methods` must have different names, got {', '.join(names)}")
    for name, value in (("fields", fields), ("samples", samples), ("workers", workers)):
        if value < 1 + (name == "samples"):
            raise ValueError(f"`{name}` must be at least {1 + (name == 'samples')}, got {value}")
    store, out = MapStore.open(data), Path(out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"`out` must be a folder, got the file {out}")
    others = [MapStore.open(path) for path in also]
    tests, notes = _sets(store, specs, fields, depths, others, ktng, draws, seed)
    plan = Plan(tuple(specs), samples, seed, batch, out / "records", device)
    report: dict[str, Any] = {
        "version": __version__,
        "settings": {"samples": samples, "seed": seed, "batch": batch, "device": device},
        "notes": notes,
        "sets": {},
    }
    done, total = 0, sum(map(len, tests))
    for one in tests:
        bench = Bench(plan, one)
        for method in bench.methods:
            if isinstance(method.sampler, methods.PooledWiener) and one.depth is None:
                method.sampler.pool(bench.field(0))
        watch(done, total)
        for _ in _filled(bench, workers):
            done += 1
            watch(done, total)
        report["sets"][one.name] = _tables(bench)
    if clusters:
        first = Bench(plan, tests[0]) if len(tests) > 1 else bench
        report["cosmos"] = finite(cosmos.page(first.methods, max(samples, 32), seed))
    part = out / f".report.{os.getpid()}"
    part.write_text(json.dumps(report, indent=1, ensure_ascii=False))
    os.replace(part, out / "report.json")
    return report


def _sets(
    store: MapStore,
    specs: Sequence[str],
    fields: int,
    depths: Sequence[float],
    others: Sequence[MapStore],
    ktng: str | os.PathLike[str] | None,
    draws: int,
    seed: int,
) -> tuple[list[TestSet], list[str]]:
    """Fields from boxes that trained none of the methods, and sentences about that."""
    used, notes = _used(store, specs)
    settings = {"without": used, "seed": seed}
    tests = [from_store(store, fields, **settings)]
    tests += [from_store(store, fields, depth=depth, **settings) for depth in depths]
    for other in others:
        used, more = _used(other, specs)
        name = Path(other.path).stem
        tests.append(from_store(other, fields, without=used, seed=seed, name=name))
        notes += [note for note in more if note not in notes]
    if ktng is not None:
        tests.append(from_ktng(Path(ktng), draws, seed=seed))
    names = [one.name for one in tests]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"`also` must be stores whose names differ from the other sets', got {twice[0]!r} "
            "twice: rename one"
        )
    return tests, notes


def _used(store: MapStore, specs: Sequence[str]) -> tuple[set[int], list[str]]:
    """Boxes that trained one of the methods, and sentences about that."""
    boxes, notes, used = store.rows("box"), [], set()
    for spec in specs:
        card = methods.card_of(spec)
        if card:
            free, note = unused(card, store)
            used |= set(boxes[store.done()].tolist()) - set(boxes[free].tolist())
            notes.append(f"{spec}: {note}")
    return used, notes


def _filled(bench: Bench, workers: int) -> Iterator[int]:
    """Numbers of fields as they get done."""
    every = range(len(bench.tests))
    if workers == 1:
        for index in every:
            bench.fill(index)
            yield index
        return
    threads = max(1, torch.get_num_threads() // workers)
    settings = (bench.plan, bench.tests, threads)
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=settings
    ) as pool:
        jobs = [pool.submit(_fill, index) for index in every]
        try:
            for job in as_completed(jobs):
                yield job.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_bench: Bench | None = None  # of a worker process


def _begin(plan: Plan, tests: TestSet, threads: int) -> None:
    global _bench
    torch.set_num_threads(threads)
    _bench = Bench(plan, tests)


def _fill(index: int) -> int:
    _bench.fill(index)
    return index


def _tables(bench: Bench) -> dict[str, Any]:
    """Figures of all methods on one set."""
    tests, first = bench.tests, bench.field(0)
    found: dict[str, Any] = {
        "title": tests.title,
        "fields": len(tests),
        "boxes": len(set(tests.boxes)),
        "methods": {},
    }
    records = {m.name: bench.records(m) for m in bench.methods}
    for method in bench.methods:
        probe = method.sampler or _AsSampler(method)
        table = tabulate(
            records[method.name],
            tests.boxes,
            samples=bench.plan.samples,
            leaks=leak_probe(probe, first),
            gflop=methods.gflop(method, first),
        )
        if isinstance(method.sampler, methods.PooledWiener):
            table["seconds_of_sample"] = finite(method.sampler.seconds(first))
        if method.calibration is not None:
            table["calibrated_levels"] = list(method.calibration.levels)
            table["calibration"] = method.calibration.method
        domain = getattr(method.sampler, "in_domain", lambda field: [])
        table |= {"title": method.title, "outside_domain": domain(first)}
        table["digest"] = method.facts.get("digest")
        if "wiener" in records and method.name != "wiener":
            table["over_wiener"] = ratios(records[method.name], records["wiener"], tests.boxes)
        found["methods"][method.name] = table
    return found


@dataclass(frozen=True, eq=False)
class _AsSampler:
    """A map without a posterior, for the probe of leaks."""

    method: Method

    def sample(self, field, n, generator=None):
        return self.method.mean(field).expand(n, *field.grid.shape)
