"""When the samples are checked: at rest, and only while someone has the checks open."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import param

from explorer import diagnostics as library
from explorer.runner import Runner
from explorer.state import State
from explorer.store import Store

if TYPE_CHECKING:
    from massgan_core.posterior import Summary


class Checker(param.Parameterized):
    """Keeps the latest :class:`explorer.diagnostics.Diagnosis` of the open field.

    Args:
        state: Whether the checks are open.
        store: Another field forgets the checks.
        runner: Whose samples are checked.
        spawn: Starts a coroutine on the page's event loop.
        quietly: Awaits a call made in a thread; None, and an alert, if it fails.
    """

    diagnosis = param.Parameter(default=None, doc="The Diagnosis last made; None before.")
    summary = param.Parameter(default=None, doc="The Summary it is of.")
    busy = param.Boolean(default=False, doc="Samples are being checked.")

    def __init__(
        self,
        state: State,
        store: Store,
        runner: Runner,
        *,
        spawn: Callable[[Coroutine], None],
        quietly: Callable[..., Any],
    ) -> None:
        super().__init__()
        self._state, self._store, self._runner = state, store, runner
        self._spawn, self._quietly = spawn, quietly
        state.param.watch(self._on_wish, "checks")
        runner.param.watch(self._on_wish, ["phase", "summary"])
        store.param.watch(self._on_field, "field")

    @property
    def current(self) -> bool:
        """The diagnosis is of all samples that there are."""
        return self.diagnosis is not None and self.summary is self._runner.summary

    def _on_field(self, *_: param.parameterized.Event) -> None:
        self.param.update(diagnosis=None, summary=None)

    def _on_wish(self, *_: param.parameterized.Event) -> None:
        if not self.busy and self._wanted() is not None:
            self._spawn(self._check())

    def _wanted(self) -> Summary | None:
        """Samples to be checked; None while they are not, no longer or not yet to be."""
        summary = self._runner.summary
        open_and_at_rest = self._state.checks and self._runner.at_rest
        if not open_and_at_rest or summary is self.summary or summary.kept < library.LEAST:
            return None
        return summary

    async def _check(self) -> None:
        """Check until what was checked is what is wanted: samples may overtake it."""
        if self.busy:
            return
        self.busy = True
        try:
            while (summary := self._wanted()) is not None:
                if not await self._diagnose(summary):
                    return
        finally:
            self.busy = False

    async def _diagnose(self, summary: Summary) -> bool:
        """Whether to go on: not after a failure, which would only repeat itself."""
        dropped = False

        def wanted() -> bool:
            nonlocal dropped
            dropped = dropped or self._wanted() is not summary
            return not dropped

        found = await self._quietly(library.diagnose, summary, wanted)
        if found is not None and summary.field is self._store.field:
            self.param.update(diagnosis=found, summary=summary)
        return found is not None or dropped
