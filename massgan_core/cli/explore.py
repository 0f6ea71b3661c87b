"""``massgan explore``: the app, in a child process of its own."""

from __future__ import annotations

import ast
import os
import signal
import site
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if os.name == "posix" else [])]


def explore(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="`cosmos`, shear-field FITS files or galaxy catalogues to open.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page; 0 takes a free one.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    show: Annotated[
        bool, typer.Option("--show/--no-show", help="Open the page in the browser.")
    ] = True,
    lesson: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Begin with a lesson: a name, or a TOML file."),
    ] = None,
    classroom: Annotated[
        bool,
        typer.Option("--class", help="For many at once: share samples, take no files."),
    ] = False,
    sampling: Annotated[
        str | None,
        typer.Option(
            metavar="WHERE",
            help="Who draws the samples: `here`, `processes:N` or `dask:ADDRESS`; by default what "
            "`MASSGAN_SAMPLING` says, else here.",
        ),
    ] = None,
    num_procs: Annotated[
        int | None, typer.Option(min=1, help="Server processes, each with its own workers.")
    ] = None,
    allow_websocket_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Address that people type; may be repeated."),
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(metavar="PATH", help="Path of the address, as `/massgan`.")
    ] = None,
    use_xheaders: Annotated[
        bool, typer.Option("--use-xheaders", help="Trust the headers of a proxy in front.")
    ] = False,
    basic_auth: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Ask for a login: JSON of names and passwords."),
    ] = None,
    cookie_secret: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Signs the cookies of a login (`PANEL_COOKIE_SECRET`)."),
    ] = None,
    unused_session_lifetime: Annotated[
        int | None,
        typer.Option(min=1, metavar="MS", help="After it a page without a browser is forgotten."),
    ] = None,
) -> int:
    """Open the explorer: live posterior maps in the browser. Ctrl-C ends it."""
    folder = find_explorer()
    command = [sys.executable, "-P", "-m", "explorer", *(inputs or [])]
    command += [] if port is None else ["--port", str(port)]
    command += [] if address is None else ["--address", address]
    command += [] if lesson is None else ["--lesson", lesson]
    command += ["--class"] if classroom else []
    command += ["--use-xheaders"] if use_xheaders else []
    for origin in allow_websocket_origin or []:
        command += ["--allow-websocket-origin", origin]
    for option, value in {
        "--sampling": sampling,
        "--num-procs": num_procs,
        "--prefix": prefix,
        "--basic-auth": basic_auth,
        "--cookie-secret": cookie_secret,
        "--unused-session-lifetime": unused_session_lifetime,
    }.items():
        command += [] if value is None else [option, str(value)]
    return run_child([*command, "--show" if show else "--no-show"], folder)


def find_explorer() -> Path:
    """The folder that holds our package `explorer`; nothing of it is imported.

    Raises:
        ImportError: There is none, it is another project's, or its libraries are missing.
    """
    spec = find_spec("explorer")
    if spec is None:
        raise ImportError("the explorer is not installed: pip install 'massgan[explorer]'")
    origin = Path(spec.origin or "")
    if not _is_ours(origin):
        where = origin.parent if spec.origin else "a folder without __init__.py"
        raise ImportError(
            f"the package `explorer` found at {where} is not MassGAN's (django-sql-explorer "
            "installs the same name): install massgan in an environment of its own"
        )
    if find_spec("panel") is None:
        raise ImportError("the explorer needs panel: pip install 'massgan[explorer]'")
    return origin.parent.parent


def run_child(command: list[str], folder: Path) -> int:
    """Run `command` with `folder` importable, hand signals on, return its exit code."""
    child: subprocess.Popen | None = None

    def hand_on(number: int, _: object) -> None:
        if child is None:
            raise SystemExit(128 + number)
        child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in _SIGNALS}
    try:
        # A session of its own: else the child would hear the terminal's Ctrl-C twice.
        child = subprocess.Popen(command, env=_environment(folder), start_new_session=True)
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def _is_ours(origin: Path) -> bool:
    """Whether the source of a package sets ``__massgan__ = True``."""
    if origin.name != "__init__.py" or not origin.is_file():
        return False
    tree = ast.parse(origin.read_bytes())
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and node.value.value is True
    }
    return "__massgan__" in names


def _environment(folder: Path) -> dict[str, str]:
    """Our environment; with `folder` on the path where Python would not look by itself."""
    if str(folder) in (*site.getsitepackages(), site.getusersitepackages()):
        return dict(os.environ)
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
