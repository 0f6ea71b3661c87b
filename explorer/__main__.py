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
    parser.add_argument("--sampling", metavar="WHERE", help="here, processes:N or dask:ADDRESS")
    given = parser.add_argument_group("for a public address", "handed to Panel's server")
    given.add_argument(
        "--allow-websocket-origin",
        dest="websocket_origin",
        action="append",
        metavar="HOST",
        help="address that people type, HOST or HOST:PORT; may be repeated",
    )
    given.add_argument("--num-procs", type=int, metavar="N", help="server processes")
    given.add_argument("--prefix", metavar="PATH", help="path of the address, as /massgan")
    given.add_argument(
        "--use-xheaders", action="store_true", default=None, help="trust the headers of a proxy"
    )
    given.add_argument("--basic-auth", metavar="FILE", help="JSON of names and passwords: login")
    given.add_argument("--cookie-secret", metavar="TEXT", help="signs the cookies of a login")
    given.add_argument(
        "--unused-session-lifetime",
        dest="unused_session_lifetime_milliseconds",
        type=int,
        metavar="MS",
        help="after which a page that lost its browser is forgotten",
    )
    chosen = vars(parser.parse_args(arguments))

    from explorer import store
    from explorer.lessons.lesson import find

    named, chosen["lesson"] = chosen["lesson"], None
    options = {name: value for name, value in chosen.items() if value is not None}
    try:
        if named is not None:
            options["lesson"] = find(named, store.trained())

        from explorer.server import serve

        serve(options.pop("inputs"), **options)
    except (OSError, ValueError, ImportError) as error:
        parser.exit(2, f"Error: {error}\n")


if __name__ == "__main__":
    main()
