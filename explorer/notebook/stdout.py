"""What cells print stays with them while the page in another cell is used.

JupyterLab hands what is done on a page to a thread of the kernel (a subshell, ipykernel 7).
pyviz_comms puts a string in place of ``sys.stdout`` for as long as that takes: what a cell prints
meanwhile lands beside the page, and where two such times overlap ``sys.stdout`` stays a string.
"""

from __future__ import annotations

import pyviz_comms


class Untouched(pyviz_comms.StandardOutput):
    """In place of ``StandardOutput``: catches nothing."""

    def __enter__(self) -> Untouched:
        return self

    def __exit__(self, *args: object) -> None:
        pass


def leave_stdout() -> None:
    """Let pyviz_comms leave ``sys.stdout`` as it is, in this process."""
    pyviz_comms.StandardOutput = Untouched
