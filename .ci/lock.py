"""Print the exact versions installed here of everything the package and its extras need.

    .venv/bin/python .ci/lock.py > constraints.txt

Public versions only: a local label such as ``+cpu`` exists on one index and not on others.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

#: What a CUDA build of torch brings along; the lock is of the CPU build.
OF_CUDA = ("cuda-", "nvidia-", "triton")
EXTRAS = {
    "bench",
    "cluster",
    "docs",
    "explorer",
    "notebook",
    "page",
    "plot",
    "simulate",
    "storage",
    "test",
    "train",
}


def closure(name: str, extras: frozenset[str]) -> dict[str, str]:
    """Public version of every installed distribution that `name` with `extras` needs."""
    versions: dict[str, str] = {}
    seen, todo = set(), [(canonicalize_name(name), extras)]
    while todo:
        node = todo.pop()
        if node in seen or node[0].startswith(OF_CUDA):
            continue
        seen.add(node)
        try:
            found = distribution(node[0])
        except PackageNotFoundError:
            continue  # needed on another platform only
        versions[node[0]] = Version(found.version).public
        for line in found.requires or []:
            need = Requirement(line)
            environments = [{"extra": extra} for extra in ("", *node[1])]
            if need.marker is None or any(map(need.marker.evaluate, environments)):
                todo.append((canonicalize_name(need.name), frozenset(need.extras)))
    return versions


if __name__ == "__main__":
    versions = closure("massgan", frozenset(EXTRAS))
    del versions["massgan"]
    print("# The exact set that was tested (Linux, CPython 3.11, CPU). `make lock` writes it.")
    for name, version in sorted(versions.items()):
        print(f"{name}=={version}")
