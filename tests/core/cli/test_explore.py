"""``massgan explore``: whose explorer it is, what it is given, signals and exit codes."""

from __future__ import annotations

import json
import re
import signal
import sys
from importlib.machinery import ModuleSpec
from types import SimpleNamespace

import pytest

from massgan_core.cli import explore
from massgan_core.cli.explore import find_explorer

#: An explorer that says how it was called, then waits for a signal.
PAGE = """
import json, os, signal, sys, time
heard = []
def hear(number, _):
    heard.append(number)
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), hear)
print(json.dumps({"argv": sys.argv[1:], "file": __file__, "pid": os.getpid()}), flush=True)
if "wait" in sys.argv:
    while not heard:
        time.sleep(0.01)
    time.sleep(0.3)  # a second one would come now
if "die" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
print(json.dumps(heard), flush=True)
sys.exit(5)
"""


@pytest.fixture
def page(tmp_path):
    """A folder with a package `explorer` that bears our mark."""
    package = tmp_path / "site" / "explorer"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__massgan__ = True\n")
    (package / "__main__.py").write_text(PAGE)
    return package.parent


@pytest.fixture
def found(monkeypatch):
    """Make `find_spec` find `explorer` at a place (or nowhere), and panel or not."""

    def place(origin, panel=True):
        spec = None if origin is None else ModuleSpec("explorer", None, origin=str(origin))
        specs = {"explorer": spec, "panel": SimpleNamespace() if panel else None}
        monkeypatch.setattr(explore, "find_spec", specs.__getitem__)

    return place


def test_the_explorer_of_this_checkout_is_ours(root):
    before = set(sys.modules)
    assert find_explorer() == root
    assert not {"explorer", "panel"} & (set(sys.modules) - before)


@pytest.mark.parametrize(
    "source",
    [
        '__version_info__ = {"major": 5}\n',
        "__massgan__ = False\n",
        "raise RuntimeError('imported')\n",
        "def f():\n    __massgan__ = True\n",
    ],
)
def test_another_project_s_explorer_is_refused(run, found, tmp_path, source):
    (tmp_path / "__init__.py").write_text(source)
    found(tmp_path / "__init__.py")
    result = run("explore", "--no-show")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert str(tmp_path) in result.stderr and "django-sql-explorer" in result.stderr


def test_a_script_of_that_name_is_refused(run, found, tmp_path):
    (tmp_path / "explorer.py").write_text("__massgan__ = True\n")
    found(tmp_path / "explorer.py")
    assert "is not MassGAN's" in run("explore").stderr


def test_a_missing_explorer_or_panel_names_the_extra(run, found, page):
    found(None)
    missing = run("explore")
    found(page / "explorer" / "__init__.py", panel=False)
    bare = run("explore")
    for result in (missing, bare):
        assert result.exit_code == 2
        assert re.fullmatch(r"Error: .*pip install 'massgan\[explorer\]'\n", result.stderr)
    assert "panel" in bare.stderr


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        ([], ["--show"]),
        (["cosmos", "a b.fits"], ["cosmos", "a b.fits", "--show"]),
        (["x", "--port", "0", "--no-show"], ["x", "--port", "0", "--no-show"]),
        (["--address", "127.0.0.1"], ["--address", "127.0.0.1", "--show"]),
        (
            ["--allow-websocket-origin", "a.org", "--allow-websocket-origin", "b.org:8080"],
            ["--allow-websocket-origin", "a.org", "--allow-websocket-origin", "b.org:8080"]
            + ["--show"],
        ),
        (
            ["--sampling", "processes:2", "--num-procs", "4", "--use-xheaders"],
            ["--use-xheaders", "--sampling", "processes:2", "--num-procs", "4", "--show"],
        ),
    ],
)
def test_inputs_and_options_reach_the_page(monkeypatch, run, words, argv):
    called = []
    monkeypatch.setattr(explore, "run_child", lambda command, folder: called.append(command) or 0)
    assert run("explore", *words).exit_code == 0
    assert called == [[sys.executable, "-P", "-m", "explorer", *argv]]


def test_the_page_s_exit_code_is_ours(start, page):
    out, err = (child := start("explore", "--no-show", first=page)).communicate(timeout=60)
    assert child.returncode == 5 and err == ""
    assert json.loads(out.splitlines()[0])["argv"] == ["--no-show"]


def test_a_script_in_the_working_folder_is_not_the_page(start, page, tmp_path):
    (tmp_path / "explorer.py").write_text("raise SystemExit('the wrong explorer')\n")
    child = start("explore", "--no-show", first=page, cwd=tmp_path)
    out, _ = child.communicate(timeout=60)
    assert child.returncode == 5
    assert json.loads(out.splitlines()[0])["file"].startswith(str(page))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_handed_on_once(start, page, number):
    child = start("explore", "wait", "--no-show", first=page)
    assert "wait" in json.loads(child.stdout.readline())["argv"]
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert json.loads(out) == [number] and err == ""
    assert child.returncode == 5


def test_a_page_that_is_killed_is_told_by_the_code(start, page):
    child = start("explore", "die", "--no-show", first=page)
    child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGKILL
