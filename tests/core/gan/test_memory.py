import pytest
import torch

from massgan_core.gan import memory
from massgan_core.gan.config import read_config
from massgan_core.training import train


def test_what_a_backward_pass_keeps_is_counted():
    layer = torch.nn.Conv2d(2, 3, 3, bias=False)
    image = torch.randn(1, 2, 16, 16)
    # A convolution keeps its input (its weight is a parameter), tanh its output.
    kept = memory.saved_bytes(lambda: torch.tanh(layer(image)), layer)
    assert kept == 4 * (image.numel() + 3 * 14 * 14)


def test_a_batch_too_large_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda device: 2_000_000)
    config = read_config("tiny", ["train.regression.batch=16", "train.precision=fp32"])
    with pytest.raises(ValueError, match=r"needs about .* GB, 0.0 GB are free: "):
        train(config, tmp_path / "run", stage="regression")
    assert not (tmp_path / "run").exists()


def test_free_memory_of_this_machine():
    free = memory.free_memory(torch.device("cpu"))
    assert free is None or free > 1e7
