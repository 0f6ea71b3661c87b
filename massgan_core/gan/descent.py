"""Adam on one network of a stage: its learning rate, gradients of all processes, state."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from massgan_core.gan.config import StageConfig
from massgan_core.gan.processes import Processes
from massgan_core.gan.schedule import learning_rate
from massgan_core.gan.state import restore

_STEEPEST = 5.0  # longer gradients are cut to this


class Descent:
    """Steps down a loss, by those parameters of a module that are not frozen.

    Args:
        module: What is trained.
        peak: Learning rate after the warm-up.
        settings: Of the stage.
        processes: That add up their gradients.
    """

    def __init__(
        self, module: nn.Module, peak: float, settings: StageConfig, processes: Processes
    ) -> None:
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.peak, self.settings, self.processes = peak, settings, processes
        self.adam = torch.optim.Adam(self.parameters, peak, betas=settings.betas)

    def __call__(self, loss: Tensor) -> None:
        """One step."""
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        self.processes.add_slopes(self.parameters)
        nn.utils.clip_grad_norm_(self.parameters, _STEEPEST)
        self.adam.step()

    def set_rate(self, step: int) -> None:
        """The learning rate of a step."""
        s = self.settings
        rate = learning_rate(step, s.steps, self.peak, s.warmup, s.final_lr)
        self.adam.param_groups[0]["lr"] = rate

    def state(self) -> dict[str, Tensor]:
        """Adam's moments, named ``<parameter>.<moment>``."""
        states = self.adam.state_dict()["state"]
        return {f"{i}.{k}": v for i, state in states.items() for k, v in state.items()}

    def restore(self, parts: dict[str, Tensor]) -> None:
        """Go on from a :meth:`state`."""
        restore(self.adam, parts)
