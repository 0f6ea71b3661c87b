"""The page without a server: served plainly it draws samples, as a file it shows those it has."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import torch

import massgan_core as mg
from explorer.first_look import CHOICE, SAMPLER, first_look
from massgan_core.sky import remove_mean
from page.build import build
from page.latents import latents

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SEED = 1  # of the page
#: A map of the run or of a card as base64: its floats in the order of the pixels.
_READ = """source => {
  const map = source.split(".").reduce((at, name) => at[name], massgan)
  if (map == null) return null
  const bytes = new Uint8Array(Float32Array.from(map).buffer)
  let text = ""
  for (let i = 0; i < bytes.length; i += 32768)
    text += String.fromCharCode(...bytes.subarray(i, i + 32768))
  return btoa(text)
}"""


class Plain(SimpleHTTPRequestHandler):
    """A host that sets no headers of its own."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as `make page` builds it, with fewer samples drawn beforehand."""
    out = tmp_path_factory.mktemp("static") / "page"
    build(out, 16)
    return out


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[str]:
    """Its address under a plain host."""
    host = ThreadingHTTPServer(("127.0.0.1", 0), partial(Plain, directory=str(folder)))
    Thread(target=host.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{host.server_port}/"
    host.shutdown()
    host.server_close()


@pytest.fixture(scope="module")
def network() -> Any:
    return mg.load(SAMPLER.partition(":")[2])


def read(tab: Any, source: str) -> torch.Tensor:
    """A map of the page, row 0 at the South."""
    told = tab.page.evaluate(_READ, source)
    assert told is not None, f"{source} shows nothing"
    flat = np.frombuffer(base64.b64decode(told), np.float32)
    side = int(len(flat) ** 0.5)
    return torch.from_numpy(flat.reshape(side, side).copy())


def expected(network: Any, field: mg.ShearField, sample: int) -> torch.Tensor:
    """A sample of the page, as torch paints it."""
    shapes = network.network.latent_shapes((320, 320))
    white = [torch.from_numpy(level) for level in latents(shapes, SEED, sample)]
    return remove_mean(network.paint(field, white), field.footprint)[0]


def rms(off: torch.Tensor) -> float:
    return float(off.square().mean().sqrt())


def test_the_folder_is_light_and_whole(folder: Path) -> None:
    """Every file that the page names is there; what a visitor may have to load is bounded."""
    size = {str(p.relative_to(folder)): p.stat().st_size for p in folder.rglob("*") if p.is_file()}
    about = json.loads((folder / "about.js").read_text().removeprefix("var massgan="))["about"]
    assert about["bytes"] == {name: n for name, n in size.items() if "/" in name}
    for name in about["choices"]:
        assert {f"fields/{name}.js", f"fields/{name}.safetensors"} <= size.keys()
    top = {"index.html", "style.css", "about.js", "page.js", "worker.js", "NOTICE.txt"}
    assert {name for name in size if "/" not in name} == top
    before_start = sum(size[name] for name in (*top, "fields/cosmos.js"))
    on_start = size["ort/wasm.wasm"] + sum(n for name, n in size.items() if "networks" in name)
    assert before_start < 2.5e6 and on_start < 23e6 and sum(size.values()) < 60e6


def test_onnx_gives_the_samples_of_torch(folder: Path, network: Any) -> None:
    import onnxruntime
    from safetensors.numpy import load_file

    encoder, decoder = (
        onnxruntime.InferenceSession(folder / "networks" / f"{name}.onnx")
        for name in ("encoder", "decoder")
    )
    known, field = first_look(CHOICE, SAMPLER), mg.cosmos()
    told = load_file(folder / "fields" / "cosmos.safetensors")
    names = [one.name for one in encoder.get_outputs()]
    shared = encoder.run(None, {"condition": told.pop("condition")})
    drawn = {
        f"latent{level}": white
        for level, white in enumerate(latents(network.network.latent_shapes((320, 320)), SEED, 5))
    }
    (kappa,) = decoder.run(None, told | dict(zip(names, shared, strict=True)) | drawn)
    off = (torch.from_numpy(kappa[0]) - expected(network, field, 5)) / known.std
    assert rms(off[field.footprint]) < 1e-3


def test_a_visitor_draws_samples_that_agree_with_the_explorer_s(
    tab: Any, site: str, network: Any
) -> None:
    tab.open(site).press("Start").wait('[data-state="finished"]')
    status = tab.status()
    assert (status["n"], status["total"], status["backend"]) == ("64", "64", "wasm")
    assert not tab.page.evaluate("crossOriginIsolated")  # so there was one thread
    print(f"{status['seconds']} s a sample")
    known, field = first_look(CHOICE, SAMPLER), mg.cosmos()
    area = field.footprint

    # Each sample is torch's.
    for sample in (0, 63):
        off = read(tab, f"run.samples.{sample}") - expected(network, field, sample)
        assert rms((off / known.std)[area]) < 1e-3

    # Mean and std are those of 512 samples of other latents, within the sampling error.
    mean, std = read(tab, "run.mean"), read(tab, "run.std")
    z = ((mean - known.mean) / (known.std * (1 / 64 + 1 / known.n) ** 0.5))[area]
    assert 0.9 < z.std() < 1.1 and z.mean().abs() < 0.05 and (z.abs() > 5).float().mean() < 1e-3
    assert 0.97 < std[area].mean() / known.std[area].mean() < 1.03
    ratio = (std / known.std)[area].log()
    assert rms(ratio) < 1.5 * (1 / (2 * 63) + 1 / (2 * known.n)) ** 0.5
    # It is what the cards show, and the worker's moments are those of its samples.
    assert torch.equal(read(tab, "cards.mean.map"), mean)
    samples = torch.stack([read(tab, f"run.samples.{i}") for i in range(64)])
    moments = mg.RunningMoments().update(samples)
    torch.testing.assert_close(mean, moments.mean.float(), atol=1e-7, rtol=1e-5)
    torch.testing.assert_close(std, moments.std.float(), atol=1e-7, rtol=1e-5)

    assert {urlsplit(url).netloc for url in tab.requests if url.startswith("http")} == {
        urlsplit(site).netloc
    }
    assert tab.errors == []


def test_stop_is_at_once_and_going_on_changes_nothing(tab: Any, site: str, network: Any) -> None:
    tab.open(f"{site}#field=nbody")
    tab.page.select_option("#total", "16")
    tab.press("Start")
    tab.page.wait_for_function("massgan.run.n >= 2")
    # Within the press itself: no map that is on the way is waited for.
    told = tab.page.evaluate(
        """() => {
          const n = massgan.run.n
          document.getElementById("start").click()
          const { state, n: after } = document.getElementById("massgan-status").dataset
          return [state, n, Number(after), massgan.run.worker]
        }"""
    )
    state, before, after, worker = told
    assert state == "stopped" and before == after < 16 and worker is None
    assert tab.page.locator("#again").is_visible()
    tab.press("Go on").wait('[data-state="finished"]')
    field = mg.simulated("nbody", seed=0)
    std = read(tab, "run.std")[field.footprint].mean()
    for sample in (0, before, 15):
        off = read(tab, f"run.samples.{sample}") - expected(network, field, sample)
        assert rms(off[field.footprint]) < 1e-3 * std
    moments = mg.RunningMoments().update(
        torch.stack([read(tab, f"run.samples.{i}") for i in range(16)])
    )
    torch.testing.assert_close(read(tab, "run.mean"), moments.mean.float(), atol=1e-7, rtol=1e-5)
    # Others, from another seed, when asked.
    assert not tab.page.locator("#again").is_visible()
    first = read(tab, "run.samples.0")
    tab.press("Start again")
    tab.page.wait_for_function("massgan.run.n >= 1")
    assert not torch.equal(read(tab, "run.samples.0"), first)
    tab.press("Stop").wait('[data-state="stopped"]')
    assert tab.errors == []


def test_a_graphics_card_that_fails_is_not_asked_again(tab: Any, site: str) -> None:
    claim = "{value: {requestAdapter: async () => ({info: {isFallbackAdapter: false}})}}"
    tab.page.add_init_script(f"Object.defineProperty(navigator, 'gpu', {claim})")
    tab.open(site)
    tab.page.select_option("#total", "16")
    tab.press("Start")
    tab.page.wait_for_function("massgan.run.n >= 1")
    assert tab.status()["backend"] == "wasm"
    tab.press("Stop").press("Start again").wait('[data-state="running"]').press("Stop")
    assert sum(url.endswith("webgpu.wasm") for url in tab.requests) == 1
    assert sum(url.endswith("webgpu.js") for url in tab.requests) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_file_shows_what_was_drawn_beforehand_and_how_to_serve_it(
    tab: Any, folder: Path, theme: str
) -> None:
    tab.open(f"{(folder / 'index.html').as_uri()}#theme={theme}")
    assert tab.page.get_by_role("button", name="Start", exact=True).is_disabled()
    assert "python3 -m http.server" in tab.page.locator("#served").inner_text()
    for name in ("ks", "sample", "mean", "std", "snr"):
        assert tab.page.locator(f'[data-map="{name}"]').get_attribute("data-shown") == "true"
    assert not tab.page.locator('[data-map="truth"]').is_visible()
    known, area = first_look(CHOICE, SAMPLER), mg.cosmos().footprint
    shown = read(tab, "cards.mean.map")
    torch.testing.assert_close(shown[area], known.mean[area], atol=2e-5, rtol=0)
    first = read(tab, "cards.sample.map")
    tab.press("Later sample")
    assert tab.page.locator('[data-map="sample"] small').inner_text() == "2 of 16"
    assert not torch.equal(read(tab, "cards.sample.map")[area], first[area])

    # North is up: the highest pixel of the mean has its colour where it lies on the screen.
    row, column = np.unravel_index(int(shown.nan_to_num(-1).argmax()), shown.shape)
    pixel = tab.page.evaluate(
        """([x, y]) => [...document.querySelector('[data-map="mean"] canvas')
             .getContext("2d").getImageData(x, y, 1, 1).data]""",
        [int(column), shown.shape[0] - 1 - int(row)],
    )
    last = tab.page.evaluate("t => massgan.about.palettes.kappa[t].at(-1)", theme)
    assert "#{:02x}{:02x}{:02x}".format(*pixel[:3]) == last
    assert tab.errors == []


def test_pointing_says_what_is_there_on_all_maps(tab: Any, site: str) -> None:
    tab.open(site)
    cluster = tab.page.evaluate("massgan.fields.cosmos.clusters.find(c => c.found > 0.9)")
    frame = tab.page.locator('[data-map="ks"] .frame')
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    left, _, _, top = mg.cosmos().grid.bounds
    side = mg.cosmos().grid.extent[0]
    x = box["x"] + (cluster["x"] - left) / side * box["width"]
    y = box["y"] + (top - cluster["y"]) / side * box["height"]
    tab.page.mouse.move(x, y)
    said = tab.page.locator("#tip").inner_text()
    assert cluster["name"] in said and "\u202f% of the samples" in said and "RA 1" in said
    for name in ("ks", "mean", "std"):
        small = tab.page.locator(f'[data-map="{name}"] small').inner_text()
        assert small == "not observed" or float(small.replace("−", "-")) < 1
    tab.page.mouse.move(2, 2)
    assert not tab.page.locator("#tip").is_visible()


def test_a_file_that_is_missing_is_one_sentence_and_nothing_is_lost(tab: Any, site: str) -> None:
    tab.page.route("**/decoder.onnx", lambda route: route.fulfill(status=404))
    tab.open(site).press("Start").wait('[data-state="failed"]')
    assert tab.page.locator("#alert").inner_text() == "The file networks/decoder.onnx is missing."
    tab.page.unroute("**/decoder.onnx")
    tab.page.route("**/decoder.onnx", lambda route: route.abort())
    tab.press("Start").wait('[data-state="failed"]')
    assert "cannot be reached" in tab.page.locator("#alert").inner_text()
    tab.page.unroute("**/decoder.onnx")
    tab.page.route("**/ort/wasm.js", lambda route: route.fulfill(body="nonsense("))
    tab.press("Start").wait('[data-state="failed"]')
    said = tab.page.locator("#alert").inner_text()
    assert said == "This browser could not run the network."
    tab.page.unroute("**/ort/wasm.js")
    tab.press("Start").wait('[data-state="running"]')
    assert not tab.page.locator("#alert").is_visible()
    tab.press("Stop")
    tab.press("Drawn beforehand (512)")
    assert tab.page.locator('[data-map="mean"] small').inner_text() == "of 512 samples"


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_sticks_out_at_any_width(
    new_tab: Callable[[], Any], site: str, width: int
) -> None:
    tab = new_tab()
    tab.page.set_viewport_size({"width": width, "height": 800})
    tab.open(f"{site}#field=ktng")
    assert tab.page.locator('[data-map="truth"]').is_visible()
    wide = tab.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    assert tab.errors == []
