"""How much memory a training step needs, asked before it is too late.

The tensors that a backward pass keeps are counted in a forward pass of one field and scaled
to the batch: exact for layers without statistics over the batch, and cheap.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from massgan_core.gan.normalize import CHANNELS

if TYPE_CHECKING:
    from massgan_core.gan.trainer import Trainer

#: Gradients and temporaries of the widest layer, over what the backward pass keeps.
_MORE = 1.5


def check_memory(trainer: Trainer) -> float:
    """Bytes that a step of `trainer` needs.

    Raises:
        ValueError: More than is free; the sentence names a batch that fits.
    """
    stage, part = trainer.stage, trainer.part
    here = part.stop - part.start
    each = step_memory(trainer)
    fixed = sum(p.numel() * p.element_size() for p in trainer.network.parameters()) * 5
    free, need = free_memory(trainer.device), fixed + each * here
    if free is not None and need > free:
        fits = max(int((free - fixed) / each), 0) * trainer.processes.count
        way = f"give train.{stage}.batch={fits}" if fits else "take a smaller data.side or network"
        raise ValueError(
            f"a step of {here} fields needs about {need / 1e9:.1f} GB, "
            f"{free / 1e9:.1f} GB are free: {way}"
        )
    return need


def step_memory(trainer: Trainer) -> float:
    """Bytes that each field of a batch adds to a step."""
    settings, side = trainer.settings, trainer.config.data.side
    network, device = trainer.network, trainer.device
    n = settings.samples if trainer.stage == "adversarial" else 1
    side += -side % network.multiple
    condition = torch.zeros(1, CHANNELS, side, side, device=device)
    condition = condition.contiguous(memory_format=trainer.layout)
    keys = [torch.Generator().manual_seed(i) for i in range(n)]
    latents = [x.to(device) for x in network.latents((side, side), keys)]
    with trainer.fabric.autocast():
        kept = saved_bytes(lambda: network(condition, latents), network)
    if trainer.critic is not None:
        image = torch.zeros(1, 1, side, side, device=device)
        # Real, generated and mixed maps; the penalty keeps its gradient's graph as well.
        kept += 4 * saved_bytes(lambda: trainer.critic(image, condition), trainer.critic)
    return _MORE * kept


def saved_bytes(run, module: torch.nn.Module) -> int:
    """Bytes that the backward pass of `run` keeps, parameters not counted."""
    own = {p.untyped_storage().data_ptr() for p in module.parameters()}
    sizes: dict[int, int] = {}
    held = []

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            sizes[storage.data_ptr()] = storage.nbytes()
            held.append(storage)  # else its address is used again
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        output = run()
    del output
    return sum(sizes.values())


def free_memory(device: torch.device) -> int | None:
    """Bytes free on a device; None where it cannot be told."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    facts = Path("/proc/meminfo")
    if device.type != "cpu" or not facts.is_file():
        return None
    lines = dict(line.split(":") for line in facts.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024
