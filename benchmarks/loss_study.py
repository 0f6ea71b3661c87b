"""What each part of the loss does, on the tiny network: does the spread collapse, is it right?

    python benchmarks/loss_study.py [--steps 300] [--seeds 1] [--out DIR]

Every case starts from the weights of the same regression stage (whose samples do not differ at
all) and trains on the same skies; scores are means over unseen skies. Samples start from white
noise, those of the last rows from residuals of the Gaussian posterior. The table goes to
DIR/loss_study.md, samples of one field to DIR/loss_study.png.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

import massgan_core as mg
from massgan_core.evaluate import pearson, rmse, spread_skill
from massgan_core.gan.config import read_config
from massgan_core.sky import band_power
from massgan_core.training import make_fields, make_normalizer, train

OFF = {"l1": 0.0, "reward": 0.0, "crps": 0.0, "mean": 0.0, "adversarial": 0.0}
CASES = {
    "L1 of the mean": {"l1": 1.0},
    "L1 + adversarial, no reward": {"l1": 1.0, "adversarial": 1e-2},
    "rcGAN: L1 + adversarial + reward": {"l1": 1.0, "reward": 1.0, "adversarial": 1e-2},
    "rcGAN, β_SD not tuned": {"l1": 1.0, "reward": 1.0, "adversarial": 1e-2, "tune": 0.0},
    "fair CRPS of pixels": {"crps": 1.0, "bands": 1},
    "fair CRPS of a pyramid": {"crps": 1.0},
    "CRPS + adversarial": {"crps": 1.0, "adversarial": 1e-3},
    "CRPS + adversarial + error of the mean": {"crps": 1.0, "adversarial": 1e-3, "mean": 0.5},
    "the same from Gaussian residuals": {
        "crps": 1.0,
        "adversarial": 1e-3,
        "mean": 0.5,
        "noise": "posterior",
    },
    "rcGAN from Gaussian residuals": {
        "l1": 1.0,
        "reward": 1.0,
        "adversarial": 1e-2,
        "noise": "posterior",
    },
    "L1 + adversarial, no reward, from Gaussian residuals": {
        "l1": 1.0,
        "adversarial": 1e-2,
        "noise": "posterior",
    },
}
FINE = torch.tensor([2000.0, 6000.0, 18000.0])  #: edges of the two bands of the table


def settings(base, changes):
    """The run of one case."""
    changes = {**OFF, **changes}
    tune = changes.pop("tune", base.train.reward_step)
    network = replace(base.network, noise=changes.pop("noise", "white"))
    stage = replace(base.train.adversarial, **changes)
    train = replace(base.train, adversarial=stage, reward_step=tune)
    return replace(base, network=network, train=train)


def score(path, fields, n=32):
    """One row of the table."""
    sampler, power = mg.load(path), []
    means, variances, smooths = [], [], []
    for i, field in enumerate(fields):
        samples = mg.sky.remove_mean(sampler.sample(field, n, i), field.footprint)
        means.append(samples.mean(0))
        variances.append(samples.var(0))
        power.append(band_power(samples[:4], field.grid, FINE)[1].mean(0))
        blocks = torch.nn.functional.avg_pool2d(
            torch.cat([samples, field.truth[None]])[:, None], 8
        )[:, 0]
        smooths.append((blocks[:-1].mean(0), blocks[:-1].var(0), blocks[-1]))
    truth, area = (torch.stack([getattr(f, k) for f in fields]) for k in ("truth", "footprint"))
    mean, var = torch.stack(means), torch.stack(variances)
    true_power = band_power(truth, fields[0].grid, FINE)[1].mean(0)
    coarse = [torch.stack(x) for x in zip(*smooths, strict=True)]
    whole = torch.ones_like(coarse[0], dtype=torch.bool)
    return [
        pearson(mean, truth, area).mean().item(),
        rmse(mean, truth, area).mean().item(),
        spread_skill(mean, var, truth, area, n).item(),
        spread_skill(*coarse, whole, n).item(),
        *(torch.stack(power).mean(0) / true_power).tolist(),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--fields", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("loss_study"))
    options = parser.parse_args()
    rows = {name: [] for name in ("regression", *CASES)}
    paths = {}
    for seed in range(1, options.seeds + 1):
        base = read_config(
            "tiny",
            [
                f"train.seed={seed}",
                "train.precision=fp32",
                "network.noise=white",
                "train.validate_every=25",
                f"train.regression.steps={options.steps}",
                f"train.adversarial.steps={options.steps}",
            ],
        )
        fields = make_fields(base, make_normalizer(), options.fields, seed=10**6)
        folder = options.out / f"seed_{seed}"
        start = _trained(base, folder / "regression", stage="regression")
        rows["regression"].append(score(start, fields))
        for name, changes in CASES.items():
            case = folder / name.replace(" ", "_").replace(":", "")
            paths[name] = _trained(settings(base, changes), case, stage="adversarial", start=start)
            rows[name].append(score(paths[name], fields))
            print(name, [round(x, 3) for x in rows[name][-1]], flush=True)
    text = table(rows)
    (options.out / "loss_study.md").write_text(text + "\n")
    print(text)
    plot(options.out / "loss_study.png", paths, fields[0])


def _trained(config, out, **options):
    train(config, out, resume=True, **options)
    return out / f"{options['stage']}.safetensors"


def table(rows):
    """Means over seeds, and half the range of spread/skill."""
    lines = [
        "| loss | r | RMSE | spread/skill | in 8² blocks | power 2,000–6,000 | 6,000–18,000 |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, runs in rows.items():
        values = torch.tensor(runs)
        r, error, ratio, block, low, high = values.mean(0).tolist()
        half = (values.amax(0) - values.amin(0))[2].item() / 2
        between = f" ± {half:.2f}" if len(runs) > 1 else ""
        lines.append(
            f"| {name} | {r:.3f} | {error:.4f} | {ratio:.2f}{between} | {block:.2f} | "
            f"{low:.2f} | {high:.2f} |"
        )
    return "\n".join(lines)


def plot(path, paths, field):
    """Truth, and two samples of every case."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        3, len(paths) + 1, figsize=(2.2 * len(paths) + 2.2, 6.6), layout="constrained"
    )
    look = {"origin": "lower", "vmin": -0.06, "vmax": 0.06, "cmap": "magma"}
    axes[0, 0].imshow(field.truth, **look)
    axes[0, 0].set_title("truth", fontsize=8)
    for column, (name, checkpoint) in zip(axes.T[1:], paths.items(), strict=True):
        samples = mg.load(checkpoint).sample(field, 16, 0)
        for axis, image in zip(column, (*samples[:2], samples.mean(0)), strict=True):
            axis.imshow(image, **look)
        column[0].set_title(name, fontsize=6)
        column[2].set_xlabel("mean of 16", fontsize=6)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    axes[1, 0].axis("off")
    axes[2, 0].axis("off")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
