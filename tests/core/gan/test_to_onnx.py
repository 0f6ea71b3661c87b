import builtins

import numpy as np
import pytest
import torch

from massgan_core.gan import load
from massgan_core.gan.checkpoint import save
from massgan_core.gan.residual import filtered_noise
from massgan_core.gan.sampler import build
from massgan_core.gan.to_onnx import Decoder, field_inputs, hartley, to_onnx
from massgan_core.sky import Draws, remove_mean

# They come with the extra `page`, which `make test` does without.
onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.slow


@pytest.fixture
def sampler(tmp_path, card):
    """Random weights whose samples start from residuals of the Gaussian posterior."""
    torch.manual_seed(0)
    network = card["network"] | {"latent": 5, "noise": "posterior", "upsample": "bilinear"}
    save(tmp_path / "a.safetensors", build(network).state_dict(), card | {"network": network})
    return load(tmp_path / "a.safetensors")


@pytest.mark.parametrize("n", [1, 2, 15, 16])
def test_the_hartley_transform_is_its_own_inverse(n):
    torch.testing.assert_close(hartley(n) @ hartley(n) / n, torch.eye(n), atol=1e-6, rtol=0)


def test_residual_noise_is_that_of_the_fourier_transform(sampler, small_field, rng):
    told = field_inputs(sampler, small_field)
    window = torch.from_numpy(told["window"])
    padded = tuple(window.shape)
    assert padded[0] != padded[1]
    white = torch.randn((1, 1, *padded), generator=rng)
    half = window[None, None, :, : padded[1] // 2 + 1]
    ours = Decoder(sampler.network, padded).filtered(window, white)
    torch.testing.assert_close(ours, filtered_noise(half, white), atol=1e-5, rtol=1e-4)


def test_the_graphs_give_the_sampler_s_own_samples(sampler, small_field):
    models = to_onnx(sampler, small_field.grid.shape)
    encoder, decoder = (
        onnxruntime.InferenceSession(models[name].SerializeToString())
        for name in ("encoder", "decoder")
    )
    told = field_inputs(sampler, small_field)
    condition = told.pop("condition")
    names = [one.name for one in encoder.get_outputs()]
    shared = told | dict(zip(names, encoder.run(None, {"condition": condition}), strict=True))
    samples = remove_mean(sampler.sample(small_field, 2, 3), small_field.footprint)
    spread = sampler.sample(small_field, 16, 4).std(0).mean()
    for wanted, generator in zip(samples, Draws(3).take(2), strict=True):
        latents = sampler.network.latents(condition.shape[-2:], [generator])
        drawn = {f"latent{i}": level.numpy() for i, level in enumerate(latents)}
        (kappa,) = decoder.run(None, shared | drawn)
        assert abs(kappa[0][small_field.footprint].mean()) < 1e-6
        error = (torch.from_numpy(kappa[0]) - wanted)[small_field.footprint] / spread
        assert error.square().mean().sqrt() < 1e-3


def test_a_graph_is_light_and_says_nothing_of_where_it_was_made(sampler, small_field, root):
    for model in to_onnx(sampler, small_field.grid.shape).values():
        text = model.SerializeToString()
        assert str(root).encode() not in text and b"site-packages" not in text
        large = [one for one in model.graph.initializer if np.prod(one.dims) >= 64]
        whole = {one.name for one in large if one.data_type != onnx.TensorProto.FLOAT16}
        assert large and all("rows" in name or "columns" in name for name in whole)


def test_white_latents_are_refused(saved, small_field):
    with pytest.raises(ValueError, match=r"^`sampler` must have noise='posterior', got 'white'$"):
        to_onnx(load(saved), small_field.grid.shape)


def test_without_onnx_it_says_what_to_install(sampler, small_field, monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name == "onnx":
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'massgan\[page\]'$"):
        to_onnx(sampler, small_field.grid.shape)
