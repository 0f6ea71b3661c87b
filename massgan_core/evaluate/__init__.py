"""How right a map is: scores against the truth."""

from massgan_core.evaluate.bootstrap import box_weights, paired_ratio
from massgan_core.evaluate.cross import CrossPower, cross_power, taper
from massgan_core.evaluate.detection import (
    Curve,
    PlacedPeaks,
    matched_fraction,
    noise_std,
    peak_posterior,
    signal_to_noise,
)
from massgan_core.evaluate.metrics import pearson, psnr, rmse, spread_skill
from massgan_core.evaluate.predictive import (
    chi_square,
    chi_square_map,
    inner,
    predicted_shear,
    predictive_map,
    residual,
)
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
from massgan_core.evaluate.similarity import ssim, ssim_map, value_range
from massgan_core.evaluate.spectra import (
    central_moments,
    peak_counts,
    std_and_skewness,
    value_counts,
    windowed_power,
)
from massgan_core.evaluate.stack import paired_stacks, stack

__all__ = [
    "box_weights",
    "by_level",
    "central_moments",
    "chi_square",
    "chi_square_map",
    "cross_power",
    "CrossPower",
    "Curve",
    "estimate_and_truth",
    "inner",
    "levels",
    "limit_of_r",
    "matched_fraction",
    "noise_std",
    "paired_ratio",
    "paired_stacks",
    "peak_counts",
    "peak_posterior",
    "pearson",
    "PlacedPeaks",
    "predicted_shear",
    "predictive_map",
    "psnr",
    "rank_counts",
    "relative_ranks",
    "residual",
    "rmse",
    "signal_to_noise",
    "smoothed",
    "spread_and_error",
    "spread_skill",
    "ssim",
    "ssim_map",
    "stack",
    "std_and_skewness",
    "taper",
    "top",
    "value_counts",
    "value_range",
    "windowed_power",
]
