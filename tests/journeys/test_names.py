"""Whatever can be used has a name that a screen reader says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

pytestmark = pytest.mark.browser

#: Roles of what a person uses; the browser works out role and name, through all shadow roots.
USED = {
    *("button", "textbox", "searchbox", "spinbutton", "combobox", "listbox", "menuitem", "option"),
    *("checkbox", "radio", "switch", "slider", "tab", "link", "progressbar", "radiogroup"),
}
SAMPLE = '["sample"]'
PART = {"region": "[150.1,2.25,20,20]", "sampler": "wiener", "n": 2, "batch": 2}


def spoken(tab: Any) -> Iterator[tuple[str, str, dict]]:
    """Role, name and properties of all that a screen reader meets."""
    session = tab.page.context.new_cdp_session(tab.page)
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        if not node["ignored"]:
            properties = {one["name"]: one["value"].get("value") for one in node["properties"]}
            yield node["role"]["value"], node.get("name", {}).get("value", "").strip(), properties
    session.detach()


def check_names(tab: Any, *groups: str) -> None:
    found = list(spoken(tab))
    assert len([role for role, *_ in found if role in USED]) > 40
    assert [
        (role, properties) for role, name, properties in found if role in USED and not name
    ] == []
    assert {*groups} <= {name for role, name, _ in found if role == "group"}


@pytest.mark.parametrize("source", ["simulated", pytest.param("file", marks=pytest.mark.slow)])
def test_all_that_is_used_has_a_name(tab: Any, address: str, source: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    tab.page.goto(f"{address}?{urlencode({'source': source, 'span': 'typed', 'kind': 'nfw'})}")
    tab.wait(f'[data-state="{"empty" if source == "file" else "idle"}"]')
    tab.press("More tools").page.get_by_label("Low κ", exact=True).wait_for()
    check_names(tab, "Field", "Maps", "Compare two maps")
    pressed = {
        name for role, name, properties in spoken(tab) if properties.get("pressed") == "true"
    }
    assert pressed == {"Off", {"simulated": "Simulated", "file": "My file"}[source]}
    assert tab.errors == []


@pytest.mark.slow
def test_so_has_all_that_opens_below_the_maps(tab: Any, address: str) -> None:
    tab.page.set_default_timeout(tab.patience)
    tab.open(f"{address}?{urlencode({**PART, 'pictures': SAMPLE})}")
    tab.press("Start").wait('[data-state="finished"]')
    tab.press("Show measures").page.get_by_label("Type a region").wait_for()
    tab.press("Swipe").page.get_by_label("Map A", exact=True).wait_for()
    tab.press("Show tables").page.locator(".slick-row").first.wait_for()
    tab.page.get_by_label("Samples one after the other").wait_for()
    check_names(tab, "What the map shows", "A drag on a map draws")
    tab.press("Depth")
    tab.page.wait_for_function("() => location.search.includes('layer=depth')")
    pressed = {name for _, name, properties in spoken(tab) if properties.get("pressed") == "true"}
    assert pressed == {"COSMOS", "Depth", "Swipe", "Circle"}
