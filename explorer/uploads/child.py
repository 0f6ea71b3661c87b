"""``python -m explorer.uploads.child``: does one task under limits of memory, time and disk.

The request comes as JSON on the standard input, the answer goes out as JSON. A file that is
meant to break its reader breaks this process and not the server.
"""

from __future__ import annotations

import json
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from explorer.uploads.limits import Limits

TASKS = ("look", "prepare", "positions")


def main() -> None:
    """Answer the request: ``{"answer": …}`` or ``{"error": sentence}``."""
    request = json.load(sys.stdin)
    limits, path, name = Limits(**request["limits"]), Path(request["path"]), request["name"]
    task = request["task"]
    if task not in TASKS:
        raise ValueError(f"`task` must be one of {', '.join(TASKS)}, got {task!r}")
    module = import_module(f"explorer.uploads.{task}")  # and the libraries it needs
    confine(limits, limits.looking if task == "look" else limits.reading)
    try:
        reply = {"answer": module.run(path, name, limits, **request["options"])}
    except MemoryError:
        reply = {"error": f"{name} takes more than {limits.memory / 2**30:.2g} GB to read"}
    except Exception as error:
        reply = {"error": sentence(error, path, name)}
    json.dump(reply, sys.stdout)


def confine(limits: Limits, seconds: int) -> None:
    """Bound what this process may still take, where the system can."""
    try:
        import resource
    except ImportError:  # Windows has no such limits; the clock of the parent is left
        return
    bounds = {
        resource.RLIMIT_AS: _in_use() + limits.memory,
        resource.RLIMIT_CPU: seconds + 30,
        resource.RLIMIT_FSIZE: limits.expanded,
        resource.RLIMIT_CORE: 0,
    }
    for kind, bound in bounds.items():
        with suppress(ValueError, OSError):  # macOS refuses some of them
            _, hard = resource.getrlimit(kind)
            least = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
            resource.setrlimit(kind, (least, least))


def sentence(error: Exception, path: Path, name: str) -> str:
    """What a person is told: the library's sentence, with the file's name for its place."""
    if isinstance(error, OSError) and error.strerror:
        return f"{name} could not be read: {error.strerror}"
    if isinstance(error, ValueError | KeyError | OSError) and error.args:
        text = " ".join(str(error.args[0]).split())
        return text.replace(str(path), name).replace(path.name, name)
    traceback.print_exc()
    return f"{name} could not be read: it is damaged or holds something unexpected"


def _in_use() -> int:
    """Address space taken already [bytes]: by the libraries, not by the file."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        return 4 << 30
    import resource

    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
