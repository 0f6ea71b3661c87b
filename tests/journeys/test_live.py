"""The main road: a field, a sampler, Start; the pictures are the library's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest

import massgan_core as mg
from explorer.store import circles as circles_of
from explorer.store import inspection
from explorer.views.inspector import sentence

pytestmark = pytest.mark.browser

SAMPLERS = [
    pytest.param("wiener", marks=pytest.mark.slow),
    *(f"gan:{name}" for name in mg.checkpoints()),
]
# A small part of COSMOS: sampled in no time.
PART = {"region": "[150.1,2.25,20,20]", "sampler": "wiener"}
NFW = {"source": "simulated", "kind": "nfw", "outline": "none", "depth": 30}


def _stream(field: mg.ShearField, name: str, n: int, batch: int, seed: int) -> Any:
    method, _, checkpoint = name.partition(":")
    extra = {"checkpoint": checkpoint} if checkpoint else {}
    *_, summary = mg.stream(mg.sampler(method, field, **extra), field, n, batch, seed=seed)
    return summary


def _part() -> mg.ShearField:
    return mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))


def check_same(tab: Any, summary: mg.Summary) -> None:
    for name, expected in (
        ("sample", summary.samples[-1]),
        ("mean", summary.mean),
        ("std", summary.std),
    ):
        image = tab.image(name)
        assert image.dtype == np.float32
        np.testing.assert_array_equal(image, expected.numpy(), err_msg=name)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_cosmos_from_start_to_finish(tab: Any, address: str, sampler: str) -> None:
    choices = {"sampler": sampler, "n": 5, "batch": 2, "seed": 11}
    tab.open(f"{address}?{urlencode(choices)}")
    tab.press("Start").wait('[data-state="finished"]')
    status = tab.status()
    assert (status["n"], status["total"]) == ("5", "5") and int(status["frame"]) >= 1

    field = mg.cosmos()
    check_same(tab, _stream(field, sampler, 5, 2, 11))
    np.testing.assert_array_equal(tab.image("ks"), mg.KaiserSquires(1.0).map(field).numpy())

    # Bokeh does not look for styles that are not there.
    assert tab.page.evaluate("document.documentElement.dataset.unstyled") == "yes"
    # Nothing came from anywhere else, and nothing went wrong.
    hosts = {urlsplit(url).netloc for url in tab.requests if urlsplit(url).netloc}
    assert hosts == {urlsplit(address).netloc}
    assert tab.errors == []


def test_simulated_field_north_up_and_east_left(tab: Any, address: str) -> None:
    choices = {"source": "simulated", "kind": "nfw", "sampler": "wiener"}
    choices |= {"n": 4, "batch": 4, "seed": 2}
    tab.open(f"{address}?{urlencode(choices)}")
    tab.press("Start").wait('[data-state="finished"]')
    field = mg.simulated("nfw", seed=0)
    check_same(tab, _stream(field, "wiener", 4, 4, 2))
    truth = tab.picture("truth")
    np.testing.assert_array_equal(truth["image"], field.truth.numpy())

    # The halo is where +x +y is: the page must draw it up and to the right …
    row, column = np.unravel_index(truth["image"].argmax(), truth["image"].shape)
    height, width = truth["image"].shape
    assert row > 0.52 * height and column > 0.52 * width
    x = truth["x"] + (column + 0.5) / width * truth["dw"]
    y = truth["y"] + (row + 0.5) / height * truth["dh"]
    seen = _place(tab, "truth", x, y)
    assert seen["sx"] > 0.52 * seen["width"]  # pixels of the screen, from the left
    assert seen["sy"] < 0.48 * seen["height"]  # pixels of the screen, from the top
    # … which is North and West: the hover and the axis say so.
    ra, dec = (float(text.rstrip("°").replace("−", "-")) for text in seen["sky"])
    expected = field.grid.pixel_to_sky(column, row)
    np.testing.assert_allclose((ra, dec), [float(v) for v in expected], atol=2e-5)
    center = field.grid.wcs.wcs.crval
    assert ra < center[0] and dec > center[1]
    assert seen["tick"].startswith("−")  # negative offset to the East
    _brightest_is_there(tab, seen)


def _place(tab: Any, name: str, x: float, y: float) -> dict[str, Any]:
    """Where the page draws a point, and what its hover and its axis say of it."""
    return tab.page.evaluate(
        """([name, x, y]) => {
          const plot = Bokeh.documents[0].get_model_by_name(name)
          const frame = Bokeh.index.find_one(plot).frame
          const sx = frame.x_scale.compute(x), sy = frame.y_scale.compute(y)
          const hover = plot.toolbar.tools.find(t => t.formatters && t.formatters["$x"])
          const at = {x, y}
          const say = key => hover.formatters[key].format(0, "custom", at)
          const tick = plot.below[0].formatter.doFormat([x], {}) [0]
          return {sx: sx - frame.bbox.left, sy: sy - frame.bbox.top,
                  width: frame.bbox.width, height: frame.bbox.height,
                  left: frame.bbox.left, top: frame.bbox.top,
                  sky: [say("$x"), say("$y")], tick: String(tick)}
        }""",
        [name, x, y],
    )


def _brightest_is_there(tab: Any, seen: dict[str, Any]) -> None:
    """The most strongly coloured pixels of the drawn truth lie around the halo."""
    drawn = tab.page.evaluate(
        """name => {
          const plot = Bokeh.documents[0].get_model_by_name(name)
          const view = Bokeh.index.find_one(plot)
          const canvas = view.canvas_view.primary.canvas
          const frame = view.frame.bbox, ratio = canvas.width / view.canvas_view.bbox.width
          const size = [frame.left, frame.top, frame.width, frame.height].map(v => v * ratio)
          const pixels = canvas.getContext("2d").getImageData(...size)
          let sx = 0, sy = 0, n = 0
          for (let i = 0; i < pixels.data.length; i += 4) {
            const [r, g, b] = pixels.data.subarray(i, i + 3)
            if (r > 90 && g < 30 && b < 30) {  // the dark red end of the colours
              n += 1; sx += (i / 4) % pixels.width; sy += Math.floor(i / 4 / pixels.width)
            }
          }
          return {n, x: sx / n / ratio, y: sy / n / ratio}
        }""",
        "truth",
    )
    assert drawn["n"] > 20
    assert abs(drawn["x"] - seen["sx"]) < 4 and abs(drawn["y"] - seen["sy"]) < 4


def test_stop_in_mid_run_and_start_again(tab: Any, address: str) -> None:
    tab.open(f"{address}?{urlencode({**PART, 'n': 4000, 'batch': 1})}")
    tab.press("Start").wait('[data-state="running"]:not([data-n="0"]):not([data-n="1"])')
    tab.press("Stop").wait('[data-state="stopped"]')
    n = tab.n()
    assert 2 <= n < 4000
    # What is shown is the exact stream up to there, and stays.
    check_same(tab, _stream(_part(), "wiener", n, 1, 0))
    assert (tab.n(), tab.status()["state"]) == (n, "stopped")
    # Another run starts, and ends.
    tab.page.get_by_label("Samples", exact=True).fill("2")
    tab.page.keyboard.press("Enter")
    tab.press("Start again").wait('[data-state="finished"][data-n="2"]')
    check_same(tab, _stream(_part(), "wiener", 2, 1, 0))


@pytest.mark.slow
def test_pause_shows_exact_arrays_and_goes_on(tab: Any, address: str) -> None:
    tab.open(f"{address}?{urlencode({**PART, 'n': 4000, 'batch': 1, 'seed': 4})}")
    tab.press("Start").wait('[data-state="running"]:not([data-n="0"]):not([data-n="1"])')
    assert tab.image("mean").dtype == np.uint8  # live frames are light
    tab.press("Pause").wait('[data-state="paused"]')
    paused = tab.n()
    assert tab.image("mean").dtype == np.float32
    tab.press("Go on")
    tab.wait(f'[data-state="running"]:not([data-n="{paused}"]):not([data-n="{paused + 1}"])')
    tab.press("Stop").wait('[data-state="stopped"]')
    n = tab.n()
    assert paused < n < 4000
    check_same(tab, _stream(_part(), "wiener", n, 1, 4))


@pytest.mark.slow
def test_two_tabs_do_not_disturb_each_other(new_tab: Callable[[], Any], address: str) -> None:
    one, two = new_tab(), new_tab()
    one.open(f"{address}?{urlencode({**PART, 'batch': 2, 'n': 40, 'seed': 1})}")
    two.open(f"{address}?{urlencode({**PART, 'batch': 1, 'n': 9, 'seed': 2, 'theme': 'dark'})}")
    one.press("Start").wait('[data-state="running"]')
    two.press("Start")
    two.wait('[data-state="finished"]')
    one.wait('[data-state="finished"]')
    check_same(one, _stream(_part(), "wiener", 40, 2, 1))
    check_same(two, _stream(_part(), "wiener", 9, 1, 2))


@pytest.mark.slow
def test_a_closed_tab_leaves_the_others_alone(new_tab: Callable[[], Any], address: str) -> None:
    one, two = new_tab(), new_tab()
    choices = {**PART, "batch": 1, "n": 4000}
    one.open(f"{address}?{urlencode(choices)}").press("Start").wait('[data-state="running"]')
    one.page.context.close()
    two.open(f"{address}?{urlencode({**choices, 'n': 2})}")
    two.press("Start").wait('[data-state="finished"]')
    check_same(two, _stream(_part(), "wiener", 2, 1, 0))
    assert two.errors == []


def test_box_on_the_galaxies_picks_a_region(tab: Any, address: str) -> None:
    tab.page.set_viewport_size({"width": 1600, "height": 1000})
    tab.open(f"{address}?sampler=wiener&n=2&batch=2")
    figure = tab.page.locator(".bk-Figure").first
    tab.page.wait_for_function(
        "() => Bokeh.documents[0].get_model_by_name('map-galaxies').data.image.length",
        timeout=180_000,
    )
    box = figure.bounding_box()
    # From the middle up and to the right.
    start = (box["x"] + 0.55 * box["width"], box["y"] + 0.55 * box["height"])
    end = (box["x"] + 0.75 * box["width"], box["y"] + 0.35 * box["height"])
    tab.page.mouse.move(*start)
    tab.page.mouse.down()
    tab.page.mouse.move(*end, steps=8)
    tab.page.mouse.up()
    tab.page.wait_for_function("() => location.search.includes('region')", timeout=180_000)
    _until_side(tab, "side != 300")
    tab.wait('[data-state="idle"]')
    tab.press("Start").wait('[data-state="finished"]')
    region = _region(tab.page.url)
    assert region[0] < 150.116 and 10 < region[2] < 40  # West of the centre
    field = mg.cosmos(center=region[:2], size=region[2:])
    np.testing.assert_array_equal(tab.image("ks"), mg.KaiserSquires(1.0).map(field).numpy())
    check_same(tab, _stream(field, "wiener", 2, 2, 0))
    tab.press("Back to the whole field")
    _until_side(tab, "side == 300")
    tab.wait('[data-state="idle"]')
    # The axes follow: the fences of the small field must not hold the large one.
    view = tab.page.evaluate(
        """() => {
          const range = Bokeh.documents[0].get_model_by_name("ks").x_range
          return [range.start, range.end]
        }"""
    )
    np.testing.assert_allclose(view, (-44.08, 44.08))


def _until_side(tab: Any, holds: str) -> None:
    """Wait until the field that is shown has another size."""
    tab.page.wait_for_function(
        f"""() => {{
          const image = Bokeh.documents[0].get_model_by_name("map-ks").data.image[0]
          const side = image ? image.shape[0] : 0
          return side && {holds}
        }}""",
        timeout=180_000,
    )


def _region(url: str) -> tuple[float, ...]:
    import json
    from urllib.parse import parse_qs

    return tuple(json.loads(parse_qs(urlsplit(url).query)["region"][0]))


@pytest.mark.slow
def test_wrong_region_is_an_alert_and_the_page_goes_on(tab: Any, address: str) -> None:
    tab.page.goto(f"{address}?region=[10,-60,5,5]")
    alert = tab.page.get_by_role("alert")
    alert.wait_for(timeout=180_000)
    assert len(alert.inner_text()) > 20
    tab.press("Back to the whole field").wait('[data-state="idle"]')
    assert not alert.is_visible()


def test_the_link_of_a_page_brings_it_back(new_tab: Callable[[], Any], address: str) -> None:
    one, two = new_tab(), new_tab()
    one.open(f"{address}?{urlencode(PART)}").press("Dark")
    one.page.get_by_label("Seed", exact=True).fill("8")
    one.page.keyboard.press("Enter")
    one.page.wait_for_function(
        "() => /seed=8/.test(location.search) && /dark/.test(location.search)"
    )
    two.open(one.page.url)
    two.page.locator(".mg-dark").wait_for()
    assert two.page.get_by_label("Seed", exact=True).input_value() == "8"
    assert two.image("ks").shape == _part().grid.shape


@pytest.mark.parametrize(
    "width", [1280, *(pytest.param(w, marks=pytest.mark.slow) for w in (900, 1920))]
)
def test_nothing_overflows(tab: Any, address: str, width: int) -> None:
    tab.page.set_viewport_size({"width": width, "height": 1000})
    tab.open(f"{address}?{urlencode(NFW)}")
    wide = tab.page.evaluate("document.documentElement.scrollWidth")
    assert wide == width
    squares = tab.page.evaluate(
        """() => ["truth", "ks", "sample", "mean", "std"].map(name => {
          const plot = Bokeh.documents[0].get_model_by_name(name)
          const frame = Bokeh.index.find_one(plot).frame.bbox
          return [frame.width, frame.height]
        })"""
    )
    for across, down in squares:
        assert abs(across - down) <= 1 and across > 240


def test_the_keyboard_drives_the_run(tab: Any, address: str) -> None:
    tab.open(f"{address}?{urlencode({**PART, 'n': 3, 'batch': 1})}")
    keys = tab.page.keyboard
    keys.press("?")
    tab.page.wait_for_selector("#massgan-keys", state="visible")
    keys.press("Escape")
    tab.page.wait_for_selector("#massgan-keys", state="hidden")
    keys.press("Space")
    tab.wait('[data-state="finished"]')
    summary = _stream(_part(), "wiener", 3, 1, 0)
    keys.press("p")
    _wait_for_sample(tab, summary.samples[1])
    keys.press("n")
    _wait_for_sample(tab, summary.samples[2])
    # Letters typed into a field are letters.
    box = tab.page.get_by_label("Seed")
    box.focus()
    keys.press("d")
    box.evaluate("node => node.blur()")
    keys.press("?")
    tab.page.wait_for_selector("#massgan-keys", state="visible")
    assert tab.page.get_by_role("button", name="Dark", exact=True).is_visible()
    assert tab.errors == []


def test_a_click_on_a_circle_inspects_its_cluster(tab: Any, address: str) -> None:
    tab.open(f"{address}?{urlencode({**PART, 'n': 3, 'batch': 1})}")
    tab.press("Start").wait('[data-state="finished"]')
    field, summary = _part(), _stream(_part(), "wiener", 3, 1, 0)
    circles = circles_of(field)
    half = min(field.grid.extent) / 2
    inside = (np.hypot(circles.x, circles.y) < 0.8 * half).nonzero()[0]
    # One alone at its place, so that the click can mean no other.
    apart = np.hypot(*(np.subtract.outer(v, v) for v in (circles.x, circles.y)))
    np.fill_diagonal(apart, np.inf)
    chosen = max(inside, key=lambda i: (apart[i] - circles.radius).min())
    name = str(circles.name[chosen])

    place = _place(tab, "mean", float(circles.x[chosen]), float(circles.y[chosen]))
    canvas = tab.page.locator(".bk-Canvas").nth(_number_of(tab, "mean"))
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = (box[s] + place[e] + place[k] for s, e, k in (("x", "left", "sx"), ("y", "top", "sy")))
    tab.page.mouse.click(x, y)
    found = inspection(summary, circles, name)
    tab.page.get_by_text(sentence(found)).wait_for(timeout=tab.patience)
    assert tab.page.get_by_label("X-ray cluster", exact=True).input_value() != ""
    # The samples at both ends are those that the library puts there.
    for button, number in (("Sample with most", found.order[0]), ("with least", found.order[-1])):
        tab.press(button)
        _wait_for_sample(tab, summary.samples[number])
    assert tab.errors == []


@pytest.mark.slow
def test_maps_are_chosen_and_samples_played(tab: Any, address: str) -> None:
    tab.open(f"{address}?{urlencode({**PART, 'n': 3, 'batch': 1})}")
    tab.press("Start").wait('[data-state="finished"]')
    field, summary = _part(), _stream(_part(), "wiener", 3, 1, 0)
    for title, name, expected in (
        ("Signal to noise", "snr", summary.snr),
        ("Chance of mass", "chance", summary.probability(0.05, 1.0)),
    ):
        tab.page.get_by_label(title).check()
        tab.page.wait_for_function(
            "name => Bokeh.documents[0].get_model_by_name(name)?.data.image.length",
            arg=f"map-{name}",
        )
        area = field.footprint
        np.testing.assert_array_equal(tab.image(name)[area], expected.numpy()[area])
    assert "pictures=" in tab.page.url
    _wait_for_sample(tab, summary.samples[2])
    tab.page.locator("button.play").click()
    _wait_for_frame(tab, "image.dtype == 'uint8'")
    tab.page.locator("button.pause").click()
    _wait_for_frame(tab, "image.dtype == 'float32'")
    image = tab.image("sample")
    assert any(np.array_equal(image, sample.numpy()) for sample in summary.samples)
    assert tab.errors == []


def _number_of(tab: Any, name: str) -> int:
    """Which of the canvases on the page is that of a map."""
    return tab.page.evaluate(
        """name => {
          const seen = []
          const walk = node => {
            if (node.classList && node.classList.contains("bk-Canvas")) seen.push(node)
            for (const child of node.shadowRoot ? node.shadowRoot.children : []) walk(child)
            for (const child of node.children || []) walk(child)
          }
          walk(document.body)
          const view = Bokeh.index.find_one(Bokeh.documents[0].get_model_by_name(name))
          return seen.indexOf(view.canvas_view.el)
        }""",
        name,
    )


def _wait_for_frame(tab: Any, condition: str) -> None:
    """Wait until the image of the sample is such."""
    tab.page.wait_for_function(
        "() => { const image = Bokeh.documents[0].get_model_by_name('map-sample').data.image[0];"
        f" return {condition} }}",
        timeout=tab.patience,
    )


def _wait_for_sample(tab: Any, sample: Any) -> None:
    """Wait until a sample is shown, and see that it is that one."""
    _wait_for_frame(tab, f"image[0] == {float(sample.flatten()[0])}")
    np.testing.assert_array_equal(tab.image("sample"), sample.numpy())
