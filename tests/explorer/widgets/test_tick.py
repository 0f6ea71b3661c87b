"""A checkbox whose words belong to it."""

import param

from explorer.widgets.tick import Tick


class Choice(param.Parameterized):
    shown = param.Boolean(default=True, label="Shown")


def test_the_box_follows_the_choice_and_the_choice_the_box() -> None:
    choice = Choice()
    tick = Tick.from_param(choice.param.shown, label="Show it")
    model = tick.get_root()
    assert (model.labels, model.active) == (["Show it"], [0])
    choice.shown = False
    assert model.active == []
    tick._process_events({"active": [0]})
    assert choice.shown is True
    tick._process_events({"active": []})
    assert choice.shown is False
    tick.label = "Show that"
    assert model.labels == ["Show that"]
