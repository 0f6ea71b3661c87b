"""Would it pay to draw the samples of several visitors in one call, or to send them otherwise?

    python benchmarks/explorer_batches.py --write

Measures, on COSMOS with the bundled network: the time of a sample by the number painted in one
call, interleaved and as medians of repeats; and what it costs to hand a batch to a worker and
back by the ways there are. `--write` puts it into docs/howto/deploy.md. One or two minutes.
"""

from __future__ import annotations

import argparse
import pickle
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from importlib import import_module
from multiprocessing import Pipe, shared_memory
from statistics import median
from threading import Thread
from typing import Any

import numpy as np
import torch

import massgan_core as mg
from explorer_many import PAGE
from massgan_core.serving import packed
from massgan_core.serving_worker import receive, send

BEGIN, END = "<!-- benchmarks/explorer_batches.py -->", "<!-- end of the measures -->"
BATCHES = (1, 2, 4, 8)
SENT = 8  #: samples a batch that is handed over


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--write", action="store_true", help=f"into {PAGE.name}")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    block = told(painting(asked.repeats), handing(5 * asked.repeats), asked.threads)
    print(block)
    if asked.write:
        put = import_module("readme_table").written
        PAGE.write_text(put(PAGE.read_text("utf-8"), block, BEGIN, END), "utf-8")


def painting(repeats: int) -> dict[int, float]:
    """Seconds a sample by the number of samples in one call of the decoder."""
    network, field = mg.load("default"), mg.cosmos()
    network.sample(field, 1, 0)  # the encoder runs once a field
    times: dict[int, list[float]] = {batch: [] for batch in BATCHES}
    for repeat in range(repeats):
        for batch in BATCHES:
            took = seconds(partial(network.sample, field, batch, repeat))
            times[batch].append(took / batch)
    return {batch: median(found) for batch, found in times.items()}


def handing(repeats: int) -> dict[str, float]:
    """Seconds to hand a batch of samples from one process's memory to another's, by the way."""
    samples = np.random.default_rng(0).normal(size=(SENT, 300, 300)).astype(np.float32)
    ours, theirs = Pipe()
    with closing(ours), closing(theirs):
        ways = {
            "buffers of pickle 5": lambda: _over(lambda: send(theirs, samples), ours, receive),
            "plain pickle": lambda: _over(
                lambda: theirs.send_bytes(pickle.dumps(samples)),
                ours,
                lambda line: pickle.loads(line.recv_bytes()),
            ),
            "shared memory": lambda: _shared(samples),
        }
        found = {name: median(seconds(way) for _ in range(repeats)) for name, way in ways.items()}
    field = mg.cosmos()
    packed(field)  # once a field
    content = packed(field).content
    ours, theirs = Pipe()
    with closing(ours), closing(theirs):
        found["the field"] = median(
            seconds(
                lambda: pickle.loads(_over(lambda: send(theirs, content), ours, receive)),
            )
            for _ in range(repeats)
        )
    return found


def _over(give: Callable[[], Any], line: Any, take: Callable[[Any], Any]) -> Any:
    giver = Thread(target=give)
    giver.start()
    taken = take(line)
    giver.join()
    return taken


def _shared(samples: np.ndarray) -> np.ndarray:
    block = shared_memory.SharedMemory(create=True, size=samples.nbytes)
    try:
        np.ndarray(samples.shape, samples.dtype, block.buf)[:] = samples
        other = shared_memory.SharedMemory(block.name)
        try:
            return np.ndarray(samples.shape, samples.dtype, other.buf).copy()
        finally:
            other.close()
    finally:
        block.close()
        block.unlink()


def seconds(call: Callable[[], Any]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def told(paint: dict[int, float], hand: dict[str, float], threads: int) -> str:
    """What was found, in words."""
    rows = [f"| {batch} | {1e3 * found:.0f} |" for batch, found in paint.items()]
    gain = paint[1] / min(paint.values())
    ways = ", ".join(f"{name} {1e3 * hand[name]:.1f} ms" for name in list(hand)[:-1])
    share = hand["buffers of pickle 5"] / (SENT * paint[SENT])
    return "\n".join(
        [
            f"A sample of COSMOS by the number in one call of the network, {threads} thread(s):",
            "",
            "| samples in a call | ms a sample |",
            "| --- | --- |",
            *rows,
            "",
            f"The best is {gain:.2f} times as fast as one by one. Handing over a batch of {SENT}: "
            f"{ways}; the first of these is what is done, {share:.1%} of the time to draw it. "
            f"A field, once a worker: {1e3 * hand['the field']:.1f} ms.",
        ]
    )


if __name__ == "__main__":
    main()
