"""The first demo in JupyterLab: a halo is dragged over the sky, and the galaxies answer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import TimeoutError

TRIES = 5  #: what is dragged before the kernel listens is lost; a person drags again

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
]

_READ = """name => {
  for (const document of Bokeh.documents) {
    const source = document.get_model_by_name(name)
    if (source != null)
      return Object.fromEntries(Object.entries(source.data).map(([k, v]) => [k, [...v]]))
  }
}"""
_SIZE = """() => {
  for (const document of Bokeh.documents) {
    const plot = document.get_model_by_name("sky")
    if (plot != null) return {width: plot.inner_width, height: plot.inner_height}
  }
}"""

_RUN = """() => {
  const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")]
  return prompts.length > 0 && prompts.every(node => /\\[\\d+\\]/.test(node.textContent))
}"""


def columns(page: Any, name: str) -> dict[str, np.ndarray]:
    """The columns of a source, as the browser has them."""
    return {key: np.array(values) for key, values in page.evaluate(_READ, name).items()}


def answered(page: Any, first: float) -> bool:
    """Whether the galaxies have turned since the first of them had this angle."""
    turned = f"() => Math.abs(({_READ})('lensed').angle[0] - {first}) > 1e-9"
    try:
        page.wait_for_function(turned, timeout=20_000)
    except TimeoutError:
        return False
    return True


def test_a_dragged_halo_turns_the_galaxies(
    tab: Any, laboratory: Callable[[Path], str], root: Path, tmp_path: Path
) -> None:
    page = tab.page
    shutil.copy(root / "demos" / "01_shear_and_mass.ipynb", tmp_path / "demo.ipynb")
    page.set_viewport_size({"width": 1280, "height": 4000})  # cells out of sight are not drawn
    page.goto(f"{laboratory(tmp_path)}/demo.ipynb", timeout=tab.patience)
    page.wait_for_function(
        "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
        " == 'idle'",
        timeout=tab.patience,
    )
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(_RUN, timeout=tab.patience)
    figure = page.locator(".bk-Figure").first
    figure.wait_for(timeout=tab.patience)
    page.wait_for_function(f"() => ({_SIZE})()?.width > 0", timeout=tab.patience)
    before = columns(page, "lensed")

    # The frame is the right and upper part of the figure; the axes are 32 arcmin long.
    size, box = page.evaluate(_SIZE), figure.bounding_box()
    x = box["x"] + box["width"] - 5 - size["width"] / 2
    y = box["y"] + 5 + size["height"] / 2
    for turn in range(TRIES):
        page.mouse.move(x + 40 * turn, y - 30 * turn)
        page.mouse.down()
        page.mouse.move(x + 40 * (turn + 1), y - 30 * (turn + 1), steps=8)
        page.mouse.up()
        if answered(page, float(before["angle"][0])):
            break
    page.wait_for_function(f"() => ({_ALONG}) > 0.99", timeout=tab.patience)
    assert tab.errors == [] or all("favicon" in error for error in tab.errors)


#: Median over the galaxies of how well they lie along circles about the halo, from −1 to 1.
_ALONG = f"""(() => {{
  const halo = ({_READ})("centre"), sky = ({_READ})("lensed")
  const along = sky.x.map((x, i) => {{
    const bearing = Math.atan2(sky.y[i] - halo.y[0], x - halo.x[0])
    return -Math.cos(2 * (sky.angle[i] - bearing))
  }})
  return along.sort((a, b) => a - b)[along.length >> 1]
}})()"""
