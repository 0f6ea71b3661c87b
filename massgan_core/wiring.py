"""What the command line, the explorer and notebooks ask for by name, put together once.

The wings do not know each other; this module hands each what it needs from its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from massgan_core.posterior import Sampler
from massgan_core.sky import Grid, PowerSpectrum, ShearField, generator

METHODS = ("gan", "wiener", "sparse", "ks", "regression", "score")
#: Methods that come from a checkpoint, and the one that comes with the package.
BUNDLED = {"gan": "default", "regression": "regression", "score": "score"}
NETWORKS = tuple(BUNDLED)
MAPS = ("sparse", "ks")  #: methods that make one map and draw no samples
_AT_ONCE = 8  # samples whose peaks are found together, to bound memory
KINDS = ("lognormal", "gaussian", "nfw", "nbody", "ktng")
MASKS = ("cosmos", "stars", "none")
_MASK = 111  # key of the random stream behind a seed


def pick_device(name: str = "auto") -> torch.device:
    """`auto` takes CUDA, then Apple MPS, then the CPU."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        raise ValueError(
            f"`device` must be auto, cpu, or an accelerator this machine has, got {name!r}"
        ) from None
    return device


def spectrum_of(field: ShearField) -> PowerSpectrum:
    """Theory C_ℓ of κ for the field's n(z); without one, the bundled COSMOS table."""
    if field.sources is None:
        from massgan_core.survey import cosmos_spectrum

        return cosmos_spectrum()
    from massgan_core.simulate import theory_spectrum

    return theory_spectrum(field.sources)


def sampler(
    method: str,
    field: ShearField,
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    steps: int | None = None,
) -> Sampler:
    """The sampler called `method` (one of `METHODS`), ready for `field`.

    Args:
        method: Its name.
        field: Whose n(z) sets the prior of wiener, sparse and score.
        checkpoint: Name or file of the network, where there is one; by default the method's own
            of `BUNDLED`.
        device: Where the network lives.
        steps: Noise levels of a sample of score; by default its own number.

    Raises:
        ValueError: Unknown method or checkpoint, or a checkpoint of another method; `steps` of a
            method that has none.
    """
    if method in NETWORKS:
        power = spectrum_of(field) if method == "score" else None
        return trained(method, checkpoint, power=power, device=device, steps=steps)
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}, got {method!r}")
    check_steps(method, steps)
    if method == "wiener":
        from massgan_core.mapping import Wiener

        return Wiener(spectrum_of(field))
    if method == "sparse":
        from massgan_core.mapping import Sparse

        return Sparse(spectrum_of(field))
    from massgan_core.mapping import KaiserSquires

    return KaiserSquires()


def trained(
    method: str,
    checkpoint: str | None = None,
    *,
    power: PowerSpectrum | None = None,
    device: str = "auto",
    steps: int | None = None,
    precision: str = "fp32",
    compiled: bool = False,
) -> Sampler:
    """The sampler of a checkpoint, once it is sure that it belongs to `method`.

    Args:
        method: One of `NETWORKS`.
        checkpoint: Name or file; by default that of `BUNDLED`.
        power: Of κ for the field's n(z), for score; by default that of its training.
        device: Where the network lives.
        steps: Noise levels of a sample of score; by default its own number.
        precision: Of the decoder of gan: `fp32`, `bf16`, or `auto` for bf16 where it is fast.
        compiled: Let PyTorch compile that decoder.

    Raises:
        ValueError: Unknown or damaged checkpoint, or one of another method; `steps`, `precision`
            or `compiled` of a method that has none.
    """
    check_steps(method, steps)
    check_speed(method, precision, compiled)
    at, checkpoint = pick_device(device), checkpoint or BUNDLED[method]
    if method == "score":
        from massgan_core import score

        return score.load(checkpoint, power, device=at, steps=steps)
    from massgan_core import gan
    from massgan_core.gan.checkpoint import kind_of

    kind = kind_of(gan.load_card(checkpoint))
    if kind != method:
        raise ValueError(
            f"checkpoint {str(checkpoint)!r} is of kind {kind}: use it with method {kind}, or "
            f"give one of kind {method}"
        )
    return gan.load(checkpoint, device=at, precision=precision, compiled=compiled)


def check_speed(method: str, precision: str, compiled: bool) -> None:
    """Refuse ways to be faster that a method does not have."""
    if precision not in ("auto", "bf16", "fp32"):
        raise ValueError(f"`precision` must be auto, bf16 or fp32, got {precision!r}")
    if method != "gan" and (precision != "fp32" or compiled):
        raise ValueError(
            f"`precision` and `compiled` belong to method gan, {method} has none: leave them out"
        )


def check_steps(method: str, steps: int | None) -> None:
    """Refuse noise levels for a method that has none."""
    if steps is not None and method != "score":
        raise ValueError(f"`steps` belongs to method score, {method} has none: leave it out")


def simulated(
    kind: str = "lognormal",
    *,
    seed: int = 0,
    depth: float | None = None,
    mask: str = "cosmos",
    cut: Sequence[Sequence[Sequence[float]]] = (),
    side: int = 300,
) -> ShearField:
    """A simulated shear field with its true κ.

    Args:
        kind: ``lognormal``, ``gaussian``, ``nfw`` (one halo off the centre, towards +x +y),
            ``nbody`` (a bundled light cone of a particle mesh, for looking, not for tests) or
            ``ktng`` (the bundled κTNG map of a hydrodynamical simulation, likewise).
        seed: Of the sky, the galaxy counts and the noise.
        depth: Galaxies per arcmin²; `None` takes the real COSMOS σ map (or, without the
            COSMOS mask, its mean depth).
        mask: ``cosmos``, ``stars`` (round holes about bright stars, bad columns and rows, as in
            training; other ones for every seed) or ``none``.
        cut: Holes besides: polygons of (x, y) on the tangent plane [arcmin from the centre], see
            :func:`massgan_core.simulate.inside_polygons`. What lies in one was never observed.
        side: Pixels of 0.29′ on a side; must be 300 with the COSMOS mask, at most that for
            nbody and ktng.

    Raises:
        ValueError: Unknown `kind` or `mask`, `depth` that is not positive, a `side` that does not
            go with them, or holes that are no polygons.
    """
    from massgan_core import simulate
    from massgan_core.survey import cosmos, cosmos_spectrum

    if kind not in KINDS:
        raise ValueError(f"`kind` must be one of {', '.join(KINDS)}, got {kind!r}")
    if mask not in MASKS:
        raise ValueError(f"`mask` must be one of {', '.join(MASKS)}, got {mask!r}")
    if depth is not None and not (isfinite(depth) and depth > 0):
        raise ValueError(f"`depth` must be positive [galaxies/arcmin²], got {depth}")
    real = cosmos() if mask == "cosmos" else None
    if real is not None and side != real.grid.shape[0]:
        raise ValueError(f"`side` must be {real.grid.shape[0]} with the COSMOS mask, got {side}")
    grid = Grid((side, side)) if real is None else real.grid
    left = ~simulate.inside_polygons(grid, cut)
    kappa, gamma = simulate.sky(kind, grid, cosmos_spectrum(), seed=seed)
    if real is not None and depth is None:
        mask_left = _left(real.mask, left)
        field = simulate.mock(kappa, gamma, grid, sigma=real.sigma, mask=mask_left, seed=seed)
    else:
        area = left if real is None else real.footprint
        if mask == "stars":
            from massgan_core.data.masks import random_mask

            area = random_mask(grid, generator(seed, _MASK))
        field = simulate.mock(
            kappa,
            gamma,
            grid,
            depth=depth or simulate.COSMOS_DEPTH,
            area=_left(area, left),
            seed=seed,
        )
    notes = {"cut": [[list(corner) for corner in hole] for hole in cut]} if len(cut) else {}
    return simulate.named(field, kind=kind, seed=seed, depth=depth, mask=mask, **notes)


def _left(mask: Tensor, left: Tensor) -> Tensor:
    """`mask` without what was cut out."""
    if not bool((mask & left).any()):
        raise ValueError("`cut` must leave some of the field, it covers all of it")
    return mask & left


def peak_probability(
    places: Float[np.ndarray, "M 2"],
    samples: Float[Tensor, "N H W"],
    grid: Grid,
    area: Bool[Tensor, "H W"],
    *,
    radius: float,
    threshold: float,
    smoothing: float = 0.0,
) -> Float[np.ndarray, " M"]:
    """Share of the samples with a peak of at least `threshold` within `radius` of each place.

    Args:
        places: Offsets (x, y) from the centre of the grid [arcmin], e.g. of the mean's peaks.
        samples: Of the posterior.
        grid: Pixels.
        area: Footprint.
        radius: How far from the place a peak may lie [arcmin].
        threshold: Least height of a peak, in units of κ, above the footprint mean.
        smoothing: Std of the Gaussian window [arcmin].

    Raises:
        ValueError: No samples, or a radius that is not positive.
    """
    from massgan_core.evaluate import peak_posterior
    from massgan_core.peaks import find_peaks

    if not len(samples):
        raise ValueError("`samples` must hold at least one sample, got none")
    parts = [
        find_peaks(maps, grid, area, smoothing=smoothing, threshold=threshold)
        for maps in samples.split(_AT_ONCE)
    ]
    at, height = (
        np.concatenate([getattr(one, name) for one in parts]) for name in ("places", "height")
    )
    number = np.concatenate([one.map + i * _AT_ONCE for i, one in enumerate(parts)])
    return peak_posterior(places, at, height, number, len(samples), radius=radius).probability
