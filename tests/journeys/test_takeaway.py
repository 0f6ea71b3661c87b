"""From the page to a file: FITS that astropy opens, a link, a session there and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import massgan_core as mg

pytestmark = pytest.mark.browser

PART = {"region": "[150.1,2.25,20,20]", "sampler": "wiener", "n": 3, "batch": 2, "seed": 5}


def _download(tab: Any, label: str, folder: Path) -> Path:
    with tab.page.expect_download(timeout=tab.patience) as waiting:
        tab.press(label)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_fits_of_the_run_that_is_shown(tab: Any, address: str, tmp_path: Path) -> None:
    tab.open(f"{address}?{urlencode(PART)}")
    assert tab.page.get_by_role("button", name="FITS", exact=True).is_disabled()
    tab.press("Start").wait('[data-state="finished"]')
    shown = {name: tab.image(name) for name in ("mean", "std")}
    # Choices made since are of the next run.
    tab.page.get_by_label("Samples", exact=True).fill("9")
    tab.page.keyboard.press("Enter")
    path = _download(tab, "FITS", tmp_path)
    assert path.name == "COSMOS-wiener-n3-seed5.fits"
    field = mg.cosmos(center=(150.1, 2.25), size=(20.0, 20.0))
    *_, summary = mg.stream(mg.sampler("wiener", field), field, 3, 2, seed=5)
    with fits.open(path) as hdus:
        for name, expected in (("mean", summary.mean), ("std", summary.std)):
            np.testing.assert_array_equal(hdus[name.upper()].data, expected.numpy())
            np.testing.assert_array_equal(hdus[name.upper()].data, shown[name])
        assert (hdus[0].header["NSAMP"], hdus[0].header["SEED"]) == (3, 5)
        ra, dec = WCS(hdus["MEAN"].header).pixel_to_world_values(10, 20)
        np.testing.assert_allclose((ra, dec), field.grid.pixel_to_sky(10, 20), rtol=1e-12)
    assert tab.errors == []


@pytest.mark.slow
def test_link_and_session(tab: Any, address: str, tmp_path: Path) -> None:
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.open(f"{address}?{urlencode(PART)}")
    tab.page.get_by_label("Samples", exact=True).fill("9")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url("**n=9**", timeout=tab.patience)
    tab.press("Copy link")
    tab.page.get_by_role("button", name="Copied", exact=True).wait_for(timeout=tab.patience)
    copied = tab.page.evaluate("navigator.clipboard.readText()")
    assert copied == tab.page.url and parse_qs(urlsplit(copied).query)["n"] == ["9"]

    path = _download(tab, "Save session", tmp_path)
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["choices"] |= {"n": 4, "seed": -1}
    path.write_text(json.dumps(saved), encoding="utf-8")
    alert = tab.page.get_by_role("alert")
    tab.page.locator("input[accept*=json]").set_input_files(path)
    tab.page.wait_for_url("**n=4**", timeout=tab.patience)
    alert.wait_for(timeout=tab.patience)
    assert "`seed` of the session was left out" in alert.inner_text()
    # Too long: it is not even sent, for it would end the connection.
    path.write_text(" " * 30_000_000)
    tab.page.locator("input[accept*=json]").set_input_files(path)
    alert.filter(has_text="at most 64 kB").wait_for(timeout=tab.patience)
    tab.press("Start").wait('[data-state="finished"][data-n="4"]')
    assert tab.errors == []
