"""What the keys do; :data:`explorer.widgets.keys.KEYS` says it to people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.views.page import Page


def press(page: Page, key: str) -> None:
    """Do on `page` what `key` stands for."""
    explorer, player = page.explorer, page.maps.player
    if key == "?":
        page.help.visible = not page.help.visible
    elif key == "Escape" and page.help.visible:
        page.help.visible = False
    elif key == "Escape":
        explorer.stop()
    elif key == " ":
        go = explorer.pause if explorer.race.active else explorer.start
        go()
    elif key == "b":
        page.compare.press()
    elif key == "Delete":
        page.measure.delete()
    elif key in ("z", "y"):
        explorer.history.undo() if key == "z" else explorer.history.redo()
    elif key == "d":
        page.turn_theme()
    elif key in ("n", "p") and player.visible:
        step, count = (1 if key == "n" else -1), player.end
        player.value = (player.value - 1 + step) % count + 1
