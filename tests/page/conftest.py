"""Runs the page's modules in node, as a browser would run them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Node comes with the extra `page`, which `make test` does without."""
    if "node" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def node(root: Path) -> Callable[..., Any]:
    """`node(code, **given)`: what an asynchronous function body returns, by way of JSON.

    `code` sees the names in `given`, and `from_page(name)` imports a module of ``page/src``.
    """
    from page.build import node as path

    sources = (root / "page" / "src").as_uri()

    def run(code: str, **given: Any) -> Any:
        program = (
            'import { readFileSync } from "node:fs"\n'
            'const given = JSON.parse(readFileSync(0, "utf8"))\n'
            f"const from_page = name => import(`{sources}/${{name}}.js`)\n"
            "const told = await (async given => {"
            f"const {{ {', '.join(given)} }} = given\n{code}}})(given)\n"
            "console.log(JSON.stringify(told))"
        )
        done = subprocess.run(
            [path(), "--input-type=module", "--eval", program],
            input=json.dumps(given),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
