"""Every setting with its source, read once and only when it is asked for."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from eventsync_adapters import files
from eventsync_adapters.files import Config, Environment
from eventsync_adapters.files._config import KEYS
from eventsync_adapters.files._environment import VARIABLES
from eventsync_cli.compose import assemble
from eventsync_cli.options import Chosen
from tests.cli.conftest import Ran, Run

_WHOLE = """
[event_sync]
mode = "external_receiver"
external_endpoint = "https://x.example/in"
external_format = "eventsync"
[event_sync.external_headers]
X-Key = "env:KEY"
[sync]
server_url = "https://a.example/"
team = "t"
token = "file:/t"
[capture]
coalesce = true
"""


def _rows(ran: Ran) -> dict[str, tuple[Any, str]]:
    found = ran.document["settings"]
    assert ran.document["settings_count"] == len(found)
    rows = {each["name"]: (each["value"], each["source"]) for each in found}
    assert len(rows) == len(found)
    return rows


def _write(home: Path, text: str) -> None:
    home.mkdir()
    (home / "config.toml").write_text(text)


def test_nothing_that_is_set_is_forgotten(run: Run, home: Path) -> None:
    """Every field of configuration and environment has a row, and a place it is read from."""
    elsewhere = {"path": "config_file", "saas_url": "server_url", "persist_db_path": "database"}
    proxies = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    fields = {field.name for kind in (Config, Environment) for field in attrs.fields(kind)} - {
        "problem",
        "sources",
        "proxies",
    }

    shown = set(_rows(run("config", "show", "--json")))

    assert {elsewhere.get(name, name) for name in fields} | proxies <= shown
    assert {field.name for field in attrs.fields(Config)} - set(KEYS) == {
        "path",
        "problem",
        "sources",
    }
    assert {field.name for field in attrs.fields(Environment)} - set(VARIABLES) == {
        "proxies",
        "sources",
    }


def test_each_source_is_named(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, variable, option and default; a key that repeats the default is said too."""
    _write(home, _WHOLE)
    monkeypatch.setenv("PERSISTENCE", "SQLite ")
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "no")

    rows = _rows(run("config", "show", "--json", "--no-color"))

    sources = {
        "home": (str(home), "SPEC_KITTY_HOME"),
        "persistence": ("sqlite", "PERSISTENCE"),
        "mode": ("EXTERNAL_RECEIVER", "config.toml [event_sync] mode"),
        "server_url": ("https://a.example", "config.toml [sync] server_url"),
        "team": ("t", "config.toml [sync] team"),
        "user": (None, "default"),
        "token": ("file:/t", "config.toml [sync] token"),
        "external_headers": ({"X-Key": "env:KEY"}, "config.toml [event_sync] external_headers"),
        "external_format": ("eventsync", "config.toml [event_sync] external_format"),
        "external_proxy": (None, "default"),
        "coalesce": (True, "config.toml [capture] coalesce"),
        "saas_enabled": (False, "SPEC_KITTY_ENABLE_SAAS_SYNC"),
        "no_color": (True, "--no-color"),
    }
    assert {name: rows[name] for name in sources} == sources


def test_another_home_is_named_by_its_option(run: Run, home: Path, tmp_path: Path) -> None:
    """And the database's file by its variable."""
    place = tmp_path / "other"

    rows = _rows(run("--home", str(place), "config", "show", "--json"))

    assert rows["home"] == (str(place), "--home")
    assert rows["database"] == (str(place / "eventsync" / "eventsync.db"), "--home")
    assert not place.exists()


def test_a_line_per_setting(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In aligned columns, whatever a value holds."""
    monkeypatch.setenv("PERSIST_DB_PATH", "a\nb")

    ran = run("config", "show")

    lines = ran.out.splitlines()
    width = max(map(len, (line.split(" ")[0] for line in lines)))
    assert len(lines) == run("config", "show", "--json").document["settings_count"]
    assert {line[width : width + 2] for line in lines} == {"  "}
    (database,) = [line for line in lines if line.startswith("database ")]
    assert database.split() == ["database", "a", "b", "PERSIST_DB_PATH"]


def test_no_secret_is_shown(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """References are not resolved, users and passwords are cut out."""
    _write(home, _WHOLE)
    monkeypatch.setenv("KEY", "CANARY")
    monkeypatch.setenv("https_proxy", "u:CANARY@proxy:3128")
    monkeypatch.setenv("ALL_PROXY", "http://u:CANARY@[")
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://u:CANARY@a.example")
    monkeypatch.setenv("PERSIST_DB_PATH", "postgresql://u:CANARY@host/db")

    told, ran = run("config", "show"), run("config", "show", "--json")

    assert "CANARY" not in told.out + told.err + ran.out + ran.err
    assert _rows(ran)["https_proxy"] == ("proxy:3128", "https_proxy")
    assert _rows(ran)["database"] == ("postgresql://host/db", "PERSIST_DB_PATH")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("NO_PROXY", "a.example,bob:CANARY@foo"),
        ("NO_PROXY", "bob:CAN,CANARY@foo"),
        ("HTTP_PROXY", "http://bob:80/CANARY@proxy:3128"),
        ("ALL_PROXY", "bob:80?CANARY@proxy:3128"),
    ],
)
def test_no_proxy_shows_a_password_that_is_not_where_one_belongs(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """It is said that there is something, and where."""
    monkeypatch.setenv(name, text)

    told, ran = run("config", "show"), run("config", "show", "--json")

    assert "CANARY" not in told.out + told.err + ran.out + ran.err
    shown = _rows(ran)[name.lower()]
    assert shown[1] == name
    assert shown[0].startswith("<")


@pytest.mark.requirement("T6")
def test_a_configuration_that_cannot_be_understood(run: Run, home: Path) -> None:
    """What holds then is shown all the same, and the file is named; exit 4."""
    _write(home, "[sync")

    told, ran = run("config", "show"), run("config", "show", "--json")

    assert (told.code, ran.code) == (4, 4)
    assert ran.document["error"]["code"] == "config_unreadable"
    assert ran.document["problems"][0]["code"] == "config_unreadable"
    assert _rows(ran)["mode"] == ("LOCAL_RETENTION", "default")
    assert told.err.count(str(home / "config.toml")) == 2  # the reason, and its fix
    assert told.out.count("\n") == ran.document["settings_count"]


def test_an_unknown_mode_keeps_events_here(run: Run, home: Path) -> None:
    """By default, not by the file; what the file says of places is known."""
    _write(home, '[event_sync]\nmode = "x"\n[sync]\nserver_url = "https://a.example"\ntoken = ""\n')

    ran = run("config", "show", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (4, "mode_unknown")
    assert _rows(ran)["mode"] == ("LOCAL_RETENTION", "default")
    assert _rows(ran)["server_url"][1] == "config.toml [sync] server_url"
    assert _rows(ran)["token"] == (None, "default")


@pytest.mark.requirement("T5")
def test_servers_that_disagree_are_named(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both of them, and none is in force."""
    _write(home, _WHOLE)
    monkeypatch.setenv("SPEC_KITTY_SAAS_URL", "https://b.example")

    ran = run("config", "show", "--json")

    source = "config.toml [sync] server_url and SPEC_KITTY_SAAS_URL disagree"
    assert ran.code == 0
    assert _rows(ran)["server_url"] == (None, source)
    assert [each["code"] for each in ran.document["problems"]] == ["target_conflict"]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was read, in order."""
    found: list[str] = []

    def noted(name: str) -> None:
        genuine = getattr(files, name)

        def read(*arguments: Any) -> Any:
            found.append(name)
            return genuine(*arguments)

        monkeypatch.setattr(files, name, read)

    noted("read_config")
    noted("read_environment")
    return found


def test_settings_are_read_when_asked_for(home: Path, reads: list[str]) -> None:
    """Not when an `App` is made; then once, and again only for another one."""
    app = assemble(Chosen())
    assert reads == []

    for _ in range(2):
        assert (app.home, app.config.team, app.authority.team_slug) == (home, "", None)
    assert sorted(reads) == ["read_config", "read_environment"]

    _write(home, '[sync]\nteam = "t"\n')
    assert app.config.team == ""
    assert (app.reread().config.team, app.reread().authority.team_slug) == ("t", "t")


@pytest.mark.parametrize(
    "words", [("sync", "now"), ("sync", "status"), ("config", "show"), ("journal", "list")]
)
def test_a_command_reads_once(run: Run, home: Path, reads: list[str], words: tuple[str]) -> None:
    """So it cannot see two states of one file."""
    _write(home, _WHOLE)

    run(*words)

    assert sorted(reads) == ["read_config", "read_environment"]
