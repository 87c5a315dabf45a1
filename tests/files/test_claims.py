"""What a home says of the server."""

import os
from pathlib import Path

import pytest

from eventsync_adapters.files import Config, Environment, config_file, read_config
from eventsync_adapters.files.claims import queue_files, read_claims
from eventsync_core.authority import Claims


def _read(home: Path, env: str = "") -> Claims:
    return read_claims(home, read_config(config_file(home)), Environment(home=home, saas_url=env))


def test_a_home_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    """And is not made."""
    claims = _read(tmp_path / "none")

    said = [claims.configured_server, claims.env_server, claims.user, claims.cached_scope]
    assert not any(claim.text for claim in [*said, claims.login.server])
    assert list(tmp_path.iterdir()) == []


def test_each_claim_names_its_source(tmp_path: Path) -> None:
    """The table and key, the variable, or the file."""
    (tmp_path / "config.toml").write_text('[sync]\nserver_url = "https://a"\nteam = "t"\n')
    (tmp_path / "active_queue_scope").write_text("s\n")

    claims = _read(tmp_path, "https://b")

    assert (claims.configured_server.value, claims.configured_server.source) == (
        "https://a",
        "config.toml [sync] server_url",
    )
    assert claims.env_server.source == "SPEC_KITTY_SAAS_URL"
    assert (claims.cached_scope.text, claims.cached_scope.source) == ("s", "active_queue_scope")


@pytest.mark.parametrize(
    "text", ["[user", "user = 3", "[user]\nusername = 3", "[server]\nurl = []", "\0", "[" * 9_999]
)
def test_credentials_that_are_none_say_nothing(tmp_path: Path, text: str) -> None:
    """And stop nothing."""
    (tmp_path / "credentials").write_text(text)

    login = _read(tmp_path).login

    assert [claim.text for claim in (login.server, login.user, login.team)] == ["", "", ""]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """It is no file."""
    for name in ("credentials", "active_queue_scope"):
        os.mkfifo(tmp_path / name)

    claims = read_claims(tmp_path, Config(path=tmp_path), Environment(home=tmp_path))

    assert (claims.cached_scope.text, claims.login.server.text) == ("", "")


def test_queues_are_told_by_their_names(tmp_path: Path) -> None:
    """Sorted; nothing else in the folder is one."""
    names = [f"queue-{digit * 16}.db" for digit in "b1"]
    (tmp_path / "queues").mkdir()
    for name in [*names, "queue-1.db", f"queue-{'1' * 16}.db-journal", f"QUEUE-{'1' * 16}.db"]:
        (tmp_path / "queues" / name).touch()

    assert queue_files(tmp_path) == [tmp_path / "queues" / name for name in sorted(names)]
    assert queue_files(tmp_path / "none") == []


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_folder_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    """It is not empty."""
    (tmp_path / "queues").symlink_to(tmp_path / "queues")

    assert queue_files(tmp_path) is None
