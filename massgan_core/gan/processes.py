"""The processes that train one network together: each takes its part of every batch.

What a loss sums over a batch is summed over all processes before it is divided, taken the
logarithm of …, so that the loss is that of the whole batch however it is shared out; each
process then differentiates its own terms, and the gradients are added in one message. Modules
are not wrapped for data-parallel training (DistributedDataParallel): a step runs the critic
several times and differentiates it twice, or forwards, which wrapped modules do not support.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")


class Processes:
    """One process as it sees the others; alone, it talks to nobody.

    Args:
        fabric: Launched; see :func:`massgan_core.gan.schedule.make_fabric`.

    Raises:
        ConnectionError: From every method: another process has ended.
    """

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self.number, self.count = fabric.global_rank, fabric.world_size
        self.chief = self.number == 0  #: the one that validates and writes

    def part(self, n: int, name: str = "batch") -> slice:
        """Which of `n` items are this process's: as even as can be, in order.

        Raises:
            ValueError: Some process would get none; `name` is the setting's.
        """
        if n < self.count:
            raise ValueError(
                f"`{name}` must be at least the number of processes that share it, "
                f"{self.count}, got {n}"
            )
        return slice(n * self.number // self.count, n * (self.number + 1) // self.count)

    def total(self, sums: Tensor) -> Tensor:
        """Sums over all processes; their derivative is that of this process's own terms."""
        return sums if self.count == 1 else _Total.apply(sums, self._add)

    def add_slopes(self, parameters: list[nn.Parameter]) -> None:
        """Gradients summed over all processes, in one message; none counts as zero."""
        if self.count == 1:
            return
        slopes = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([g.flatten() for g in slopes])
        self._add(flat)
        parts = flat.split([g.numel() for g in slopes])
        for parameter, part in zip(parameters, parts, strict=True):
            # A copy in the parameter's own layout (channels last), as a backward pass leaves.
            parameter.grad = torch.empty_like(parameter).copy_(part.view_as(parameter))

    def tell(self, thing: T) -> T:
        """What the chief says."""
        return thing if self.count == 1 else self._talk(self._fabric.broadcast, thing)

    def late(self, until: float) -> bool:
        """Whether the chief's clock (`time.monotonic`) has passed `until`."""
        return until < inf and self.tell(time.monotonic() >= until)

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            self._talk(self._fabric.barrier)

    def _add(self, numbers: Tensor) -> None:
        self._talk(torch.distributed.all_reduce, numbers)

    def _talk(self, message: Callable[..., T], *args: Any) -> T:
        try:
            return message(*args)
        except RuntimeError as error:
            raise ConnectionError(
                f"process {self.number + 1} of {self.count} has lost another one: what the run "
                "has saved is good, go on with --resume"
            ) from error


class _Total(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sums: Tensor, add: Callable[[Tensor], None]) -> Tensor:
        whole = sums.clone()
        add(whole)
        return whole

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:
        return slope, None
