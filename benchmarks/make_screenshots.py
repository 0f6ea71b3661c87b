"""Make the pictures of the page that the documentation shows, in headless Chromium.

    python benchmarks/make_screenshots.py [NAME …] [--out docs]

Each is a link, a few presses, and a wait for what the page itself says of its state.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 600_000  #: of the browser [ms]
WIDTH, HEIGHT = 1600, 1200
COLORS = 256  #: of the file, which is a fifth as large for it

#: Choices in the link, and buttons to press; Start is waited for.
SHOTS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "screenshot": ({"n": 64, "cluster": "COSMOS X-ray cluster 106"}, ("Start",)),
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
            page = browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"
            ).new_page()
            said: list[str] = []
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            picture = shoot(page, address, *SHOTS[name])
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


def shoot(page: Page, address: str, choices: dict, presses: tuple[str, ...]) -> bytes:
    """The whole page as PNG, once its pictures are drawn."""
    page.goto(f"{address}?{urlencode({'version': 1, **choices})}", timeout=PATIENCE)
    page.wait_for_selector('#massgan-status[data-state="idle"]', timeout=PATIENCE)
    for label in presses:
        page.get_by_role("button", name=label, exact=True).click()
        if label == "Start":
            page.wait_for_selector('#massgan-status[data-state="finished"]', timeout=PATIENCE)
    settle(page)
    return page.screenshot(full_page=True)


def settle(page: Page) -> None:
    """Wait until two pictures of the page are the same: Bokeh does not say when it has drawn."""
    last = b""
    while (now := page.screenshot(full_page=True)) != last:
        last = now
        page.wait_for_timeout(1500)


def write(png: bytes, path: Path) -> None:
    """Keep it small."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    few = image.quantize(COLORS, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


if __name__ == "__main__":
    main()
