"""What the posterior of COSMOS looks like before anyone has pressed Start.

Mean and std of samples drawn beforehand (``benchmarks/make_first_look.py``), so that the page
does not open empty. A test holds them to the bundled network.
"""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

import massgan_core as mg

if TYPE_CHECKING:
    from massgan_core.posterior import Summary

FILE = files("explorer") / "bundled" / "cosmos.npz"
CHOICE = ("cosmos", None)  #: the `State.field_choice` it is of
SAMPLER = "gan:default"


def first_look(choice: tuple, sampler: str) -> Summary | None:
    """Moments of the samples that `sampler` would draw of a field; None where none were kept.

    The summary holds no samples.
    """
    return _cosmos() if (choice, sampler) == (CHOICE, SAMPLER) else None


def write(summary: Summary, path: Any) -> None:
    """Mean and std as float16: 0.1 % of what they are, far below their sampling error."""
    maps = {name: getattr(summary, name).numpy().astype(np.float16) for name in ("mean", "std")}
    facts = json.dumps({"n": summary.n, **summary.provenance})
    np.savez_compressed(path, facts=np.array(facts), **maps)


@lru_cache(maxsize=1)
def _cosmos() -> Summary:
    from massgan_core.posterior import Summary

    with as_file(FILE) as path, np.load(path, allow_pickle=False) as file:
        mean, std = (torch.from_numpy(file[name].astype(np.float64)) for name in ("mean", "std"))
        facts = json.loads(str(file["facts"]))
    n = facts.pop("n")
    moments = mg.RunningMoments(n, mean, std**2 * (n - 1))
    return Summary(mg.cosmos(), moments, (), facts, first=n)
