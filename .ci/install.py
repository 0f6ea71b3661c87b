"""Create the virtual environment and install into it what a make target needs.

    python3 .ci/install.py --extras explorer            for `make explore`
    python3 .ci/install.py --extras … --browser         for `make test`

Runs before anything is installed: standard library only, and syntax that any Python 3 reads, so
that an old Python is told so in a sentence. What was installed is written to a stamp in the
environment; while pyproject.toml and constraints.txt stay as they are, the next run finds it
and calls neither pip nor the network.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST, NEWEST = (3, 11), (3, 13)  # tested Python versions, both included
DISK = 5e9  # bytes that an environment with the CPU build of torch, and pip at work, may take
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_BROWSER = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def main(argv=None):
    """Install what the command line asks for, unless the stamp says it is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--venv", default=".venv", help="folder of the environment")
    parser.add_argument("--extras", default="explorer", help="extras of pyproject.toml, by comma")
    parser.add_argument("--torch-index", help="index with torch; empty: the ordinary registry")
    parser.add_argument("--browser", action="store_true", help="Chromium too, for its tests")
    asked = parser.parse_args(argv)
    venv, extras = os.path.join(ROOT, asked.venv), set(asked.extras.split(","))
    if not extras <= installed(venv):
        stop_if(obstacle(sys.version_info[:2], missing_modules(), shutil.disk_usage(ROOT).free))
        index = default_index() if asked.torch_index is None else asked.torch_index
        extras |= installed(venv)
        install(venv, ["-e", "{}[{}]".format(ROOT, ",".join(sorted(extras)))], index)
        write_stamp(venv, extras)
    if asked.browser:
        stop_if(ensure_browser())


def stop_if(sentence):
    """Say the sentence and exit with code 1; go on where there is none."""
    if sentence:
        sys.exit(sentence)


# Checks


def obstacle(version, missing, free):
    """Why this machine cannot hold the environment, in one sentence; `None` when it can."""
    if not OLDEST <= tuple(version) <= NEWEST:
        return (
            "MassGAN is tested with Python {}.{} to {}.{}, and this is {}.{}: install one of "
            "these and name it, e.g. `make explore PYTHON=python3.11`."
        ).format(*(OLDEST + NEWEST + tuple(version)))
    if missing:
        return (
            "This Python cannot make virtual environments, its module {} is missing: install it "
            "(Debian and Ubuntu: apt-get install python{}.{}-venv)."
        ).format(" and ".join(missing), *version)
    if free < DISK:
        return (
            "The environment needs {:.0f} GB of free disk and {} has {:.1f} GB: free some, or "
            "move this folder to a larger disk."
        ).format(DISK / 1e9, ROOT, free / 1e9)
    return None


def missing_modules():
    """Modules a virtual environment needs and this Python lacks (Debian ships them apart)."""
    return [name for name in ("venv", "ensurepip") if find_spec(name) is None]


def default_index():
    """PyTorch's CPU index on Linux without an NVIDIA GPU, else the ordinary registry ("")."""
    return CPU_INDEX if platform.system() == "Linux" and not shutil.which("nvidia-smi") else ""


# Installation


def install(venv, package, index, run=subprocess.run):
    """Make the environment; install torch, then `package` (arguments of pip), into it."""
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        run([sys.executable, "-m", "venv", "--clear", venv], check=True)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check"]
    constraints = os.path.join(ROOT, "constraints.txt")
    if index:
        # Without its dependencies, which come in tested versions from the ordinary registry.
        source = ["--no-deps", "--index-url", index, "--retries", "1", "--timeout", "15"]
        if run(pip + source + ["-c", constraints, "torch"], stderr=subprocess.PIPE).returncode:
            print(
                "{} cannot be reached: taking torch from the ordinary registry, where it comes "
                "with CUDA libraries, about 3 GB to download.".format(index),
                flush=True,
            )
    run(pip + ["-c", constraints] + package, check=True)


def installed(venv):
    """Extras that the stamp says are installed, as pyproject.toml and constraints.txt stand."""
    try:
        with open(_stamp(venv)) as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return set()
    fresh = stamp["digest"] == digest() and os.path.exists(os.path.join(venv, "bin", "python"))
    return set(stamp["extras"]) if fresh else set()


def write_stamp(venv, extras):
    """Note that `extras` are installed."""
    with open(_stamp(venv), "w") as file:
        json.dump({"digest": digest(), "extras": sorted(extras)}, file)


def digest():
    """Changes with what is to be installed, and with the folder (environments do not move)."""
    whole = hashlib.sha256(ROOT.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        with open(os.path.join(ROOT, name), "rb") as file:
            whole.update(file.read())
    return whole.hexdigest()


def _stamp(venv):
    return os.path.join(venv, "massgan-installed.json")


# Chromium


def ensure_browser(run=subprocess.run):
    """Install Debian's Chromium where that is possible; else how to get one, in a sentence."""
    if browser():
        return None
    if not (on_debian() and os.geteuid() == 0):
        return (
            "The browser tests need Chromium and there is none: install it (as root on Debian: "
            "apt-get install chromium; elsewhere Chromium or Google Chrome from its maker) or "
            "set CHROMIUM to its path, then run this again."
        )
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    get = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    run(["apt-get", "update"], check=True, env=environment)
    run(get, check=True, env=environment)
    return None if browser() else "apt-get installed no Chromium; set CHROMIUM to the path of one."


def browser():
    """Path of a Chromium, or `None`."""
    if os.environ.get("CHROMIUM"):
        return shutil.which(os.environ["CHROMIUM"])
    return next(filter(None, map(shutil.which, BROWSERS + (MAC_BROWSER,))), None)


def on_debian(path="/etc/os-release"):
    """Whether this is Debian itself (Ubuntu's chromium package is a snap, no use to root)."""
    try:
        with open(path) as file:
            return any(line.strip() in ("ID=debian", 'ID="debian"') for line in file)
    except OSError:
        return False


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit("`{}` failed (see above).".format(" ".join(map(str, error.cmd))))
