r"""The generator as two ONNX graphs, for runtimes that know no torch: encoder and decoder.

The encoder runs once for a field, the decoder once a sample, from latents that its caller draws.
Both hold all that :class:`~massgan_core.gan.sampler.GanSampler` does once a field is network
input, so that the same latents give the same κ. The residual noise (see
:mod:`massgan_core.gan.residual`) needs a Fourier transform, which not every runtime has. A window
W(k) that is even along either axis acts alike on sines and on cosines: products with matrices,
the Hartley transform, do the same.

.. math:: W * x = \frac{1}{HW}\, C_H\,\big(W \circ (C_H\, x\, C_W)\big)\, C_W, \qquad
          (C_N)_{jk} = \cos\frac{2\pi jk}{N} + \sin\frac{2\pi jk}{N}

Weights are stored as the float16 that they are in the checkpoint, and used as float32.

References:
    Bracewell (1983), https://doi.org/10.1364/JOSA.73.001832
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from math import pi
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from massgan_core.gan.normalize import CHANNELS, FILTERED
from massgan_core.gan.residual import started
from massgan_core.nn import UNet
from massgan_core.sky import ShearField

if TYPE_CHECKING:
    import onnx

    from massgan_core.gan.sampler import GanSampler

OPSET = 18  #: of the graphs


class Encoder(nn.Module):
    """What all samples of a field share: features at each resolution, and the Wiener channel."""

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, condition: Float[Tensor, "1 C H W"]) -> tuple[Tensor, ...]:
        """The features, finest first, then the map that samples start from."""
        condition = condition.float()
        features = self.network.features(condition)
        return *self.network.shares(features), condition[:, FILTERED : FILTERED + 1]


class Decoder(nn.Module):
    """One sample of κ, less its footprint mean.

    Args:
        network: Whose latents are residuals of the Gaussian posterior.
        padded: Height and width of the condition.
    """

    def __init__(self, network: UNet, padded: tuple[int, int]) -> None:
        super().__init__()
        self.network = network
        for name, n in zip(("rows", "columns"), padded, strict=True):
            self.register_buffer(name, hartley(n))

    def forward(
        self,
        features: list[Tensor],
        start: Float[Tensor, "1 1 H W"],
        window: Float[Tensor, "H W"],
        area: Float[Tensor, "h w"],
        scale: Float[Tensor, " 1"],
        latents: list[Tensor],
    ) -> Float[Tensor, "1 h w"]:
        """κ from white latents, finest first; the rest is of :func:`field_inputs`."""
        latents, residual = started(self.network, window, latents, self.filtered)
        height, width = area.shape
        kappa = self.network.paint(features, latents) + start + residual
        kappa = kappa[:, 0, :height, :width] * scale
        return kappa - (kappa * area).sum() / area.sum()

    def filtered(
        self, window: Float[Tensor, "H W"], white: Float[Tensor, "1 1 H W"]
    ) -> Float[Tensor, "1 1 H W"]:
        """`white` with each mode times that of `window`."""
        seen = self.rows @ white @ self.columns
        return self.rows @ (window * seen) @ self.columns / seen.numel()


def hartley(n: int) -> Float[Tensor, "N N"]:
    """The matrix cos + sin of the Hartley transform of `n` numbers; its square is `n`."""
    k = torch.arange(n)
    angle = (k[:, None] * k % n).double() * (2 * pi / n)
    return (angle.cos() + angle.sin()).float()


def field_inputs(sampler: GanSampler, field: ShearField) -> dict[str, np.ndarray]:
    """What the graphs have to be told of `field`, by the names of their inputs.

    ``condition`` (float16) goes into the encoder; ``window``, ``area`` and ``scale`` into the
    decoder, with what the encoder gave and the latents.
    """
    condition, scale = sampler._condition(field)
    half = sampler.normalizer.deviation(condition, field.grid.pixel_scale)[0, 0]
    width = condition.shape[-1]
    window = torch.cat([half, half[:, 1 : width - width // 2].flip(1)], dim=1)
    return {
        "condition": condition.half().cpu().contiguous().numpy(),
        "window": window.cpu().numpy(),
        "area": field.footprint.float().cpu().numpy(),
        "scale": np.array([scale], np.float32),
    }


def to_onnx(sampler: GanSampler, shape: tuple[int, int]) -> dict[str, onnx.ModelProto]:
    """The graphs ``encoder`` and ``decoder`` for fields of one shape.

    Args:
        sampler: A generator that starts from residuals of the Gaussian posterior.
        shape: Height and width of the fields [pixels].

    Raises:
        ModuleNotFoundError: ONNX is not installed.
        ValueError: A generator of another kind.
    """
    network = deepcopy(sampler.network).cpu().float().to(memory_format=torch.contiguous_format)
    if network.noise != "posterior":
        raise ValueError(f"`sampler` must have noise='posterior', got {network.noise!r}")
    padded = tuple(n + -n % network.multiple for n in shape)
    condition = torch.zeros(1, CHANNELS, *padded)
    encoder, decoder = Encoder(network).eval(), Decoder(network, padded).eval()
    with torch.no_grad():
        *features, start = encoder(condition)
    latents = [torch.zeros(1, *level) for level in network.latent_shapes(padded)]
    named = {name: [f"{name}{i}" for i in range(len(latents))] for name in ("feature", "latent")}
    given = ["start", "window", "area", "scale"]
    area = torch.ones(shape)
    told = features, start, torch.ones(padded), area, torch.ones(1), latents
    return {
        "encoder": _graph(
            encoder, (condition.half(),), ["condition"], [*named["feature"], "start"]
        ),
        "decoder": _graph(decoder, told, [*named["feature"], *given, *named["latent"]], ["kappa"]),
    }


def _graph(
    module: nn.Module, arguments: tuple, inputs: list[str], outputs: list[str]
) -> onnx.ModelProto:
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "exporting a network needs ONNX: pip install 'massgan[page]'"
        ) from None

    with _quiet():
        program = torch.onnx.export(
            module,
            arguments,
            input_names=inputs,
            output_names=outputs,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    model = program.model_proto
    _forget(model)
    _halve(model)
    onnx.checker.check_model(model)
    return model


def _forget(model: onnx.ModelProto) -> None:
    """Drop what tells of the machine the graph was made on: each node holds its stack trace."""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for part in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        del part.metadata_props[:]


def _halve(model: onnx.ModelProto) -> None:
    """Store as float16 each weight that float16 holds exactly."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in model.graph.initializer:
        value = numpy_helper.to_array(weight)
        if value.dtype != np.float32:
            continue
        with np.errstate(over="ignore"):
            half = value.astype(np.float16)
        if not np.array_equal(half, value):
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(half, f"{name}.half"))
        casts.append(helper.make_node("Cast", [weight.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


@contextmanager
def _quiet() -> Iterator[None]:
    """No word of torchvision, which is not missed, nor of torch's own old calls."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
