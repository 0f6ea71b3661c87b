"""Make the pictures of the page that the documentation shows, in headless Chromium.

    python benchmarks/make_screenshots.py [NAME …] [--out docs]

Each is a link, a few presses, and a wait for what the page itself says of its state; of the page
it shows what a window of that height shows.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600_000  #: of the browser [ms]
WIDTH = 1280  #: of the window [px]
COLORS = 256  #: of the file, which is a third as large for it
FLAT = 16  #: of these are the commonest as they are: page, cards, ink; the rest is dithered


@dataclass(frozen=True)
class Shot:
    """One picture.

    Args:
        choices: In the link.
        presses: Labels of buttons, in this order; after Start the samples are waited for.
        height: Of the window [px].
    """

    choices: dict[str, Any]
    presses: tuple[str, ...]
    height: int


#: Name of the file → what it shows.
SHOTS = {
    "screenshot": Shot(
        {"n": 64, "pictures": ["mean", "std"], "cluster": "COSMOS X-ray cluster 106"},
        presses=("Start",),
        height=1558,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SHOTS))
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    given = parser.parse_args()
    unknown = sorted({*given.names} - {*SHOTS})
    if unknown:
        parser.error(f"NAME must be one of {', '.join(SHOTS)}, got {unknown[0]!r}")
    with served() as address, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name in given.names or SHOTS:
            window = {"width": WIDTH, "height": SHOTS[name].height}
            page = browser.new_context(viewport=window, reduced_motion="reduce").new_page()
            said: list[str] = []
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            picture = shoot(page, address, SHOTS[name])
            if said:
                raise RuntimeError(f"{name}: the page said {said[0]}")
            path = given.out / f"{name}.png"
            write(picture, path)
            print(f"Wrote {path} ({path.stat().st_size / 1000:.0f} kB).")
            page.context.close()


@contextmanager
def served() -> Iterator[str]:
    """Address of a server of our own."""
    command = [sys.executable, "-m", "explorer", "--port", "0", "--no-show"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield next(
            found.group() for line in server.stdout if (found := re.search(r"http://\S+", line))
        )
    finally:
        server.terminate()
        server.wait()


def shoot(page: Page, address: str, shot: Shot) -> bytes:
    """The page as PNG, once its pictures are drawn."""
    said = {k: v if isinstance(v, str) else json.dumps(v) for k, v in shot.choices.items()}
    page.goto(f"{address}?{urlencode({'version': 1, **said})}", timeout=PATIENCE)
    page.wait_for_selector('#massgan-status[data-state="idle"]', timeout=PATIENCE)
    for label in shot.presses:
        page.get_by_role("button", name=label, exact=True).click()
        if label == "Start":
            page.wait_for_selector('#massgan-status[data-state="finished"]', timeout=PATIENCE)
    page.evaluate("scrollTo(0, 0)")
    return settled(page)


def settled(page: Page) -> bytes:
    """The page when two pictures of it are the same: Bokeh does not say when it has drawn."""
    last = b""
    while (now := page.screenshot()) != last:
        last = now
        page.wait_for_timeout(3000)
    return now


def write(png: bytes, path: Path) -> None:
    """Keep it small."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    common = sorted(image.getcolors(image.width * image.height), reverse=True)[:FLAT]
    few = image.quantize(COLORS - FLAT, Image.Quantize.MAXCOVERAGE, kmeans=3)
    palette = Image.new("P", (1, 1))
    palette.putpalette([*few.getpalette(), *(part for _, color in common for part in color)])
    image.quantize(palette=palette).save(path, optimize=True)


if __name__ == "__main__":
    main()
