"""What the verbs that make pages for a talk are given: a field, or a simulated sky by name.

``lognormal``, ``gaussian``, ``nfw`` and ``nbody`` are skies under the mask and noise of
COSMOS, the seed after a colon (``lognormal:7``; 0 where there is none); anything else is read as
by ``massgan reconstruct``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from massgan_core.cli.reconstruct import _numbers, _open, _outside

if TYPE_CHECKING:
    from massgan_core.posterior import Sampler
    from massgan_core.sky import ShearField

#: Methods whose samples are whole maps; those of regression hold pixel by pixel only.
SAMPLING = ("gan", "wiener", "score")

LONGEST = 1000  #: skies of one range


def check_method(method: str, samples: int, batch: int) -> None:
    """Refuse a method without samples, and too few of them to differ."""
    if method not in SAMPLING:
        raise ValueError(
            f"--method must be one of {', '.join(SAMPLING)}, which draw samples of whole maps, "
            f"got {method!r}"
        )
    for name, value, least in (("--samples", samples, 2), ("--batch", batch, 1)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def is_sky(source: str) -> bool:
    """Whether `source` names a simulated sky."""
    from massgan_core.wiring import KINDS

    return source.partition(":")[0] in KINDS


def skies(source: str) -> list[tuple[str, int]]:
    """Kind and seed of every sky that ``KIND``, ``KIND:SEED`` or ``KIND:FIRST-LAST`` names."""
    kind, _, text = source.partition(":")
    seeds = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", text or "0")
    first, last = (int(seeds[1]), int(seeds[2] or seeds[1])) if seeds else (0, -1)
    if not first <= last < first + LONGEST:
        raise ValueError(
            f"a simulated sky must be {kind}, {kind}:SEED or {kind}:FIRST-LAST with at most "
            f"{LONGEST} seeds, got {source!r}"
        )
    return [(kind, seed) for seed in range(first, last + 1)]


def open_input(source: str, *, center: str | None, size: str | None, **choices: Any) -> ShearField:
    """The field that INPUT names.

    Args:
        source: A simulated sky, ``cosmos`` or a file.
        center: As typed, RA,DEC [deg].
        size: As typed, SIDE or WIDTH,HEIGHT [arcmin].
        choices: Further ones of :func:`massgan_core.survey.open_field`.
    """
    place = None if center is None else _numbers("--center", center, 2)
    sides = None if size is None else _numbers("--size", size)
    if not is_sky(source):
        return _open(source, center=place, size=sides, **choices)
    from massgan_core.wiring import simulated

    given = {"center": center, "size": size, **choices}
    defaults = {"ellipticity": "shear", "noise": "weighted", "flip_e1": False, "flip_e2": False}
    wrong = [k for k, v in given.items() if v != defaults.get(k)]
    if wrong:
        names = ", ".join(f"--{k.replace('_', '-')}" for k in wrong)
        raise ValueError(f"{names} are for files and cosmos, {source} is a simulated sky")
    (kind, seed), *more = skies(source)
    if more:
        raise ValueError(f"INPUT must be one sky, got {len(more) + 1} of them: {source!r}")
    return simulated(kind, seed=seed)


def warn_outside(sampler: Sampler, field: ShearField, checkpoint: str | None) -> None:
    """Say on stderr why the field lies outside the network's domain, if it does."""
    _outside(sampler, field, checkpoint)
