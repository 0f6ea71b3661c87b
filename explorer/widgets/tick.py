"""A checkbox whose words belong to it."""

from __future__ import annotations

from typing import Any

import panel as pn
from bokeh.models import CheckboxGroup


class Tick(pn.widgets.Checkbox):
    """A checkbox that a click on its words toggles, and that screen readers call by them.

    Bokeh's own ``Checkbox`` writes its words beside the box, in no label; its ``CheckboxGroup``
    has real ones. This is a group of one.
    """

    _widget_type = CheckboxGroup
    _rename = {**pn.widgets.Checkbox._rename, "label": "labels"}

    def _process_param_change(self, params: dict[str, Any]) -> dict[str, Any]:
        properties = super()._process_param_change(params)
        if "active" in properties:
            properties["active"] = [0] if properties["active"] else []
        if "labels" in properties:
            properties["labels"] = [properties["labels"] or ""]
        return properties

    def _process_property_change(self, msg: dict[str, Any]) -> dict[str, Any]:
        if "active" in msg:
            msg["active"] = bool(msg["active"])
        return super()._process_property_change(msg)
