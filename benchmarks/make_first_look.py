"""Draw the samples whose mean and std the page shows before anyone presses Start.

    python benchmarks/make_first_look.py [N]

Writes explorer/bundled/cosmos.npz; to be run again when the bundled network changes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tqdm import tqdm

import massgan_core as mg
from explorer.first_look import SAMPLER, write

PATH = Path(__file__).resolve().parents[1] / "explorer" / "bundled" / "cosmos.npz"


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    method, _, checkpoint = SAMPLER.partition(":")
    field = mg.cosmos()
    stream = mg.stream(mg.sampler(method, field, checkpoint=checkpoint), field, n, 8, keep=0)
    for summary in tqdm(stream, total=-(-n // 8)):  # noqa: B007
        pass
    PATH.parent.mkdir(exist_ok=True)
    write(summary, PATH)


if __name__ == "__main__":
    main()
