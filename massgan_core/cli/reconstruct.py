"""``massgan reconstruct``: from a shear field or a catalogue to maps of κ in a file."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isfinite
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from massgan_core.cli import wide
from massgan_core.cli.sentence import say
from massgan_core.cli.speed import Compiled, Precision

if TYPE_CHECKING:
    from massgan_core.evaluate.calibration import Calibration
    from massgan_core.posterior import Sampler, Summary
    from massgan_core.sky import ShearField

#: Samples in memory for quantiles when they are not to be saved (1024 × 300² is 370 MB).
KEEP = 1024

#: Default κ of PROB: three times the rms of a sky with the COSMOS n(z) smoothed by 1′.
THRESHOLD = 0.03

Checkpoint = Annotated[
    str | None,
    typer.Option(
        help="Name or .safetensors file of the method's network.",
        show_default="the bundled one",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        help="Noise levels of a sample of score: more is slower and closer to its prior.",
        show_default="the checkpoint's",
    ),
]
#: Methods whose checkpoints `massgan calibrate` takes.
CALIBRATED = ("gan", "regression")

#: Methods that know no samples of whole maps, hence no PROB either, and why.
SINGLE = {
    "sparse": "draws no samples",
    "ks": "draws no samples",
    "regression": "knows pixels one by one and no samples of whole maps",
}


def reconstruct(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="`cosmos`, a shear-field FITS, or a galaxy catalogue (FITS, CSV, Parquet).",
        ),
    ],
    out: Annotated[Path, typer.Option(help="File to write: .fits, .zarr or .nc.")],
    method: Annotated[
        str,
        typer.Option(
            help="gan, wiener, sparse, ks, regression or score; sparse and ks make one map."
        ),
    ] = "gan",
    checkpoint: Checkpoint = None,
    steps: Steps = None,
    calibration: Annotated[
        Path | None,
        typer.Option(
            help="File of `massgan calibrate`.", show_default="the one beside the checkpoint"
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Probability between LOW and HIGH.")] = 0.95,
    samples: Annotated[int, typer.Option(help="Posterior samples to draw.")] = 64,
    batch: Annotated[int, typer.Option(help="Samples drawn at once.")] = 8,
    seed: Annotated[int, typer.Option(help="Sample i depends on (seed, i) alone.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Precision = "fp32",
    compiled: Compiled = False,
    save_samples: Annotated[
        bool, typer.Option("--save-samples", help="Write the samples themselves too.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(help="PROB is P(smoothed κ > threshold).", show_default="0.03"),
    ] = None,
    prob_smoothing: Annotated[
        float, typer.Option(help="Gaussian std of that smoothing [arcmin].")
    ] = 1.0,
    columns: Annotated[
        str | None,
        typer.Option(help="Catalogue columns: ra=RA,dec=DEC,e1=E1,e2=E2,weight=W."),
    ] = None,
    pixel_scale: Annotated[float | None, typer.Option(help="Side of a pixel [arcmin].")] = None,
    center: Annotated[str | None, typer.Option(help="Centre of the field, RA,DEC [deg].")] = None,
    size: Annotated[
        str | None, typer.Option(help="Side of the field, or WIDTH,HEIGHT [arcmin].")
    ] = None,
    flip_e1: Annotated[bool, typer.Option("--flip-e1", help="Change the sign of e1.")] = False,
    flip_e2: Annotated[bool, typer.Option("--flip-e2", help="Change the sign of e2.")] = False,
    ellipticity: Annotated[
        str, typer.Option(help="What e1, e2 are: shear or distortion.")
    ] = "shear",
    noise: Annotated[str, typer.Option(help="σ per pixel: weighted or published.")] = "weighted",
    nz: Annotated[
        str | None, typer.Option(help="Source redshifts: two columns, redshift and count.")
    ] = None,
    zs: Annotated[float | None, typer.Option(help="All sources at this redshift.")] = None,
    dask: wide.Scheduler = None,
    patch: wide.Patch = None,
    margin: wide.Margin = None,
    healpix: wide.Healpix = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file of that name.")
    ] = False,
) -> None:
    """Maps of κ with their uncertainty, from shear to a file.

    The output holds MEAN, STD, SNR, KS, KS_B, LOW, HIGH, PROB, MASK and FOOTPRT, where known
    NGAL and TRUTH, and SAMPLES if wanted. It appears whole or not at all. ks, sparse and
    regression have no PROB and no SAMPLES; the STD of sparse is NaN.

    LOW and HIGH are calibrated (header CALIB = T) where the checkpoint has a calibration and
    the field lies inside its domain; else they are quantiles of the samples, and it says why.

    With --dask, or where the galaxies lie farther apart than one field can be wide, the sky is
    cut into patches that the workers of a Dask cluster sample; OUT.zarr holds a group for each.
    """
    import massgan_core as mg
    from massgan_core import wiring
    from massgan_core.export import check_output, write

    as_patches = {"patch": patch, "margin": margin, "healpix": healpix}
    scheduler = wide.scheduler_for(source, dask, columns, pixel_scale, center, size, as_patches)
    if scheduler is not None:
        others = {"steps": steps, "calibration": calibration, "center": center, "size": size}
        others |= {"precision": None if precision == "fp32" else precision}
        others |= {"compiled": compiled or None}
        wide.reconstruct_wide(
            source,
            out,
            scheduler,
            refused=others,
            interior=patch,
            margin=margin,
            nside=healpix,
            method=method,
            checkpoint=checkpoint,
            samples=samples,
            batch=batch,
            seed=seed,
            device=device,
            pixel_scale=pixel_scale,
            columns=columns,
            flip_e1=flip_e1,
            flip_e2=flip_e2,
            ellipticity=ellipticity,
            noise=noise,
            nz=nz,
            zs=zs,
            level=level,
            threshold=THRESHOLD if threshold is None else threshold,
            prob_smoothing=prob_smoothing,
            save_samples=save_samples,
            overwrite=overwrite,
        )
        return
    # Everything that can be refused is refused before any work.
    check_output(out, overwrite=overwrite)
    _check(method, wiring.METHODS, samples, batch)
    if method in SINGLE and (save_samples or threshold is not None):
        raise ValueError(
            f"--method {method} {SINGLE[method]}: leave out --save-samples and --threshold"
        )
    if not isfinite(threshold or 0) or not 0 <= prob_smoothing < inf:
        raise ValueError("--threshold must be finite and --prob-smoothing ≥ 0 [arcmin]")
    if not 0 < level < 1:
        raise ValueError(f"--level must lie between 0 and 1, got {level}")
    if calibration is not None and method not in CALIBRATED:
        raise ValueError(
            "--calibration belongs to a trained network: leave it out, or use gan or regression"
        )
    place = None if center is None else _numbers("--center", center, 2)
    sides = None if size is None else _numbers("--size", size)
    at = wiring.pick_device(device)
    network = method in wiring.NETWORKS
    wiring.check_steps(method, steps)
    wiring.check_speed(method, precision, compiled)
    made = {"checkpoint": checkpoint, "device": device, "steps": steps}
    fast = {"precision": precision, "compiled": compiled}
    sampler = wiring.trained(method, **made, **fast) if network else None
    known, why_not = _calibration(method, checkpoint, calibration)

    field = _open(
        source,
        columns=columns,
        pixel_scale=pixel_scale,
        center=place,
        size=sides,
        flip_e1=flip_e1,
        flip_e2=flip_e2,
        ellipticity=ellipticity,
        noise=noise,
        nz=nz,
        zs=zs,
    )
    # A learned prior, too, is scaled to the spectrum of the field's n(z).
    if sampler is None or method == "score":
        sampler = wiring.sampler(method, field, **made)
    outside = _outside(sampler, field, checkpoint)
    samples, batch = (1, 1) if method in wiring.MAPS else (samples, batch)
    started = perf_counter()
    keep = samples if save_samples else KEEP
    summary = draw(sampler, field.to(at), samples, batch, seed=seed, keep=keep)
    # Samples arrive on the CPU: what is made of them needs the field there too.
    made_on = {"device": str(at), **summary.provenance}
    summary = replace(summary, field=field, provenance=made_on)
    typer.echo(_report(method, summary, perf_counter() - started))
    interval, reasons = None, why_not
    if known is not None:
        from massgan_core.calibrating import guaranteed

        interval, reasons = guaranteed(summary, known, level, outside or [])
    if interval is not None:
        typer.echo(f"LOW and HIGH: {interval.promise}.")
    elif network:
        typer.echo(f"LOW and HIGH are not calibrated: {'; '.join(reasons)}.")
    likely = THRESHOLD if threshold is None else threshold
    write(
        summary,
        out,
        overwrite=overwrite,
        ks=sampler if method == "ks" else mg.KaiserSquires(),
        level=level,
        interval=interval,
        uncalibrated=reasons,
        threshold=None if method in SINGLE else likely,
        prob_smoothing=prob_smoothing,
        outside=outside,
        save_samples=save_samples,
    )
    typer.echo(f"Wrote {out}.")


def draw(
    sampler: Sampler, field: ShearField, samples: int, batch: int, *, seed: int, keep: int
) -> Summary:
    """The last summary of a stream, with a progress bar where somebody watches."""
    import torch
    from tqdm import tqdm

    from massgan_core.posterior import stream

    # disable=None: no bar in a log file or a pipe.
    with tqdm(total=samples, unit="sample", desc="Sampling", disable=None) as bar:
        seen = 0
        try:
            for summary in stream(sampler, field, samples, batch, seed=seed, keep=keep):
                bar.update(summary.n - seen)
                seen = summary.n
        except torch.OutOfMemoryError:
            raise ValueError(
                f"--batch {batch} does not fit into the memory of {field.device}; "
                "try a smaller one"
            ) from None
    return summary


def _calibration(
    method: str, checkpoint: str | None, path: Path | None
) -> tuple[Calibration | None, list[str]]:
    """The calibration of the method, or why there is none; a file asked for must serve."""
    if method not in CALIBRATED:
        return None, [f"{method} has no calibration, gan and regression checkpoints have"]
    from massgan_core.calibrating import calibration_of
    from massgan_core.wiring import BUNDLED

    checkpoint = checkpoint or BUNDLED[method]
    try:
        found = calibration_of(checkpoint, path)
    except ValueError as error:
        if path is not None:
            raise
        say(f"Warning: {error}.")
        return None, [str(error)]
    missing = f"checkpoint {checkpoint!r} has no calibration (massgan calibrate makes one)"
    return found, [] if found is not None else [missing]


def _check(method: str, methods: tuple[str, ...], samples: int, batch: int) -> None:
    if method not in methods:
        raise ValueError(f"--method must be one of {', '.join(methods)}, got {method!r}")
    for name, value in (("--samples", samples), ("--batch", batch)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")


def _numbers(option: str, text: str, count: int | None = None) -> float | tuple[float, float]:
    """`text` as one number or as two with a comma between."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not all(map(isfinite, values)) or len(values) not in (
        (1, 2) if count is None else (count,)
    ):
        want = "two numbers" if count else "one number or two"
        raise ValueError(f"{option} must be {want} with a comma between, got {text!r}")
    return values[0] if len(values) == 1 else values


def _open(source: str, **choices: Any) -> ShearField:
    """The field, and what its orientation looks like."""
    from massgan_core.survey import open_field, orientation_check

    field = open_field(source, **choices)
    orientation = orientation_check(field)
    if orientation.suspicious:
        say(f"Warning: {orientation.sentence}")
    else:
        typer.echo(orientation.sentence)
    return field


def _outside(sampler: Sampler, field: ShearField, checkpoint: str | None) -> list[str] | None:
    """Why the field lies outside the network's domain; `None` where there is no domain."""
    if not hasattr(sampler, "in_domain"):
        return None
    reasons = sampler.in_domain(field)
    if reasons:
        name = checkpoint or sampler.provenance["checkpoint"]
        say(
            f"Warning: the field lies outside the domain of checkpoint {name!r}, so its "
            f"uncertainty is not to be trusted: {'; '.join(reasons)}."
        )
    return reasons


def _report(method: str, summary: Summary, seconds: float) -> str:
    height, width = summary.field.grid.shape
    what = f"{width} × {height} pixels of {summary.field.grid.pixel_scale:.3g}′"
    if method == "ks":
        return f"One Kaiser–Squires map, {what}; STD is its propagated shape noise."
    if method == "sparse":
        return f"One sparse map, {what}; it has no uncertainty: STD, SNR, LOW and HIGH are NaN."
    rate = summary.n / max(seconds, 1e-9)
    return f"{summary.n} {method} samples, {what}, in {seconds:.1f} s ({rate:.3g} samples/s)."
