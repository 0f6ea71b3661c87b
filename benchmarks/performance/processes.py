"""Processes of their own: how long they take, and how much memory they hold at most."""

from __future__ import annotations

import subprocess
import sys

from performance.clock import Work

# Not `getrusage`: there a process begins with the peak of the one that started it.
_TELL = """
for _line in open("/proc/self/status"):
    if _line.startswith("VmHWM"):
        print("peak", int(_line.split()[1]) * 1024)
"""


def python(code: str) -> Work:
    """A fresh interpreter that runs `code` and ends."""
    return lambda: _run(code)


def peak(code: str) -> float:
    """Most bytes that a fresh interpreter held at a time while it ran `code` (Linux)."""
    said = _run(code + _TELL)
    return float(next(line.split()[1] for line in said.splitlines() if line.startswith("peak ")))


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"a process ended with code {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
