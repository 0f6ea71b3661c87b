"""One method on one field: all that an evaluation keeps of it, as small arrays.

Samples of a field are held while it is measured, never longer; a record is a few kilobytes.
What is called a *sum* is a pair whose paired ratio over fields is the figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan
from time import perf_counter

import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.evaluate import (
    by_level,
    chi_square,
    cross_power,
    estimate_and_truth,
    levels,
    limit_of_r,
    pearson,
    smoothed,
    spread_and_error,
    ssim,
    top,
    value_range,
)
from massgan_core.evaluate.calibration import Calibration, calibrated_interval
from massgan_core.evaluate.convergence import RunningConvergence
from massgan_core.evaluate.coverage import RunningRanks, inside_interval, near_peaks
from massgan_core.evaluate.metrics import mean_square
from massgan_core.evaluate.probes import (
    closest_pair,
    latent_share,
    slope_sums,
    std_variation,
    zero_point,
)
from massgan_core.evaluating.methods import Method
from massgan_core.evaluating.scene import DEPTHS, PEAK_WIDTH, TARPS, Scene, look
from massgan_core.peaks import find_peaks, match_peaks
from massgan_core.sky import Draws, ShearField, generator, remove_mean

LEAST_SNR = torch.arange(1.0, 8.1, 0.5, dtype=torch.float64)  #: of peaks, for their curves
RADIUS = 1.5  #: largest distance of a peak from its counterpart [arcmin]
MARGIN = 4.0  #: from the edge, for the shear that κ predicts [arcmin]
LOOKED_AT = 16  #: samples whose statistics are taken
PREDICTED = 8  #: samples whose shear is predicted
TURNED = 4  #: samples of the field whose shear is turned by 45°

_TIES, _PROBE = 104, 105  # keys of the random streams behind a seed

Record = dict[str, Float[Tensor, "..."]]


def measure(method: Method, scene: Scene, n: int, seed: int, batch: int = 8) -> Record:
    """Everything about `method` on a field.

    Args:
        method: With samples, or one map alone.
        scene: The field and its truth.
        n: Number of samples.
        seed: Of the samples.
        batch: Samples drawn at once.
    """
    field, start = scene.field, perf_counter()
    mean = method.mean(field)
    mapped = nan if mean is None else perf_counter() - start
    samples, sampled = None, nan
    if method.sampler is not None:
        samples, sampled = _drawn(method, field, n, seed, batch)
    raw = mean if mean is not None else samples.mean(0)
    record = {"seconds": torch.tensor([mapped, sampled], dtype=torch.float64)}
    record |= _point(scene, raw) | _turned(method, scene, seed)
    if samples is not None:
        samples = remove_mean(samples.float(), field.footprint)
        exact = None if mean is None else remove_mean(mean, field.footprint)
        record |= _posterior(scene, samples, exact, seed, method.linear)
        if method.calibration is not None:
            record |= _calibrated(scene.field, samples, method.calibration)
    return {k: torch.as_tensor(v).double().cpu() for k, v in record.items()}


def _drawn(
    method: Method, field: ShearField, n: int, seed: int, batch: int
) -> tuple[Float[Tensor, "N H W"], float]:
    """Samples as they come, with their zero point, and seconds for one."""
    draws, parts, start = Draws.of(seed), [], perf_counter()
    for done in range(0, n, batch):
        parts.append(method.sampler.sample(field, batch, draws)[: n - done])
    return torch.cat(parts).to(field.device), (perf_counter() - start) / n


def _point(scene: Scene, raw: Float[Tensor, "H W"]) -> Record:
    """Scores of one map against the truth; `raw` still has its zero point."""
    field, yard = scene.field, scene.yard
    truth, area, grid = field.truth, field.footprint, field.grid
    raw = raw.to(field.device)
    mean = remove_mean(raw, area)
    cross = cross_power(mean, truth, grid, area)
    found = find_peaks(mean, grid, area, smoothing=PEAK_WIDTH)
    both = match_peaks(scene.peaks, found, RADIUS).matched
    curves = [
        _above(list_.height / yard.noise.cpu().numpy()[list_.row, list_.column], hit)
        for list_, hit in zip((scene.peaks, found), both, strict=True)
    ]
    return {
        "r": pearson(mean, truth, area),
        "mean_square": mean_square(mean, truth, area),
        "ssim": ssim(mean, truth, area, data_range=value_range(truth, area)),
        "power": cross.estimate,
        "power_of_truth": cross.truth,
        "cross": cross.cross,
        "completeness": curves[0],
        "purity": curves[1],
        "slope_of_map": torch.stack(slope_sums(mean, 0 * mean, truth, area, inf)),
        "chi_square_of_map": chi_square(mean, field, margin=MARGIN),
        "zero_point": torch.stack(zero_point(raw, field.kappa, area)),
        "zero_point_outside": torch.stack(zero_point(raw, field.kappa, ~area)),
    }


def _turned(method: Method, scene: Scene, seed: int) -> Record:
    """r of the map of the B mode with the truth, and its rms over that of the map."""
    field = scene.field
    other = field.rotated()
    mean = method.mean(other)
    if mean is None:
        mean = method.sampler.sample(other, TURNED, Draws.of(seed)).mean(0)
    mean = remove_mean(mean.to(field.device), field.footprint)
    return {"b_mode_r": pearson(mean, field.truth, field.footprint)}


def _posterior(
    scene: Scene,
    samples: Float[Tensor, "N H W"],
    exact: Float[Tensor, "H W"] | None,
    seed: int,
    linear: bool,
) -> Record:
    """Whether samples that lost their footprint mean are a posterior."""
    field = scene.field
    truth, area, grid, n = field.truth, field.footprint, field.grid, len(samples)
    mean = samples.mean(0) if exact is None else exact
    # A mean that is known and not estimated has no sampling noise.
    count = n if exact is None else inf
    var, halves = samples.var(0), (samples[0::2], samples[1::2])
    half_mean, half_std = [h.mean(0) for h in halves], [h.std(0) for h in halves]
    picked = [top(m, area) for m in half_mean]
    deciles = [
        torch.stack(by_level(mean, v**2, truth, area, levels(picks, area), count), -1)
        for picks, v in zip(half_std, half_std[::-1], strict=True)
    ]
    record = {
        "r_limit": limit_of_r(mean, var, area, count),
        "spread_skill": torch.stack(spread_and_error(mean, var, truth, area, area, count)),
        "spread_skill_top": torch.stack(
            spread_and_error(mean, var, truth, area, top(mean, area), count)
        ),
        "deciles": torch.stack(by_level(mean, var, truth, area, levels(var, area), count), -1),
        "deciles_unselected": sum(deciles),
        "depth_levels": torch.stack(
            by_level(mean, var, truth, area, scene.yard.depth, count, DEPTHS), -1
        ),
        "peak_bias_unselected": sum(
            torch.stack(estimate_and_truth(m, truth, area, at))
            for m, at in zip(half_mean, picked[::-1], strict=True)
        ),
        "slope": torch.stack(slope_sums(mean, var, truth, area, count)),
        "std_variation": std_variation(*half_std, area),
        "std_error_r": pearson(var.sqrt(), (mean - truth).abs(), area),
        "latent_share": latent_share(mean, var, area),
        "closest_pair": closest_pair(samples[:64], area),
    }
    for width, true in scene.soft.items():
        soft = smoothed(samples, grid, width, area)
        centre = soft.mean(0) if exact is None else smoothed(exact, grid, width, area)
        sums = spread_and_error(centre, soft.var(0), true, area, area, count)
        record[f"spread_skill_{width:.0f}arcmin"] = torch.stack(sums)
    # Ranks
    record["ranks"] = RunningRanks(truth).update(samples).counts(area)
    near = near_peaks(half_mean[0], grid, area)
    record["ranks_at_peaks"] = RunningRanks(truth).update(halves[1]).counts(near)
    for name in TARPS:
        seen = scene.tarp[name].update(samples)
        record[f"tarp_{name}"] = seen.counts(generator(seed, _TIES))
    # Likeness
    one = look(samples[:LOOKED_AT], field, scene.yard.unit)
    for kind in ("power", "moments", "peaks", "values"):
        record[f"{kind}_of_samples"] = getattr(one, kind)
        record[f"{kind}_of_true_map"] = getattr(scene.look, kind)
    chi = chi_square(samples[:PREDICTED], field, margin=MARGIN, linear=linear).mean()
    expected = chi_square(field.kappa, field, margin=MARGIN)
    record["chi_square"] = torch.stack([chi, expected])
    return record | _convergence(truth, field, samples)


@dataclass(frozen=True, eq=False)
class _Seen:
    """What a calibrated interval is made of."""

    field: ShearField
    samples: Float[Tensor, "N H W"]

    @property
    def mean(self) -> Float[Tensor, "H W"]:
        return self.samples.mean(0)

    @property
    def std(self) -> Float[Tensor, "H W"]:
        return self.samples.std(0)

    def quantile(self, at: tuple[float, ...]) -> Float[Tensor, "Q H W"]:
        return torch.quantile(self.samples, torch.tensor(at, device=self.samples.device), 0)


def _calibrated(
    field: ShearField, samples: Float[Tensor, "N H W"], calibration: Calibration
) -> Record:
    """Pixels inside the calibrated interval of each level, and all; 0 of 0 where none holds."""
    sums = torch.zeros(len(calibration.levels), 2, dtype=torch.float64)
    seen, area = _Seen(field, samples), field.footprint
    for at, level in enumerate(calibration.levels):
        if not calibration.covers(field, len(samples), level):
            ends = calibrated_interval(seen, calibration, level)
            sums[at] = torch.stack(inside_interval(*ends, field.truth, area, area))
    return {"calibrated": sums}


def _convergence(truth: Tensor, field: ShearField, samples: Float[Tensor, "N H W"]) -> Record:
    """Scores of the mean of the first 1, 2, 4 … samples."""
    scale = value_range(truth, field.footprint)
    running = RunningConvergence(
        truth,
        field.footprint,
        {"ssim": lambda m, t, a: ssim(m, t, a, data_range=scale)},
    )
    _, table = running.update(samples).table()
    return {f"convergence_{name}": values for name, values in table.items()}


def _above(value, matched) -> Float[Tensor, "K 2"]:
    """Peaks at least as high as each of `LEAST_SNR`: those with a counterpart, and all."""
    above = torch.as_tensor(value)[:, None] >= LEAST_SNR
    hits = above & torch.as_tensor(matched)[:, None]
    return torch.stack([hits.sum(0), above.sum(0)], -1).double()
