"""Brings the blurred maps of both samplers to the page, when it can take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.views.page import Page


class Blurs:
    """Follows what :class:`explorer.blurring.Blurring` has found.

    Args:
        page: Its maps, its race and its overlays show it.
    """

    def __init__(self, page: Page) -> None:
        self.page, self.explorer, self._held = page, page.explorer, False

    def watchers(self, soon: Callable[[Callable[[], None]], Callable[..., None]]) -> list[tuple]:
        """What the page has to let go of in the end; `soon` delivers a call to the page."""
        explorer, state, player = self.explorer, self.explorer.state, self.page.maps.player
        runner, follow = explorer.runner, soon(self.follow)
        return [
            *[
                (one, one.param.watch(follow, ["found"]))
                for one in (explorer.blurring, explorer.blurring_beside)
            ],
            (state, state.param.watch(soon(self._turn), ["blur"])),
            (runner, runner.param.watch(follow, ["phase"])),
            (player, player.param.watch(lambda e: explorer.blurring.play(e.new - 1), "value")),
        ]

    def follow(self) -> None:
        """Show what there is now; live, with the next frame if the page has yet to draw one."""
        page, found = self.page, self.explorer.blurring.found
        live = self.explorer.runner.phase == "running"
        held, self._held = self._held, live and not page.ready()
        if self._held:
            page.maps.posterior.blurred = found
        else:
            page.maps.show_blurred(found, again=held)
        if page.race.behind and (page.race.at_rest or page.ready()):
            page.race.show()
        page.overlays.trace()

    def _turn(self) -> None:
        """From sharp maps to blurred ones, or back: words and empty maps change too."""
        self._held = self._held or not self.explorer.blurring.found
        self.follow()
