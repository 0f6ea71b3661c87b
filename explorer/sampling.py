"""Who draws the samples of this process's sessions: it itself, other processes, a Dask cluster."""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from threading import Lock, Thread
from typing import TYPE_CHECKING

from explorer.turns import TURNS

if TYPE_CHECKING:
    from massgan_core.serving import Workers

VARIABLE = "MASSGAN_SAMPLING"  #: of the environment, for a server that reads no setting of ours


class Sampling:
    """One setting, and the workers that it names, once someone needs them."""

    def __init__(self) -> None:
        self._setting: str | None = None
        self._restart()
        atexit.register(self.end)

    def choose(self, setting: str | None) -> None:
        """Take a setting, see :func:`massgan_core.serving.workers`; None for the environment's.

        Raises:
            ValueError: An unknown one.
        """
        from massgan_core.serving import HERE, check_setting

        setting = setting or os.environ.get(VARIABLE) or HERE
        try:
            check_setting(setting)
        except ValueError as error:
            raise ValueError(f"{error} (option --sampling, or {VARIABLE})") from None
        changed, self._setting = setting != self._setting, setting
        if changed and self._begun:
            self.end()

    def workers(self) -> Workers | None:
        """Who draws; None for this process. Begins them at the first call.

        Raises:
            ValueError: An unknown setting in the environment.
            OSError: No scheduler answers.
        """
        with self._lock:
            if not self._begun:
                from massgan_core import serving

                if self._setting is None:
                    self.choose(None)
                self._workers = serving.workers(self._setting)
                self._begun = True
            if self._workers is not None:
                TURNS.slots = self._workers.slots  # a cluster grows
            return self._workers

    def begin_soon(self) -> None:
        """Begin the workers in a thread, so that they are warm when someone presses Start."""
        if not self._begun:
            Thread(target=self._try, daemon=True).start()

    def _try(self) -> None:
        with suppress(ValueError, OSError, ImportError):  # said to whoever presses Start
            self.workers()

    def end(self) -> None:
        """End the workers; the next call begins others."""
        with self._lock:
            if self._workers is not None:
                self._workers.close()
            self._workers, self._begun, TURNS.slots = None, False, 1

    def _restart(self) -> None:
        """A child made by a fork leaves the workers of its parent alone."""
        self._workers: Workers | None = None
        self._begun, self._lock, TURNS.slots = False, Lock(), 1


SAMPLING = Sampling()  #: of this process
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SAMPLING._restart)
