"""How right a map is: scores against the truth."""

from massgan_core.evaluate.bootstrap import box_weights, paired_ratio
from massgan_core.evaluate.metrics import pearson, psnr, rmse, spread_skill
from massgan_core.evaluate.ranks import rank_counts, relative_ranks
from massgan_core.evaluate.reliability import (
    by_level,
    estimate_and_truth,
    levels,
    limit_of_r,
    smoothed,
    spread_and_error,
    top,
)
from massgan_core.evaluate.spectra import (
    central_moments,
    peak_counts,
    std_and_skewness,
    value_counts,
    windowed_power,
)
from massgan_core.evaluate.stack import paired_stacks, stack

__all__ = [
    "estimate_and_truth",
    "box_weights",
    "by_level",
    "central_moments",
    "levels",
    "limit_of_r",
    "paired_ratio",
    "paired_stacks",
    "peak_counts",
    "pearson",
    "psnr",
    "rank_counts",
    "relative_ranks",
    "rmse",
    "smoothed",
    "spread_and_error",
    "spread_skill",
    "stack",
    "std_and_skewness",
    "top",
    "value_counts",
    "windowed_power",
]
