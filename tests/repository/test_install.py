"""What happens before anything is installed: checks, torch's source, stamp, Chromium."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ["-e", "/somewhere[explorer]"]
GOOD = {"version": (3, 11), "missing": [], "free": 50e9}


@pytest.fixture
def installer():
    """`.ci/install.py` as a module of its own for every test."""
    spec = importlib.util.spec_from_file_location("installer", ROOT / ".ci" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Recorder:
    """Stands for `subprocess.run`: notes commands, fails those that hold `failing`."""

    def __init__(self, failing: str | None = None) -> None:
        self.commands, self.failing = [], failing

    def __call__(self, command, check=False, **options):
        self.commands.append(" ".join(command))
        code = int(self.failing is not None and self.failing in self.commands[-1])
        if check and code:
            raise subprocess.CalledProcessError(code, command)
        return subprocess.CompletedProcess(command, code)


def one_sentence(text: str) -> bool:
    """Whether `text` is one line that ends as a sentence does."""
    return "\n" not in text.strip() and text.strip().endswith(".") and len(text) < 300


@pytest.mark.parametrize("version", [(3, 11), (3, 13)])
def test_a_tested_python_may_go_on(installer, version):
    assert installer.obstacle(**GOOD | {"version": version}) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": (3, 10)}, "this is 3.10"),
        ({"version": (3, 99)}, "this is 3.99"),
        ({"missing": ["venv"]}, "venv is missing"),
        ({"missing": ["venv", "ensurepip"]}, "python3.11-venv"),
        ({"free": 4.9e9}, "needs 5 GB of free disk"),
    ],
)
def test_each_obstacle_is_one_sentence(installer, change, words):
    sentence = installer.obstacle(**GOOD | change)
    assert words in sentence and one_sentence(sentence)


def test_an_obstacle_stops_before_anything_runs(installer, monkeypatch, tmp_path):
    recorder = Recorder()
    monkeypatch.setattr(installer.subprocess, "run", recorder)
    monkeypatch.setattr(installer, "missing_modules", lambda: ["venv"])
    with pytest.raises(SystemExit, match="venv is missing"):
        installer.main(["--venv", str(tmp_path / "venv")])
    assert recorder.commands == [] and not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("system", "smi", "is_cpu"),
    [("Linux", None, True), ("Linux", "/usr/bin/nvidia-smi", False), ("Darwin", None, False)],
)
def test_torch_comes_from_the_cpu_index_on_linux_without_nvidia(
    installer, monkeypatch, system, smi, is_cpu
):
    monkeypatch.setattr(installer.platform, "system", lambda: system)
    monkeypatch.setattr(installer.shutil, "which", lambda name: smi)
    assert installer.default_index() == (installer.CPU_INDEX if is_cpu else "")


def test_an_index_serves_torch_alone_and_first(installer, tmp_path):
    recorder = Recorder()
    installer.install(str(tmp_path), PACKAGE, "https://index.example/cpu", run=recorder)
    venv, torch, rest = recorder.commands
    assert " -m venv " in venv
    assert torch.endswith("torch") and "--no-deps --index-url https://index.example/cpu" in torch
    assert rest.endswith("[explorer]") and "--index-url" not in rest


def test_no_index_means_the_ordinary_registry_from_the_start(installer, tmp_path, capsys):
    recorder = Recorder()
    installer.install(str(tmp_path), PACKAGE, "", run=recorder)
    assert len(recorder.commands) == 2
    assert not any("--index-url" in command for command in recorder.commands)
    assert capsys.readouterr().out == ""


def test_an_unreachable_index_falls_back_with_one_line(installer, tmp_path, capsys):
    recorder = Recorder(failing="--index-url")
    installer.install(str(tmp_path), PACKAGE, "https://index.example/cpu", run=recorder)
    said = capsys.readouterr().out
    assert one_sentence(said) and re.search(r"about \d+ GB", said)
    assert recorder.commands[-1].endswith("[explorer]")


def test_the_second_run_installs_nothing(installer, monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    recorder = Recorder()
    monkeypatch.setattr(installer, "install", lambda *a: installer.subprocess.run(["pip"]))
    monkeypatch.setattr(installer.subprocess, "run", recorder)
    monkeypatch.setattr(installer, "obstacle", lambda *a: None)
    monkeypatch.setattr(installer.shutil, "disk_usage", lambda p: type("Disk", (), {"free": 0}))
    for extras in ("explorer,test", "explorer", "test"):
        installer.main(["--venv", str(tmp_path), "--extras", extras])
        assert recorder.commands == ["pip"]
    installer.main(["--venv", str(tmp_path), "--extras", "train"])
    assert recorder.commands == ["pip", "pip"]
    assert installer.installed(str(tmp_path)) == {"explorer", "test", "train"}


@pytest.mark.parametrize("change", ["digest", "broken", "gone"])
def test_a_stale_stamp_does_not_count(installer, tmp_path, change):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    installer.write_stamp(str(tmp_path), {"explorer"})
    assert installer.installed(str(tmp_path)) == {"explorer"}
    stamp = next(tmp_path.glob("*.json"))
    if change == "digest":
        stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {"digest": "0"}))
    elif change == "broken":
        stamp.write_text("{")
    else:
        (tmp_path / "bin" / "python").unlink()
    assert installer.installed(str(tmp_path)) == set()


def test_root_on_debian_gets_chromium(installer, monkeypatch):
    found = iter([None, "/usr/bin/chromium"])
    monkeypatch.setattr(installer, "browser", lambda: next(found))
    monkeypatch.setattr(installer, "on_debian", lambda: True)
    monkeypatch.setattr(installer.os, "geteuid", lambda: 0)
    recorder = Recorder()
    assert installer.ensure_browser(run=recorder) is None
    assert recorder.commands[0] == "apt-get update"
    assert recorder.commands[1].startswith("apt-get install -y")
    assert recorder.commands[1].endswith("chromium")


@pytest.mark.parametrize(("debian", "user"), [(False, 0), (True, 1000)])
def test_others_are_told_how_to_get_chromium(installer, monkeypatch, debian, user):
    monkeypatch.setattr(installer, "browser", lambda: None)
    monkeypatch.setattr(installer, "on_debian", lambda: debian)
    monkeypatch.setattr(installer.os, "geteuid", lambda: user)
    recorder = Recorder()
    sentence = installer.ensure_browser(run=recorder)
    assert recorder.commands == [] and "CHROMIUM" in sentence and one_sentence(sentence)


@pytest.mark.parametrize(("line", "debian"), [("ID=debian", True), ("ID=ubuntu", False)])
def test_debian_is_told_from_its_children(installer, tmp_path, line, debian):
    (tmp_path / "os-release").write_text(f"NAME=x\n{line}\nID_LIKE=debian\n")
    assert installer.on_debian(str(tmp_path / "os-release")) is debian


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """The Makefile, asked from outside the tests' own settings."""
    clean = {k: v for k, v in os.environ.items() if k not in ("TORCH_INDEX", "MAKEFLAGS")}
    return subprocess.run(
        ["make", "-C", str(ROOT), *arguments],
        capture_output=True,
        text=True,
        env=clean | environment,
    )


@pytest.mark.parametrize("target", ["explore", "page", "demos", "test", "test-all", "lint"])
def test_make_installs_before_it_runs(target):
    recipe = make("-n", target).stdout
    assert ".ci/install.py" in recipe and "--torch-index" not in recipe
    assert ("--browser" in recipe) == target.startswith("test")


def test_an_empty_torch_index_reaches_the_installer():
    assert "--torch-index= " in make("-n", "test", TORCH_INDEX="").stdout
    assert "--torch-index= " in make("-n", "test", "TORCH_INDEX=").stdout
    assert "--torch-index=https://a.b " in make("-n", "test", TORCH_INDEX="https://a.b").stdout


def test_the_port_is_a_choice():
    assert "--port 5006" in make("-n", "explore").stdout
    assert "--port 6007" in make("-n", "explore", "PORT=6007").stdout


def test_the_scores_are_those_of_a_checkpoint_not_of_its_calibration(tmp_path):
    bundled = tmp_path / "massgan_core" / "gan" / "bundled"
    bundled.mkdir(parents=True)
    for name in ("a.calibration.safetensors", "b.calibration.safetensors", "b.safetensors"):
        (bundled / name).touch()
    shutil.copy(ROOT / "Makefile", tmp_path)
    recipe = make("-C", str(tmp_path), "-n", "scores").stdout
    assert "score.py massgan_core/gan/bundled/b.safetensors " in recipe


def test_a_part_of_the_benchmarks_is_a_file_of_theirs():
    assert "/bench_" not in make("-n", "bench").stdout
    for path in (ROOT / "benchmarks" / "performance").glob("bench_*.py"):
        part = path.stem.removeprefix("bench_")
        assert f"performance/{path.name} " in make("-n", "bench", f"BENCH={part}").stdout


def test_a_missing_python_is_one_sentence():
    run = make("explore", "PYTHON=no-such-python")
    assert run.returncode != 0 and "no no-such-python here" in run.stderr


def test_an_old_python_is_one_sentence(tmp_path):
    """The whole path: make, the installer's own process, its exit code and its sentence."""
    fake = tmp_path / "python3.9"
    prelude = "import sys; sys.version_info = (3, 9, 1); sys.argv = sys.argv[1:]"
    run = "import runpy; runpy.run_path(sys.argv[0], run_name='__main__')"
    fake.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{prelude}; {run}" "$@"\n')
    fake.chmod(0o755)
    done = make("explore", f"PYTHON={fake}", f"VENV={tmp_path / 'venv'}")
    said = done.stderr.splitlines()
    assert done.returncode != 0 and not (tmp_path / "venv").exists()
    assert "this is 3.9" in said[0] and one_sentence(said[0])
    assert all(line.startswith("make") for line in said[1:])
