"""What training needs: units, skies, batches, and fields to validate on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from massgan_core.data import Dataset, MapStore, Observe, Patches, fixed_fields
from massgan_core.evaluate import by_level, levels, pearson, rmse, spread_and_error, spread_skill
from massgan_core.evaluate.metrics import mean_square
from massgan_core.gan import reward
from massgan_core.gan.config import RunConfig
from massgan_core.gan.losses import fair_crps, variance_score
from massgan_core.gan.moments import Moments, moments
from massgan_core.gan.normalize import FILTERED, ITERATIONS, Normalizer
from massgan_core.gan.residual import painted
from massgan_core.gan.trainer import Batch
from massgan_core.nn import UNet
from massgan_core.simulate import Cosmology, Lognormal, theory_spectrum
from massgan_core.sky import Grid, ShearField, generator, remove_mean
from massgan_core.survey import cosmos, cosmos_sources, cosmos_spectrum

TRAIN, VALIDATE = 0, 1  #: added to 2 × seed: train and validation skies never meet


def make_normalizer() -> Normalizer:
    """Units of the network: σ_κ of COSMOS, and a table of σ_κ against mean redshift."""
    power, sources = cosmos_spectrum(), cosmos_sources()
    stretches = (0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.15)
    tables = [sources.stretched(s) for s in stretches]
    scales = [theory_spectrum(t).std(0.29) for t in tables]
    return Normalizer(power, 0.29, tuple(t.mean for t in tables), tuple(scales), ITERATIONS)


def make_skies(config: RunConfig, normalizer: Normalizer, *, fiducial: bool = False) -> list:
    """Lognormal sky makers over σ8 and depth in redshift, each with its σ_κ."""
    data, sources = config.data, cosmos_sources()
    grid = Grid((data.sky, data.sky), normalizer.pixel_scale)
    home = (Lognormal(grid, normalizer.power), normalizer.fiducial)
    if fiducial:
        return [home]
    skies = [home] * data.fiducial
    for stretch in data.stretch:
        table = sources.stretched(stretch)
        scale = theory_spectrum(table).std(normalizer.pixel_scale)
        for sigma8 in data.sigma8:
            power = theory_spectrum(table, Cosmology(sigma8=sigma8))
            skies.append((Lognormal(grid, power), scale))
    return skies


def make_batches(
    config: RunConfig,
    normalizer: Normalizer,
    batch: int,
    stage: str,
    store: MapStore | None = None,
    device: torch.device | str = "cpu",
    part: slice | None = None,
) -> Callable[[int], Batch]:
    """Training data: batch number i, of the maps of a store or of skies made on the fly.

    Args:
        config: All settings.
        normalizer: For units.
        batch: Fields of a whole step.
        stage: Of training.
        store: Maps; `None` makes lognormal skies.
        device: Of the data.
        part: Which fields of each batch are wanted; default all.
    """
    part = slice(0, batch) if part is None else part
    data, seed = config.data, 2 * config.train.seed + TRAIN
    # The stages see different noise (and skies): the second ones go on where the first ended.
    offset = {"regression": 0, "adversarial": 10**6, "variance": 2 * 10**6}[stage]
    observe = Observe(
        cosmos().sigma, normalizer.pixel_scale, data.real, data.rescaled, data.depth, seed=seed
    )
    if store is not None:
        dataset = Dataset(
            store,
            parts(config, store)["train"],
            observe,
            side=data.side,
            batch=batch,
            seed=seed,
            device=device,
            budget=20.0 if torch.device(device).type == "cuda" else 1.0,
            finish=Batch,
            part=part,
        )
        return lambda index: dataset(offset + index)
    patches = Patches(make_skies(config, normalizer), data.side, batch, seed, part)

    def batches(index: int) -> Batch:
        kappa, gamma, scale = patches(offset + index)
        return Batch(observe(kappa, gamma, offset + index, part, batch), scale)

    return batches


def parts(config: RunConfig, store: MapStore) -> dict[str, np.ndarray]:
    """Rows that train and rows that validate: those of whole boxes, shared out by box.

    Raises:
        ValueError: Too few boxes, or maps that are not there.
    """
    data, total = config.data, config.data.maps or len(store)
    if total > len(store):
        raise ValueError(f"`data.maps` must be at most the store's {len(store)} rows, got {total}")
    lost = [row for row in store.missing() if row < total]
    if lost:
        raise ValueError(
            f"{len(lost)} of the first {total} maps of {store.path} are missing (row {lost[0]} is "
            f"the first): resume the run that makes them, or train on data.maps={lost[0]}"
        )
    shares = {"train": 1 - data.held_out, "validate": data.held_out}
    rows = store.split(shares, seed=config.train.seed)
    rows = {name: np.asarray([r for r in part if r < total]) for name, part in rows.items()}
    empty = [name for name, part in rows.items() if len(part) == 0]
    if empty:
        raise ValueError(
            f"the first {total} maps of {store.path} hold no box to {empty[0]} on: take more maps"
        )
    return rows


def make_fields(
    config: RunConfig, normalizer: Normalizer, n: int, *, seed: int, **observe: float
) -> list[ShearField]:
    """`n` fields at the fiducial cosmology with the COSMOS mask and σ, for scores."""
    patches = Patches(
        make_skies(config, normalizer, fiducial=True), config.data.side, min(n, 4), seed
    )
    look = Observe(cosmos().sigma, normalizer.pixel_scale, **({"real": 1.0} | observe), seed=seed)
    fields = []
    for index in range(-(-n // patches.batch)):
        kappa, gamma, _ = patches(index)
        fields += unbatched(look(kappa, gamma, index))
    return fields[:n]


def held_out_fields(config: RunConfig, store: MapStore) -> list[ShearField]:
    """Fields of the validation boxes with the COSMOS mask and σ, spread over boxes and n(z)."""
    rows, n = parts(config, store)["validate"], config.train.validate_maps
    chosen = rows[np.linspace(0, len(rows) - 1, min(n, len(rows))).round().astype(int)]
    side = config.data.side
    return fixed_fields(
        store, chosen, cosmos().sigma[:side, :side].contiguous(), seed=config.train.seed
    )


def unbatched(field: ShearField) -> list[ShearField]:
    """The single fields of a batch."""
    arrays = {k: getattr(field, k) for k in ("gamma", "sigma", "mask", "kappa", "area")}
    return [
        ShearField(field.grid, **{k: v[i] for k, v in arrays.items()})
        for i in range(len(field.gamma))
    ]


def make_validate(
    config: RunConfig,
    normalizer: Normalizer,
    device: torch.device,
    *,
    deterministic: bool,
    store: MapStore | None = None,
) -> Callable[[UNet], dict[str, float]]:
    """Scores of a network on fixed fields from other skies than any it trains on."""
    fields = _unseen(config, normalizer, store)
    n = 1 if deterministic else config.train.validate_samples

    @torch.inference_mode()
    def validate(network: UNet) -> dict[str, float]:
        means, variances, singles, stacks = [], [], [], []
        for i, field in enumerate(fields):
            maps = draw(network, normalizer, field, n, device, i, zero=deterministic)
            means.append(maps.mean(0))
            variances.append(maps.var(0) if n > 1 else 0 * maps[0])
            singles.append(maps[0])
            stacks.append(maps.float())
        truth = torch.stack([f.truth for f in fields])
        area = torch.stack([f.footprint for f in fields])
        mean, var, one = (torch.stack(m) for m in (means, variances, singles))
        gain = reward.measured_gain(
            mean_square(one, truth, area).mean().item(),
            mean_square(mean, truth, area).mean().item(),
        )
        crps = (
            fair_crps(torch.stack(stacks), truth.float(), area).item() / normalizer.fiducial
            if n > 1
            else float("nan")
        )
        return {
            "crps": crps,
            "r": pearson(mean, truth, area).mean().item(),
            "rmse": rmse(mean, truth, area).mean().item(),
            "ratio": spread_skill(mean, var, truth, area, n).item(),
            "gain": gain,
        }

    return validate


def make_validate_moments(
    config: RunConfig,
    normalizer: Normalizer,
    device: torch.device,
    *,
    store: MapStore | None = None,
) -> Callable[[Moments], dict[str, float]]:
    """Scores of mean and variance on the fields of :func:`make_validate`.

    Beside the score of the variance its spread/skill √(⟨v⟩/⟨e²⟩): `ratio` over all pixels,
    `ratio_1` … `ratio_10` by decile of the predicted variance.
    """
    fields = _unseen(config, normalizer, store)
    scales = torch.tensor([normalizer.scale(f) for f in fields])[:, None, None]
    truth = torch.stack([f.truth for f in fields]).float() / scales
    area = torch.stack([f.footprint for f in fields])

    @torch.inference_mode()
    def validate(network: Moments) -> dict[str, float]:
        maps = []
        for field in fields:
            condition = normalizer.condition(field.to(device), network.multiple)
            inside = field.footprint[None].to(device)
            maps.append([x.cpu() for x in moments(network(condition), condition, inside)])
        mean, var = (torch.cat(x) for x in zip(*maps, strict=True))
        level = levels(var, area)
        spread, error = by_level(mean, var, truth, area, level, float("inf"))
        deciles = torch.sqrt(spread.sum(0) / error.sum(0)).tolist()
        spread, error = spread_and_error(mean, var, truth, area, area, float("inf"))
        return {
            "score": variance_score(var, (mean - truth) ** 2, area).item(),
            "r": pearson(mean, truth, area).mean().item(),
            "rmse": rmse(scales * mean, scales * truth, area).mean().item(),
            "ratio": torch.sqrt(spread.sum() / error.sum()).item(),
            **{f"ratio_{k}": x for k, x in enumerate(deciles, start=1)},
        }

    return validate


def _unseen(config: RunConfig, normalizer: Normalizer, store: MapStore | None) -> list[ShearField]:
    """Fixed fields from other skies than any that are trained on."""
    if store is not None:
        return held_out_fields(config, store)
    seed = 2 * config.train.seed + VALIDATE
    return make_fields(config, normalizer, config.train.validate_maps, seed=seed)


def draw(
    network: UNet,
    normalizer: Normalizer,
    field: ShearField,
    n: int,
    device: torch.device,
    key: int,
    *,
    zero: bool,
) -> Float[Tensor, "N H W"]:
    """`n` maps of a network as it stands, less their footprint mean, on the CPU.

    Args:
        network: The generator.
        normalizer: Fields to channels.
        field: One field.
        n: Number of maps.
        device: Where the network lives.
        key: Seed of the latents.
        zero: Latents of zero: the map of a network trained by regression.
    """
    scale = normalizer.scale(field)
    condition = normalizer.condition(field.to(device), network.multiple, scale)
    shape = tuple(condition.shape[-2:])
    latents = network.latents(shape, [generator(key, i) for i in range(n)])
    latents = [(0 * x if zero else x).to(device) for x in latents]
    deviation = normalizer.deviation(condition, field.grid.pixel_scale)
    filtered = condition[:, FILTERED : FILTERED + 1]
    shares = network.shares(network.features(condition))
    kappa = painted(
        network,
        normalizer,
        filtered,
        deviation,
        latents,
        lambda seen: network.paint(shares, seen),
        field.grid.shape,
        scale,
    )
    return remove_mean(kappa.cpu(), field.footprint)
