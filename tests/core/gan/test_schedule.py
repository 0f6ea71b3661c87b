import pytest
import torch

from massgan_core.gan.schedule import learning_rate, make_fabric


def test_rate_rises_then_falls():
    rates = [learning_rate(i, 100, 1.0, 10, 0.1) for i in range(100)]
    assert rates.index(max(rates)) in (9, 10) and max(rates) == 1
    assert rates[0] == 0.1 and rates[-1] == pytest.approx(0.1, abs=0.01)
    assert all(a > b for a, b in zip(rates[10:], rates[11:], strict=False))


def test_precision_is_checked():
    with pytest.raises(ValueError, match="`precision` must be"):
        make_fabric("cpu", "fp8")
    with make_fabric("cpu", "bf16").autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
