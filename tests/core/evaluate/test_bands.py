import numpy as np
import pytest
import torch

from massgan_core.evaluate.bands import band, histogram


def test_a_band_holds_its_share(rng):
    values = torch.randn(20000, 3, generator=rng) * torch.tensor([1.0, 2.0, 3.0]) + 5
    found = band(values, 0.68)
    np.testing.assert_allclose(found.middle, 5, atol=0.1)
    np.testing.assert_allclose((found.high - found.low) / 2, [0.9945, 1.989, 2.983], rtol=0.03)
    inside = (values.numpy() >= found.low) & (values.numpy() <= found.high)
    np.testing.assert_allclose(inside.mean(0), 0.68, atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 1.0, 68.0])
def test_a_band_needs_a_share(share):
    with pytest.raises(ValueError, match="`share` must lie between 0 and 1"):
        band(torch.zeros(3, 2), share)


def test_every_value_is_in_a_bin(rng):
    edges, share = histogram(torch.randn(50, generator=rng), 7)
    assert len(edges) == 8 and share.sum() == pytest.approx(1)
    for constant in (0.0, 1.0, -3e4):
        edges, share = histogram(torch.full((5,), constant))
        assert share.sum() == 1 and edges[0] < constant < edges[-1]
