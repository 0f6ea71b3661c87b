"""The page without a server: one folder of files for any host.

    python page/build.py [--out build/page] [--samples 256]

Draws what the page shows beforehand, exports the bundled network, takes ONNX Runtime from the npm
registry (version and hash in ``package-lock.json``) and bundles the scripts in ``src``.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # as a script it finds only its own folder

#: Names in onnxruntime-web's ``dist`` → names here. Some hosts send ``.mjs`` as no script.
RUNTIME = {
    "ort.wasm.min.mjs": "wasm.js",
    "ort-wasm-simd-threaded.mjs": "wasm-glue.js",
    "ort-wasm-simd-threaded.wasm": "wasm.wasm",
    "ort.jspi.min.mjs": "webgpu.js",
    "ort-wasm-simd-threaded.jspi.mjs": "webgpu-glue.js",
    "ort-wasm-simd-threaded.jspi.wasm": "webgpu.wasm",
}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, build, and say how to look at it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "page")
    parser.add_argument("--samples", type=int, default=256, help="drawn of a simulated field")
    asked = parser.parse_args(arguments)
    if asked.samples < 2:
        parser.error(f"--samples must be at least 2, got {asked.samples}")
    try:
        build(asked.out, asked.samples, say=lambda words: print(words, flush=True))
    except (RuntimeError, ModuleNotFoundError) as error:
        sys.exit(str(error))
    size = sum(path.stat().st_size for path in asked.out.rglob("*") if path.is_file())
    print(
        f"{asked.out}: {size / 1e6:.0f} MB for any web host. To look at it here:\n"
        f"    {Path(sys.executable).name} -m http.server -d {asked.out}"
    )


def build(out: Path, samples: int, *, say: Callable[[str], None] = lambda words: None) -> None:
    """Write the whole folder, in place of the one that was there; on an error nothing changes.

    Raises:
        RuntimeError: No node, or npm failed.
        ModuleNotFoundError: ONNX is not installed.
    """
    part = out.with_name(f".{out.name}.{os.getpid()}")
    part.mkdir(parents=True)
    try:
        npm()  # before anything is written
        say("taking ONNX Runtime from the npm registry …")
        modules = install(out.parent / f"{out.name}-npm")
        copy_runtime(modules, part / "ort")
        bundle(modules, part)
        write_data(part, samples, say)
        if out.exists():
            shutil.rmtree(out)
        os.replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def npm() -> str:
    """Path of npm: of the environment, else of the system.

    Raises:
        RuntimeError: There is none.
    """
    beside = Path(sys.executable).parent
    found = shutil.which("npm", path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise RuntimeError(
            "The page needs node and its npm, and there is none: pip install 'massgan[page]', "
            "or install Node.js 18 or later."
        )
    return found


def install(folder: Path) -> Path:
    """Put what ``package-lock.json`` names into `folder`, each file held to its hash.

    Returns:
        The folder of the modules.
    """
    command = [npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    _run(command, folder)
    return folder / "node_modules"


def copy_runtime(modules: Path, folder: Path) -> None:
    """ONNX Runtime under names that every host sends as what they are."""
    folder.mkdir()
    for theirs, ours in RUNTIME.items():
        shutil.copy(modules / "onnxruntime-web" / "dist" / theirs, folder / ours)


def bundle(modules: Path, out: Path) -> None:
    """The page's own files: a classic script, as a page that is no server's loads no modules."""
    esbuild = [node(), str(modules / "esbuild" / "bin" / "esbuild")]
    common = ["--bundle", "--target=es2022", "--log-level=warning"]
    for source, name, form in (("main", "page", "iife"), ("worker", "worker", "esm")):
        command = [f"src/{source}.js", *common, f"--format={form}", f"--outfile={out / name}.js"]
        _run([*esbuild, *command], HERE)
    for name in ("index.html", "style.css", "NOTICE.txt"):
        shutil.copy(HERE / name, out)


def write_data(out: Path, samples: int, say: Callable[[str], None]) -> None:
    """Fields, networks, colours and words."""
    from safetensors.numpy import save_file

    import massgan_core as mg
    from explorer.first_look import SAMPLER
    from massgan_core.gan.to_onnx import to_onnx
    from page.fields import CHOICES, script

    network = mg.load(SAMPLER.partition(":")[2])
    (out / "fields").mkdir()
    (out / "networks").mkdir()
    for choice in CHOICES:
        say(f"drawing samples of {choice.title} …")
        field = choice.open()
        page, told = script(choice, field, network, samples)
        words = json.dumps(page, separators=(",", ":"), allow_nan=False)
        (out / "fields" / f"{choice.name}.js").write_text(
            f"massgan.fields.{choice.name}={words}\n"
        )
        save_file(told, out / "fields" / f"{choice.name}.safetensors")
    say("exporting the network …")
    for name, model in to_onnx(network, field.grid.shape).items():
        (out / "networks" / f"{name}.onnx").write_bytes(model.SerializeToString())
    padded = tuple(told["condition"].shape[-2:])
    about = about_page(network, network.network.latent_shapes(padded))
    about["bytes"] = {
        str(path.relative_to(out)): path.stat().st_size
        for folder in ("ort", "networks", "fields")
        for path in sorted((out / folder).iterdir())
    }
    (out / "about.js").write_text(f"var massgan={json.dumps({'fields': {}, 'about': about})}\n")


def about_page(network: Any, shapes: list[tuple[int, ...]]) -> dict[str, Any]:
    """Colours and words, those of the explorer, and what the page must know of the network."""
    from explorer.elements.colors import palette
    from explorer.elements.figures import INK
    from explorer.views.titles import EMPTY, TITLES, UNITS
    from explorer.widgets.calm import TOKENS
    from page.fields import CHOICES

    shown = ("truth", "ks", "sample", "mean", "std", "snr")
    return {
        "choices": {choice.name: choice.title for choice in CHOICES},
        "titles": {name: TITLES[name] for name in shown},
        "units": {name: UNITS.get(name, "κ") for name in shown},
        "empty": {name: EMPTY[name] for name in shown if name in EMPTY},
        "tokens": TOKENS,
        "ink": INK,
        "palettes": {
            kind: {theme: palette(kind, "diverging", theme) for theme in TOKENS}
            for kind in ("kappa", "spread")
        },
        "trained": network.card["trained_on"],
        "latents": [list(shape) for shape in shapes],
    }


def node() -> str:
    """Path of node, beside npm or not.

    Raises:
        RuntimeError: There is none.
    """
    found = shutil.which("node", path=str(Path(npm()).parent)) or shutil.which("node")
    if found is None:
        raise RuntimeError("There is npm but no node: install Node.js 18 or later.")
    return found


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or "it said nothing"
        raise RuntimeError(f"{Path(command[0]).name} {command[1]} failed: {said[:400]}")


if __name__ == "__main__":
    main()
