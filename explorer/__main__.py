"""``python -m explorer [INPUT …]`` serves the page and prints its address."""

from __future__ import annotations

import argparse


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m explorer", description=__doc__)
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="cosmos, or files to explore")
    parser.add_argument("--port", type=int, default=5006, help="0 takes a free one")
    parser.add_argument("--address", default="localhost", help="host name to listen on")
    parser.add_argument("--show", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--lesson", metavar="NAME|FILE", help="begin with a lesson (TOML)")
    parser.add_argument(
        "--class",
        dest="classroom",
        action="store_true",
        help="for many at once: samples are shared and kept, nobody brings files",
    )
    chosen = parser.parse_args(arguments)

    from explorer import store
    from explorer.lessons.lesson import find

    lesson = None
    if chosen.lesson is not None:
        try:
            lesson = find(chosen.lesson, store.trained())
        except (OSError, ValueError) as error:
            parser.exit(2, f"Error: {error}\n")

    from explorer.app import serve

    serve(
        chosen.inputs,
        port=chosen.port,
        address=chosen.address,
        show=chosen.show,
        lesson=lesson,
        classroom=chosen.classroom,
    )


if __name__ == "__main__":
    main()
