import torch

from massgan_core.nn import Critic


def test_one_score_a_map_of_any_size_independent_of_its_batch():
    torch.manual_seed(0)
    critic = Critic(4, (8, 8, 8))
    for side in (32, 40):
        image, condition = torch.randn(3, 1, side, side), torch.randn(3, 3, side, side)
        scores = critic(image, condition)
        assert scores.shape == (3,)
        torch.testing.assert_close(critic(image[:1], condition[:1]), scores[:1])
