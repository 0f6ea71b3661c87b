"""A live frame of the explorer: what the server does when a batch of samples has come."""

from __future__ import annotations

import asyncio

from bokeh.document import Document
from bokeh.protocol import Protocol

import massgan_core as mg
from explorer import Explorer
from explorer.views.page import Page
from explorer.views.sending import held
from performance.clock import ratio


def bench_frame(bench):
    """The shown maps of 300² for one new summary, and the message, over drawing its samples."""
    explorer = Explorer(source="simulated", kind="lognormal")
    asyncio.run(explorer.open())
    page, document = Page(explorer), Document()
    document.add_root(page.layout.get_root(document))
    field, sampler = explorer.store.field, mg.load("default")
    pixels = field.grid.shape[0] * field.grid.shape[1]
    summaries = list(mg.stream(sampler, field, 24, 8, seed=1))
    sent: list = []
    document.on_change(sent.append)
    turn, sizes = iter(range(10**6)), []  # bytes a pixel of a map that was sent

    def frame() -> None:
        """What `Page.refresh` does while a run is on."""
        sent.clear()
        with held(document):
            page.maps.show_summary(summaries[next(turn) % len(summaries)], exact=False)
            page._update_words()
        message = Protocol().create("PATCH-DOC", list(sent))
        maps = [memoryview(buffer.data).nbytes for buffer in message.buffers]
        sizes.append((len(message.content_json) + sum(maps)) / pixels / len(maps))

    works = {"frame": frame, "samples": lambda: sampler.sample(field, 8, 1)}
    times = bench.in_turn(works, 2 * bench.rounds)
    bench.say("a frame over drawing its 8 samples", ratio(times, "frame", "samples"), "×")
    bench.say("message of a frame, for each pixel of its maps", sizes[-1], "bytes")
