"""``massgan simulate``: a store of κ maps for training, calibration or tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massgan_core.cli.sentence import say

if TYPE_CHECKING:
    from massgan_core.simulating import Outcome, Progress, Watch
    from massgan_core.sky import Sources

_COSMOLOGY = "Default: Planck. A range LOW:HIGH draws one value a box."


def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT.zarr", help="Store to begin or go on with.")],
    n: Annotated[int, typer.Option("--n", metavar="N", help="Maps wanted, those there included.")],
    kind: Annotated[
        str, typer.Option(help="lognormal, nbody or ktng (crops of κTNG files).")
    ] = "lognormal",
    seed: Annotated[int, typer.Option(help="Map i depends on (seed, i) alone.")] = 0,
    side: Annotated[
        int, typer.Option(help="Pixels of a training crop; maps are twice as large.")
    ] = 300,
    pixel_scale: Annotated[float, typer.Option(help="Side of a pixel [arcmin].")] = 0.29,
    nz: Annotated[
        Path | None,
        typer.Option(help="Source redshifts: two columns, redshift and count. Default: COSMOS."),
    ] = None,
    zs: Annotated[float | None, typer.Option(help="All sources at this redshift.")] = None,
    stretch: Annotated[
        str, typer.Option(help="Factors on the source redshifts, in turn: 0.45,0.7,1.")
    ] = "1",
    omega_m: Annotated[
        str | None, typer.Option(metavar="VALUE", help=f"Matter density. {_COSMOLOGY}")
    ] = None,
    sigma8: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Amplitude, a number or a range.")
    ] = None,
    h: Annotated[
        str | None, typer.Option("--h", metavar="VALUE", help="H0/(100 km/s/Mpc), or a range.")
    ] = None,
    n_s: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Spectral index, or a range.")
    ] = None,
    w: Annotated[
        str | None, typer.Option("--w", metavar="VALUE", help="Dark energy, or a range.")
    ] = None,
    per_box: Annotated[
        int | None,
        typer.Option(help="Maps from one box or cosmology.", show_default="100"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="nbody: tiny, small, standard or large.", show_default="small"),
    ] = None,
    planes: Annotated[
        Path | None,
        typer.Option(help="nbody: folder where planes stay. Default: beside OUT, while needed."),
    ] = None,
    root: Annotated[Path | None, typer.Option(help="ktng: folder that holds LP001 ….")] = None,
    boxes: Annotated[
        str | None, typer.Option(help="ktng: numbers LP to take, e.g. 1,2,5-9. Default: all.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="float16 or float32 on disk.")] = "float16",
    workers: Annotated[int, typer.Option(help="Processes on this machine.")] = 1,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="SCHEDULER",
            help="Dask scheduler (tcp://HOST:8786) or scheduler file; its workers must see OUT "
            "at the same path.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
) -> None:
    """Simulate κ maps into a store; the same command resumes, a larger --n extends.

    The maps do not depend on --workers or --dask, nor on interruptions.
    """
    from dataclasses import replace

    from massgan_core import simulating
    from massgan_core.data import MapStore
    from massgan_core.simulate import PLANCK

    given = {"omega_m": omega_m, "sigma8": sigma8, "h": h, "n_s": n_s, "w": w}
    chosen = {k: _range(k, text) for k, text in given.items() if text is not None}
    prior = {k: v for k, v in chosen.items() if isinstance(v, tuple)}
    fixed = {k: v for k, v in chosen.items() if k not in prior}
    settings: dict[str, Any] = {
        "kind": kind,
        "seed": seed,
        "side": side,
        "pixel_scale": pixel_scale,
        "sources": _sources(nz, zs),
        "stretch": _list("--stretch", stretch),
        "cosmology": replace(PLANCK, **fixed) if fixed else None,
        "prior": prior or None,
        "per_box": per_box,
        "preset": preset,
        "planes": planes,
        "root": root,
        "boxes": None if boxes is None else _whole("--boxes", boxes),
        "dtype": dtype,
        "workers": workers,
        "dask": dask,
        "device": device,
    }
    with _bar() as (watch, begun):
        try:
            done = simulating.simulate(out, n=n, watch=watch, **settings)
        except (KeyboardInterrupt, SystemExit):
            if begun:
                there = len(MapStore.open(out).done())
                say(f"{there} of {n} maps are in {out}; the same command goes on.")
            raise
    typer.echo(_report(done, out))


@contextmanager
def _bar() -> Iterator[tuple[Watch, list[bool]]]:
    """What shows progress where somebody watches; the list is filled once the store is there."""
    from tqdm import tqdm

    begun: list[bool] = []
    # disable=None: no bar in a log file or a pipe.
    shape = "{desc} {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left"
    with tqdm(total=1.0, smoothing=0, disable=None, bar_format=shape) as bar:

        def watch(now: Progress) -> None:
            if not begun:
                bar.initial = bar.n = now.share
                begun.append(True)
            boxes = f", {now.boxes} of {now.all_boxes} boxes" if now.all_boxes else ""
            bar.set_description_str(f"{now.maps} of {now.total} maps{boxes}", refresh=False)
            bar.update(now.share - bar.n)

        yield watch, begun


def _report(done: Outcome, out: Path) -> str:
    if not done.written:
        return f"All {done.before} maps are in {out} already."
    height, width = done.store.shape
    what = f"{width} × {height} pixels of {done.store.pixel_scale:.3g}′, {done.store.dtype}"
    before = f"{done.before} were there, " if done.before else ""
    time = f"{done.seconds:.1f} s, {done.written / max(done.seconds, 1e-9):.3g} maps/s"
    maps, boxes = (_count(k, of) for k, of in ((done.written, "map"), (done.boxes, "box")))
    return f"Wrote {maps} from {boxes} to {out} ({before}{what}, {time})."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "es" if what[-1] == "x" else "s")


def _range(name: str, text: str) -> float | tuple[float, float]:
    """`text` as one number, or as two with a colon between."""
    option = f"--{name.replace('_', '-')}"
    try:
        values = tuple(float(part) for part in text.split(":"))
    except ValueError:
        values = ()
    if len(values) not in (1, 2) or not all(map(isfinite, values)):
        raise ValueError(f"{option} must be a number or a range LOW:HIGH, got {text!r}")
    return values[0] if len(values) == 1 else values


def _list(option: str, text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{option} must be numbers with commas between, got {text!r}") from None


def _whole(option: str, text: str) -> list[int]:
    """``1,2,5-9`` as a list."""
    numbers: set[int] = set()
    try:
        for part in text.split(","):
            ends = [int(end) for end in part.split("-")]
            if len(ends) > 2 or ends[0] > ends[-1]:
                raise ValueError
            numbers.update(range(ends[0], ends[-1] + 1))
    except ValueError:
        raise ValueError(f"{option} must be whole numbers like 1,2,5-9, got {text!r}") from None
    return sorted(numbers)


def _sources(nz: Path | None, zs: float | None) -> Sources | None:
    from massgan_core.sky import Sources

    if nz is not None and zs is not None:
        raise ValueError("give --nz or --zs, not both: they both say where the sources are")
    if zs is not None:
        return Sources.plane(zs)
    if nz is None:
        return None
    try:
        return Sources.read(str(nz))
    except UnicodeDecodeError:
        raise ValueError(f"{nz}: n(z) must be a text file of two columns") from None
