"""What a server is told reaches Panel, and what is wrong with it is one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import panel as pn
import pytest

from explorer import server
from explorer.__main__ import main
from explorer.sampling import SAMPLING, VARIABLE


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What Panel's server is told, in place of serving; no signal is touched."""
    calls: list[dict[str, Any]] = []

    def serve(pages: dict, **options: Any) -> SimpleNamespace:
        calls.append(options)
        return SimpleNamespace(port=options["port"] or 1234, prefix=options.get("prefix", ""))

    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(pn, "serve", serve)
    monkeypatch.setattr(server, "_run", lambda *_: None)
    monkeypatch.setattr(server.signal, "signal", lambda *_: None)
    yield calls
    # Not by monkeypatch: what Bokeh shows of a setting is no value that could be put back.
    server.settings.perform_document_validation.unset_value()


def test_a_plain_server_is_told_nothing_but_its_place(told: list, capsys: Any) -> None:
    main(["--port", "0", "--no-show"])
    (options,) = told
    assert {"address": "localhost", "port": 0, "show": False, "liveness": True}.items() <= (
        options.items()
    )
    assert not {"num_procs", "basic_auth", "cookie_secret", "websocket_origin"} & set(options)
    assert "http://localhost:1234/ " in capsys.readouterr().out
    assert SAMPLING.workers() is None


def test_options_of_a_public_address_reach_panel(
    told: list, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "users.json"
    users.write_text('{"ada": "secret"}')
    main(
        ["--num-procs", "2", "--allow-websocket-origin", "a.org", "--prefix", "/sky"]
        + ["--allow-websocket-origin", "b.org", "--use-xheaders", "--basic-auth", str(users)]
        + ["--unused-session-lifetime", "60000", "--port", "8080"]
    )
    (options,) = told
    expected = {
        "num_procs": 2,
        "websocket_origin": ["a.org", "b.org"],
        "prefix": "/sky",
        "use_xheaders": True,
        "basic_auth": str(users),
        "unused_session_lifetime_milliseconds": 60000,
        "show": False,
    }
    assert expected.items() <= options.items()
    # Made before the fork, so that every process knows who has logged in.
    assert len(options["cookie_secret"]) >= 32
    assert "http://localhost:8080/sky/ " in capsys.readouterr().out
    main(["--basic-auth", str(users), "--cookie-secret", "mine"])
    assert told[-1]["cookie_secret"] == "mine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sampling", "processes:0"], "`sampling` must be here, processes:N or dask:ADDRESS"),
        (["--basic-auth", "nowhere.json"], "`basic-auth` must be a JSON file"),
        (["--lesson", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    told: list, words: list[str], said: str, capsys: Any
) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    err = capsys.readouterr().err
    assert end.value.code == 2 and err.startswith("Error: ") and said in err
    assert err.count("\n") == 1 and told == []


def test_the_environment_is_heard_and_named(
    told: list, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv(VARIABLE, "many")
    with pytest.raises(SystemExit):
        main([])
    assert VARIABLE in capsys.readouterr().err
    main(["--sampling", "here"])  # the option is nearer
    assert len(told) == 1
