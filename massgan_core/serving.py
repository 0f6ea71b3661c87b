"""Drawing samples for many: who does it, and how a request travels there.

**Workers** draw batches of samples by number: processes of this machine
(:mod:`massgan_core.serving_processes`) or a Dask cluster (:mod:`massgan_core.serving_cluster`).
A batch depends on its request, its number and the field alone, so any worker may draw it, and
draw it again where another one died.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core import __version__

if TYPE_CHECKING:
    from massgan_core.sky import ShearField

HERE = "here"
SETTINGS = f"{HERE}, processes:N or dask:ADDRESS"
MOST = 256  #: processes, at most


@dataclass(frozen=True)
class Request:
    """What samples depend on beside their field."""

    sampler: str  #: ``wiener``, or method and checkpoint: ``gan:default``
    batch: int  #: samples a network call
    seed: int
    version: str = __version__  #: of the library that asks


@dataclass(frozen=True, eq=False)
class Parcel:
    """A field on its way, and the name it is known by on the other side."""

    digest: str
    content: bytes


Answer = tuple[np.ndarray, dict[str, Any]]  #: samples float32 [N, H, W] and their provenance


@runtime_checkable
class Workers(Protocol):
    """What draws batches."""

    slots: int  #: batches that can be under way at once

    def draw(
        self, request: Request, number: int, parcel: Parcel, given_up: Callable[[], bool]
    ) -> Answer:
        """Batch `number` of a request.

        Args:
            request: Sampler, batch, seed.
            number: Of the batch, from 0 on.
            parcel: The field.
            given_up: Asked while it waits; once true it ends with
                :class:`~massgan_core.sky.Stopped`, as soon as the sampler lets go.
        """

    def close(self) -> None:
        """End all workers that were started for it; what is under way is lost."""


class Source:
    """The batches of one request, by number, drawn by workers.

    Args:
        workers: Who draws.
        request: Sampler, batch, seed.
        field: What is sampled.
        given_up: Whether nobody waits any more; asked in the thread that draws.
    """

    def __init__(
        self, workers: Workers, request: Request, field: ShearField, given_up: Callable[[], bool]
    ) -> None:
        self.workers, self.given_up = workers, given_up
        self.request, self.field = request, field
        self.provenance: dict[str, Any] | None = None  #: of the samples, once there are any

    def __call__(self, number: int) -> Float[Tensor, "N H W"]:
        """Batch `number`, less its footprint mean.

        Raises:
            RuntimeError: It would not belong to those before, as it was drawn by another
                checkpoint, device or number of threads.
        """
        samples, told = self.workers.draw(self.request, number, packed(self.field), self.given_up)
        if self.provenance is None:
            self.provenance = told
        odd = [key for key in told if told[key] != self.provenance.get(key)]
        if odd:
            raise RuntimeError(
                f"`{odd[0]}` differs between the workers ({self.provenance.get(odd[0])} and "
                f"{told[odd[0]]}), so their samples do not belong together: start them alike"
            )
        return torch.from_numpy(samples)


_PARCELS: WeakKeyDictionary[ShearField, Parcel] = WeakKeyDictionary()
_PACKING = Lock()


def packed(field: ShearField) -> Parcel:
    """`field` as it travels: without its truth, which no sampler may see. Packed once."""
    with _PACKING:
        if field not in _PARCELS:
            content = pickle.dumps(replace(field.to("cpu"), kappa=None), protocol=5)
            digest = hashlib.blake2b(content, digest_size=16).hexdigest()
            _PARCELS[field] = Parcel(digest, content)
        return _PARCELS[field]


def check_setting(setting: str) -> tuple[str, str]:
    """Kind of workers and what is said of it, e.g. ``("processes", "2")``.

    Raises:
        ValueError: It is none of `SETTINGS`.
    """
    kind, _, rest = setting.strip().partition(":")
    known = {
        HERE: not rest and ":" not in setting,
        "processes": rest.isascii() and rest.isdigit() and 1 <= int(rest) <= MOST,
        "dask": bool(rest.strip()),
    }
    if not known.get(kind, False):
        raise ValueError(
            f"`sampling` must be {SETTINGS} (N from 1 to {MOST}, the address of a scheduler or "
            f"its scheduler file), got {setting!r}"
        )
    return kind, rest.strip()


def workers(setting: str) -> Workers | None:
    """The workers that a setting names; None for this very process.

    Args:
        setting: ``here``, ``processes:N`` (of this machine, which share the threads that torch
            has in this process) or ``dask:ADDRESS`` (of a scheduler, or its scheduler file).

    Raises:
        ValueError: An unknown setting.
        OSError: No scheduler answers.
    """
    kind, rest = check_setting(setting)
    if kind == "processes":
        from massgan_core.serving_processes import Processes

        return Processes(int(rest))
    if kind == "dask":
        from massgan_core.serving_cluster import Cluster

        return Cluster(rest)
    return None
