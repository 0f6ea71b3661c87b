"""Widgets that tell a screen reader what they are for: Bokeh and Panel leave some without a name.

A group of buttons or boxes takes its label as the name of the group. What lies deeper, the
handles of sliders and the buttons of a player, is named in the browser (:data:`SCRIPT`).
"""

from __future__ import annotations

from typing import Any

import panel as pn

#: Run before the page draws its widgets: what Bokeh and Panel draw gets its name, and a button of
#: a group says whether it is the one that is pressed.
SCRIPT = """
try {
  const after = (model, method, then) => {
    let made = Bokeh.Models.get(model).prototype.default_view.prototype
    while (!Object.hasOwn(made, method)) made = Object.getPrototypeOf(made)
    if (made[method].names) return
    const before = made[method]
    made[method] = function (...given) {
      const result = before.apply(this, given)
      then(this)
      return result
    }
    made[method].names = true
  }
  const name = (node, words) => node.setAttribute("aria-label", words)
  const sliders = view => {
    const ends = view.slider_el.querySelectorAll(".noUi-handle"), { title } = view.model
    ends.forEach((end, i) => name(end, ends.length > 1 ? `${title}, ${["from", "to"][i]}` : title))
  }
  for (const model of ["Slider", "RangeSlider"]) after(model, "_update_title", sliders)
  after("RadioButtonGroup", "_update_active", view => view._buttons.forEach((button, i) =>
    button.setAttribute("aria-pressed", i === view.model.active)))
  after("Spinner", "render", view => {
    name(view.btn_up_el, "Increase")
    name(view.btn_down_el, "Decrease")
  })
  after("panel.models.widgets.Player", "render", view => {
    name(view.sliderEl, view.model.title)
    const words = { previous: "Previous", next: "Next", play: "Play", pause: "Pause" }
    for (const [key, said] of Object.entries(words)) name(view[key], said)
  })
  document.documentElement.dataset.named = "yes"
} catch (error) { console.warn("some widgets have no name:", error) }
"""


class _Group:
    """Takes the label as the name of the group."""

    def _process_param_change(self, params: dict[str, Any]) -> dict[str, Any]:
        properties = super()._process_param_change(params)
        if "label" in params:
            properties["html_attributes"] = {"role": "group", "aria-label": params["label"]}
        return properties


class Segments(_Group, pn.widgets.RadioButtonGroup):
    """Buttons in a row, one of which is pressed; no label is seen."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"css_classes": ["mg-segments"], **params})


class Boxes(_Group, pn.widgets.CheckBoxGroup):
    """Boxes to tick, one below the other; no label is seen."""
