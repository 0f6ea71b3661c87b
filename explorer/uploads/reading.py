"""Ask a child process about a file, and give up on it after a while."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from typing import Any

from explorer.uploads.limits import Limits

# Few at a time for the whole server, and apart from the threads that serve everything else.
READERS = ThreadPoolExecutor(2, thread_name_prefix="massgan-uploads")
_ROOT = Path(__file__).resolve().parents[2]


class CalledOff(Exception):
    """Nobody waits for this reading any more."""


class Reading:
    """One task of :mod:`explorer.uploads.child`; :meth:`result` waits for it, in a thread.

    Args:
        task: ``look``, ``prepare`` or ``positions``.
        path: The stored file.
        name: What the person calls it.
        limits: What it may take.
        options: More for the task, JSON.
    """

    def __init__(self, task: str, path: Path, name: str, limits: Limits, **options: Any) -> None:
        self.task, self.path, self.name, self.limits = task, path, name, limits
        self.options = options
        self._process: subprocess.Popen | None = None
        self._off, self._lock = False, Lock()

    def result(self) -> Any:
        """The answer.

        Raises:
            ValueError: The file cannot be used; one sentence for people.
            CalledOff: See :meth:`cancel`.
        """
        request = {
            "task": self.task,
            "path": str(self.path),
            "name": self.name,
            "limits": asdict(self.limits),
            "options": self.options,
        }
        seconds = self.limits.looking if self.task == "look" else self.limits.reading
        with self._begin() as process:
            try:
                out, err = process.communicate(json.dumps(request).encode(), timeout=seconds)
            except subprocess.TimeoutExpired:
                self._kill()
                raise ValueError(
                    f"{self.name} takes more than {seconds} s to read, which is the limit"
                ) from None
        if self._off:
            raise CalledOff
        if err:
            log = logging.getLogger(__name__)
            log.warning("reading an upload: %s", err[-2000:].decode(errors="replace"))
        try:
            reply = json.loads(out)
        except ValueError:  # it was ended by a limit, or by a fault in a library
            raise ValueError(
                f"{self.name} could not be read: it is damaged, or takes more than "
                f"{self.limits.memory / 2**30:.2g} GB"
            ) from None
        if "error" in reply:
            raise ValueError(reply["error"].replace(str(self.path.parent), "").strip())
        return reply["answer"]

    def cancel(self) -> None:
        """End it now."""
        with self._lock:
            self._off = True
        self._kill()

    def _begin(self) -> subprocess.Popen:
        with self._lock:
            if self._off:
                raise CalledOff
            path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
            # One thread, and memory by the plain allocator: else much is reserved unused.
            calm = {"OMP_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "explorer.uploads.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.path.parent,
                env={**os.environ, **calm, "PYTHONPATH": path},
            )
            return self._process

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
