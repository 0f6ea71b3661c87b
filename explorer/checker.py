"""When the samples are checked: at rest, and only while someone has the checks open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import param

from explorer import diagnostics as library
from explorer.asking import Asking
from explorer.runner import Runner
from explorer.state import State
from explorer.store import Store

if TYPE_CHECKING:
    from massgan_core.posterior import Summary


class Checker(Asking):
    """Keeps the latest :class:`explorer.diagnostics.Diagnosis` of the open field.

    Args:
        state: Whether the checks are open.
        store: Another field forgets the checks.
        runner: Whose samples are checked.
        how: See :class:`explorer.asking.Asking`.
    """

    diagnosis = param.Parameter(default=None, doc="The Diagnosis last made; None before.")
    summary = param.Parameter(default=None, doc="The Summary it is of.")

    def __init__(self, state: State, store: Store, runner: Runner, **how: Any) -> None:
        super().__init__(**how)
        self._state, self._store, self._runner = state, store, runner
        state.param.watch(self._look, "checks")
        runner.param.watch(self._look, ["phase", "summary"])
        store.param.watch(self._on_field, "field")

    @property
    def current(self) -> bool:
        """The diagnosis is of all samples that there are."""
        return self.diagnosis is not None and self.summary is self._runner.summary

    def _on_field(self, *_: param.parameterized.Event) -> None:
        self.param.update(diagnosis=None, summary=None)

    def _wanted(self) -> Summary | None:
        """Samples to be checked; None while they are not, no longer or not yet to be."""
        summary = self._runner.summary
        open_and_at_rest = self._state.checks and self._runner.at_rest
        if not open_and_at_rest or summary is self.summary or summary.kept < library.LEAST:
            return None
        return summary

    async def _answer(self, summary: Summary) -> bool:
        """Not on after a failure, which would only repeat itself."""
        dropped = False

        def wanted() -> bool:
            nonlocal dropped
            dropped = dropped or self._wanted() is not summary
            return not dropped

        found = await self._quietly(library.diagnose, summary, wanted)
        if found is not None and summary.field is self._store.field:
            self.param.update(diagnosis=found, summary=summary)
        return found is not None or dropped
