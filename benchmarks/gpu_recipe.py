"""The one-hour recipe on a machine that is lent for minutes: train, pack, go on elsewhere.

    python benchmarks/gpu_recipe.py pack OUT --minutes 9 [--run DIR] -- gpu-hour --data MAPS.zarr
    python benchmarks/gpu_recipe.py unpack OUT DIR

`pack` runs `massgan train …` (with --resume, if DIR holds a run) for some minutes and leaves
checkpoints and the resumable state in OUT, cut into files of at most 15 MiB. `unpack` joins
them again, so that the same command goes on wherever it is next given. Simulated maps stay
behind: keep DIR where the machine stays, or let --simulate make them anew (the same ones).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

PIECE = 15 * 2**20
KEPT = ("*/*.safetensors", "*/log.csv", "*/config.json")


def pack(run: Path, out: Path, kept: tuple[str, ...] = KEPT) -> list[Path]:
    """Cut the files of a run that matter into pieces; a list of them goes into index.json."""
    out.mkdir(parents=True, exist_ok=True)
    index, pieces = {}, []
    for path in sorted(p for pattern in kept for p in run.glob(pattern)):
        data, name = path.read_bytes(), path.relative_to(run).as_posix()
        parts = [data[i : i + PIECE] for i in range(0, len(data), PIECE)] or [b""]
        index[name] = {"sha256": hashlib.sha256(data).hexdigest(), "parts": []}
        for k, part in enumerate(parts):
            piece = out / f"{name.replace('/', '__')}.{k:03d}"
            piece.write_bytes(part)
            index[name]["parts"].append(piece.name)
            pieces.append(piece)
    (out / "index.json").write_text(json.dumps(index, indent=1))
    return pieces


def unpack(out: Path, run: Path) -> list[Path]:
    """Join the pieces again; a damaged file is an error."""
    files = []
    for name, facts in json.loads((out / "index.json").read_text()).items():
        data = b"".join((out / part).read_bytes() for part in facts["parts"])
        if hashlib.sha256(data).hexdigest() != facts["sha256"]:
            raise ValueError(f"{name} came back damaged: fetch its pieces in {out} again")
        path = run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.append(path)
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("pack", "unpack"))
    parser.add_argument("out", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("run"))
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--run", type=Path, default=Path("run"))
    own, train = sys.argv[1:], []
    if "--" in own:
        train, own = own[own.index("--") + 1 :], own[: own.index("--")]
    options = parser.parse_args(own)
    if options.action == "unpack":
        print(*unpack(options.out, options.folder), sep="\n")
        return
    code = "from massgan_core.cli.main import main; main()"
    command = [sys.executable, "-c", code, "train", *train, "--out", str(options.run)]
    command += ["--minutes", str(options.minutes), "--resume"]
    done = subprocess.run(command)
    print(*pack(options.run, options.out), sep="\n")
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
