"""Training by several processes, as torchrun would start them; a script for a test to run.

    python tests/core/together.py OUT

The ranks are forked from one process that has imported everything: to start one anew takes
longer than to train. Below OUT, ``alone``, ``shared`` and ``broken`` are folders of runs.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import lightning_fabric  # noqa: F401 (imported late otherwise, once a process)
import torch

from massgan_core.cli.main import app
from massgan_core.gan.config import read_config, updated
from massgan_core.gan.trainer import Trainer
from massgan_core.score.config import ScoreConfig
from massgan_core.training import train_stages
from massgan_core.training_data import make_fields, make_normalizer
from massgan_core.training_score import ScoreTraining, train_score
from massgan_core.training_score_skies import LognormalSkies

STEPS = 4
SETTINGS = [f"train.{stage}.steps={STEPS}" for stage in ("regression", "adversarial", "variance")]
SETTINGS += ["train.validate_every=1", "train.precision=fp32", "train.save_minutes=0"]
SETTINGS += ["data.sky=128", "data.real=0.2", "train.validate_maps=2"]
# All losses at once.
SETTINGS += [f"train.adversarial.{k}=0.5" for k in ("crps", "spread", "peaks", "skewness", "mean")]
PUBLISHED = [*SETTINGS, "network.kind=published", "network.widths=[4,4]", "network.latent=2"]
PRIOR = {"widths": [8, 16], "bottleneck": 1, "embedding": 16, "side": 64, "sky": 128, "batch": 4}
PRIOR |= {"stretch": [1.0], "sigma8": [0.75, 0.85], "lr": 5e-3, "warmup": 2, "steps": STEPS}
PRIOR |= {"validate_maps": 2, "validate_every": 1, "ratio_levels": [1.0], "ratio_bands": 3}
PRIOR |= {"ratio_maps": 1, "precision": "fp32", "save_minutes": 0.0}


def main(out: Path) -> None:
    """All runs, one after the other."""
    torch.set_num_threads(1)
    # What is kept of these need not be made by every rank.
    normalizer = make_normalizer()
    make_fields(read_config("tiny", SETTINGS), normalizer, 1, seed=0)
    LognormalSkies(updated(ScoreConfig(), PRIOR)).train(0)
    alone, shared, broken = (out / name for name in ("alone", "shared", "broken"))
    ranks(1, everything, alone)
    ranks(2, everything, shared)
    for stage in ("adversarial", "score"):
        start = alone / "regression/regression.safetensors"
        for count, last in ((2, 2), (3, 3), (1, STEPS)):
            ranks(count, goes_on, broken, stage, start, last)


def ranks(count: int, run: Callable[..., None], out: Path, *args: object) -> None:
    """Run ``run(out, *args)`` by so many processes; what each says goes to a file."""
    out.mkdir(exist_ok=True)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    sys.stderr.flush()
    children = []
    for rank in range(count):
        if not (child := os.fork()):
            os.environ |= _as_torchrun_does(rank, count, port) if count > 1 else {}
            said = open(out / f"said_{count}_{rank}", "a", buffering=1)
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            if rank:
                sys.addaudithook(lambda event, words: _only_reads(out, event, words))
            try:
                run(out, *args)
            except SystemExit:
                pass
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)


def _as_torchrun_does(rank: int, count: int, port: int) -> dict[str, str]:
    numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    numbers |= {"GROUP_RANK": 0, "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": port}
    return {"MASTER_ADDR": "localhost"} | {k: str(v) for k, v in numbers.items()}


def _only_reads(out: Path, event: str, words: tuple) -> None:
    """Stop a rank that writes below `out`."""
    writes = event in ("os.mkdir", "os.rename") or (
        event == "open" and words[2] & (os.O_WRONLY | os.O_RDWR)
    )
    if writes and str(words[0]).startswith(str(out)):
        raise AssertionError(f"a rank other than the first has written: {event} {words}")


def everything(out: Path) -> None:
    """Train what there is to train."""
    run = Trainer.run

    def watched(self: Trainer, until: float) -> bool:
        done = run(self, until)
        print(self.stage, digest(self.network), flush=True)  # os._exit would lose it
        return done

    Trainer.run = watched
    config = read_config("tiny", SETTINGS)
    mean = train_stages(config, out, stage="regression")
    train_stages(config, out, stage="adversarial", start=mean)
    train_stages(config, out, stage="variance", start=mean)
    train_stages(read_config("tiny", PUBLISHED), out / "published", stage="regression")
    train_score(out / "score", **PRIOR)


def digest(network: torch.nn.Module) -> str:
    """Of all weights."""
    parts = [p.detach().contiguous().numpy().tobytes() for p in network.parameters()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def goes_on(out: Path, stage: str, start: Path, last: int) -> None:
    """A stage by the command line, from where it was; at step `last` the last rank is killed."""
    home, name = (ScoreTraining, "_descend") if stage == "score" else (Trainer, "_compete")
    step = getattr(home, name)

    def dies(self: Trainer | ScoreTraining, *args: object) -> object:
        if self.step == last and int(os.environ["RANK"]) == int(os.environ["WORLD_SIZE"]) - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return step(self, *args)

    setattr(home, name, dies)
    words = ["--resume", "--device", "cpu", "--out"]
    if stage == "score":
        words = [*(f"{k}={v}" for k, v in PRIOR.items()), *words, str(out / "score")]
    else:
        words = [*SETTINGS, "--stage", stage, "--start", str(start), *words, str(out)]
    app(["train", "score" if stage == "score" else "tiny", *words])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
