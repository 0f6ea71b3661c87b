"""``massgan changing-n``: a page and a table on how the mean of N samples gets better with N."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massgan_core.cli.reconstruct import Checkpoint, Steps
from massgan_core.cli.sentence import say

if TYPE_CHECKING:
    from massgan_core.sky import ShearField


def changing_n(
    out: Annotated[
        Path, typer.Option(help="Page to write: .png, .pdf or .svg; the table lies beside it.")
    ],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Shear-field FITS with KAPPA, or simulated skies: lognormal, gaussian, nfw or "
            "nbody, with seeds as in lognormal:7 or lognormal:0-7.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="TEST.zarr", help="Maps to take instead of INPUT, seen by COSMOS."),
    ] = None,
    fields: Annotated[
        int, typer.Option(help="Maps of --data, as evenly over boxes as can be.")
    ] = 8,
    method: Annotated[str, typer.Option(help="gan, wiener or score.")] = "gan",
    checkpoint: Checkpoint = None,
    steps: Steps = None,
    samples: Annotated[int, typer.Option(help="Posterior samples of each field.")] = 64,
    batch: Annotated[int, typer.Option(help="Samples drawn at once.")] = 8,
    seed: Annotated[
        int, typer.Option(help="Sample i of field k, from 0 on, depends on (seed + k, i) alone.")
    ] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files of these names.")
    ] = False,
) -> None:
    """Plot scores of the mean of N samples against N = 1, 2, 4 …, and the mean as it settles.

    PSNR, RMSE, Pearson r and SSIM, with what exact posterior samples would gain, and errors
    from redrawn boxes. The numbers go into a .csv of the page's name.
    """
    from tqdm import tqdm

    from massgan_core import wiring
    from massgan_core.cli.inputs import check_method, warn_outside
    from massgan_core.evaluating.plots.changing_n import changing_n as draw
    from massgan_core.evaluating.plots.growth import Growth, settle
    from massgan_core.evaluating.plots.page import check_page, made_by
    from massgan_core.export.whole import check_place, whole

    # Everything that can be refused is refused before any work.
    check_page(out, overwrite=overwrite)
    table = out.with_suffix(".csv")
    check_place(table, overwrite=overwrite)
    check_method(method, samples, batch)
    at = wiring.pick_device(device)
    if bool(sources) == (data is not None):
        raise ValueError("give INPUT or --data TEST.zarr: fields whose truth is known")
    wiring.check_steps(method, steps)
    made = {"checkpoint": checkpoint, "device": device, "steps": steps}
    network = wiring.trained(method, **made) if method in wiring.NETWORKS else None
    if data is None:
        given = [one for source in sources for one in _given(source)]
    else:
        given = _stored(data, fields, getattr(network, "card", None), seed)
    settled, warned = [], False
    # disable=None: no bar in a log file or a pipe.
    with tqdm(total=len(given) * samples, unit="sample", desc="Sampling", disable=None) as bar:
        for k, one in enumerate(given):
            field = one.make()
            sampler = network
            if network is None or method == "score":  # scaled to the field's n(z)
                sampler = wiring.sampler(method, field, **made)
            if not warned and getattr(sampler, "in_domain", lambda field: [])(field):
                warn_outside(sampler, field, checkpoint)
                warned = True
            found = settle(sampler, field.to(at), samples, batch, seed=seed + k, watch=bar.update)
            settled.append(found)
    number = {box: i for i, box in enumerate(dict.fromkeys(one.box for one in given))}
    growth = Growth.of(settled, [number[one.box] for one in given], seed=seed)
    about = {"sampler": method, **getattr(sampler, "provenance", {}), "seed": seed}
    page = draw(growth, settled[0], made_by=made_by(about))
    with whole(out, overwrite=overwrite) as picture, whole(table, overwrite=overwrite) as numbers:
        page.write(picture, out.suffix[1:])
        growth.write(numbers)
    gain, ideal = growth.found.gain[-1], growth.found.ideal[-1]
    typer.echo(
        f"The mean of {samples} samples gains {gain:.2f} dB in PSNR over one sample, that of "
        f"exact ones {ideal:.2f} dB; spread/skill {growth.spread_skill:.3f}, {len(given)} fields."
    )
    typer.echo(f"Wrote {out} and {table}.")


@dataclass(frozen=True)
class Given:
    """A field with a truth, made when it is its turn.

    Args:
        make: Makes it.
        box: What it may share with others: a simulation box, or itself alone.
    """

    make: Callable[[], ShearField]
    box: str


def _given(source: str) -> list[Given]:
    """The fields that one INPUT names; files are opened here, so that a bad one is told early."""
    from massgan_core import wiring
    from massgan_core.cli.inputs import is_sky, skies
    from massgan_core.survey import open_field

    if is_sky(source):
        return [
            Given(partial(wiring.simulated, kind, seed=seed), f"{kind} {seed}")
            for kind, seed in skies(source)
        ]
    field = open_field(source)
    if field.truth is None:
        raise ValueError(
            f"{source} has no truth to hold the samples against: give a shear-field FITS with "
            "KAPPA, a simulated sky such as lognormal:7, or --data TEST.zarr"
        )
    return [Given(lambda: field, source)]


def _stored(data: Path, n: int, card: dict[str, Any] | None, seed: int) -> list[Given]:
    """Maps of a store under mask and noise of COSMOS, of boxes that trained no network."""
    from massgan_core.calibrating import unused
    from massgan_core.data import MapStore
    from massgan_core.evaluating.fields import from_store

    if n < 1:
        raise ValueError(f"--fields must be at least 1, got {n}")
    store, without = MapStore.open(data), set()
    if card:
        free, note = unused(card, store)
        say(f"Note: {note}.")
        without = set(store.boxes()) - set(store.rows("box")[free].tolist())
    tests = from_store(store, n, without=without, seed=seed)
    return [Given(partial(tests.field, i), f"box {box}") for i, box in enumerate(tests.boxes)]
