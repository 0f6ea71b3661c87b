"""The page as an application, its links, and the package's door."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
import pytest
from panel.io.location import Location

import explorer as package
from explorer import Explorer, store
from explorer.app import follow, page


def test_the_package_is_ours_and_lazy() -> None:
    assert package.__massgan__ is True
    code = "import sys, explorer; assert 'panel' not in sys.modules and 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="Explored"):
        package.Explored  # noqa: B018


def test_page_is_made_without_torch_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a server forks, the page may be made but nothing computed."""
    import torch.fft

    monkeypatch.setattr(torch.fft, "fft2", lambda *_, **__: pytest.fail("torch before the fork"))
    assert isinstance(page(), pn.Template)


def test_a_page_is_built_in_one_go() -> None:
    """Bokeh looks at all models again whenever it may: once is enough."""
    from bokeh.document import Document
    from panel.io.state import set_curdoc

    document, looks = Document(), []
    look = document.models.recompute
    document.models.recompute = lambda: looks.append(None) or look()
    with set_curdoc(document):
        page()._init_doc(document)
    assert len(looks) == 1 and len(list(document.models)) > 100


def test_a_page_has_no_fault_that_bokeh_knows() -> None:
    """The server does not ask: it would take longer than all else it does for a visitor."""
    from bokeh.core.validation.check import check_integrity
    from bokeh.core.validation.warnings import EMPTY_LAYOUT
    from bokeh.document import Document
    from panel.io.state import set_curdoc

    document = Document()
    with set_curdoc(document):
        page()._init_doc(document)
    issues = check_integrity(set(document.models))
    faults = {issue.code for issue in (*issues.error, *issues.warning)}
    assert faults <= {EMPTY_LAYOUT.code}  # which is how something without content waits


def test_a_page_opened_without_its_html_asks_no_other_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A browser that comes late, or again, is given a new session and no new HTML."""
    from bokeh.document import Document
    from bokeh.models import ImportedStyleSheet
    from panel.io.state import set_curdoc

    whole = partial(Explorer, tables=True, measure=True, checks=True, compare="swipe")
    monkeypatch.setattr("explorer.app.Explorer", whole)
    document = Document()
    with set_curdoc(document):
        page()._init_doc(document)
    urls = {sheet.url for sheet in document.select({"type": ImportedStyleSheet})}
    assert urls and not [url for url in urls if "//" in url]


def test_link_sets_choices_and_choices_set_the_link() -> None:
    explorer, location = Explorer(sampler="wiener"), Location()
    location.search = "?version=1&source=simulated&kind=nfw&n=7&theme=dark"
    follow(location, explorer)
    state = explorer.state
    assert (state.source, state.kind, state.n, state.theme) == ("simulated", "nfw", 7, "dark")
    state.seed = 9
    assert location.query_params["seed"] == 9 and location.query_params["kind"] == "nfw"
    assert explorer.alert == ""


def test_broken_link_is_an_alert() -> None:
    explorer, location = Explorer(), Location()
    location.search = "?kind=fractal&n=7"
    follow(location, explorer)
    assert "`kind`" in explorer.alert and explorer.state.n == 7


def test_what_a_link_got_wrong_is_still_said_when_its_field_is_open(
    monkeypatch: pytest.MonkeyPatch, small_field: Any
) -> None:
    monkeypatch.setattr(store, "read", lambda choice: small_field)
    explorer, location = Explorer(sampler="wiener"), Location()
    location.search = "?kind=fractal&source=simulated"
    follow(location, explorer)
    asyncio.run(explorer.open())
    assert "`kind` of the link" in explorer.alert
    asyncio.run(explorer.open())  # another field: nothing of the link is wrong with it
    assert explorer.alert == ""


def test_command_line_says_what_it_takes(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "--help"],
        check=True,
        capture_output=True,
        text=True,
        cwd=root,
    )
    for word in ("INPUT", "--port", "--address", "--show", "--no-show"):
        assert word in done.stdout
