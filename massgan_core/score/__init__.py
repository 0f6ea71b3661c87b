"""The wing of score-based sampling: a learned prior on top of the Gaussian one."""

from massgan_core.score.checkpoint import checkpoints, load, load_card
from massgan_core.score.network import LevelUNet
from massgan_core.score.sampler import ScoreSampler

__all__ = ["LevelUNet", "ScoreSampler", "checkpoints", "load", "load_card"]
