"""Choosing a server again as another team or user undoes nothing that was decided of it."""

from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from tests.cli.conftest import Run


@pytest.fixture
def server(run: Run, receiver: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Capture an event without a project and one of foo; return a server that takes both."""
    path = tmp_path / "two.jsonl"
    path.write_text('{"event_id": "d1"}\n{"event_id": "f1", "project_uuid": "foo"}\n')
    assert run("capture", str(path)).code == 0
    monkeypatch.setenv("SPEC_KITTY_ENABLE_SAAS_SYNC", "1")
    monkeypatch.setenv("ES_TOKEN", "opens nothing")
    return receiver.url


def _live(run: Run) -> set[str]:
    """Return the streams that may go to the current target."""
    (current,) = [
        each for each in run("target", "list", "--json").document["targets"] if each["is_current"]
    ]
    return {grant["stream"] for grant in current["grants"] if grant["live"]}


def _ids(receiver: Serving) -> set[Any]:
    return {each.event_id for each in receiver.inbox.received()}


def test_naming_the_team_keeps_what_was_decided(run: Run, server: str, receiver: Serving) -> None:
    """The fix for a missing team grants nothing that was revoked, and ends no grant."""
    run("sync", "server", server, "--token", "env:ES_TOKEN", "--project", "foo")
    run("target", "grant")
    run("target", "revoke")

    ran = run("sync", "server", server, "--team", "t", "--json")

    assert (ran.code, ran.document["granted"], ran.document["will_send"]) == (0, False, 1)
    assert _live(run) == {"foo"}
    assert run("sync", "now").code == 0
    assert _ids(receiver) == {"f1"}


def test_naming_the_team_widens_no_grant(
    run: Run, server: str, receiver: Serving, events: Path
) -> None:
    """What was granted from a later position on begins there still."""
    run("sync", "server", server, "--token", "env:ES_TOKEN", "--from-now")
    run("sync", "server", server, "--team", "t")
    run("capture", str(events))

    assert run("sync", "now", "--json").document["counts"]["delivered"] == 20
    assert "d1" not in _ids(receiver)


@pytest.mark.parametrize("other", [("--team", "u"), ("--team", "t", "--user", "ann")])
def test_another_team_or_user_gets_no_stream_that_was_ended(
    run: Run, server: str, receiver: Serving, home: Path, other: tuple[str, ...]
) -> None:
    """Nor a project's of itself; it says which stay here, and with which command each goes."""
    run("sync", "server", server, "--team", "t", "--token", "env:ES_TOKEN")
    run("target", "grant", "--project", "foo")
    run("target", "revoke")

    ran = run("--home", str(home), "sync", "server", server, *other)

    grant = f"eventsync --home {home} target grant"
    assert f"stream default stays here until {grant}; 0 events" in ran.out
    assert f"stays here until {grant} --project foo\n" in ran.err
    assert _live(run) == set()
    assert (run("sync", "now").code, _ids(receiver)) == (4, set())

    run("target", "grant", "--project", "foo")
    assert (run("sync", "now").code, _ids(receiver)) == (0, {"f1"})


def test_another_team_gets_the_default_stream_as_it_was_granted(
    run: Run, server: str, receiver: Serving, events: Path
) -> None:
    """From no earlier position on; a project's stream stays here and is named."""
    run("sync", "server", server, "--team", "t", "--token", "env:ES_TOKEN", "--from-now")
    run("target", "grant", "--project", "foo")
    run("capture", str(events))

    ran = run("sync", "server", server, "--team", "u")

    assert "stream default may go there; 20 events" in ran.out
    assert "stream foo was granted there" in ran.err
    assert "stream default" not in ran.err
    assert _live(run) == {"default"}
    assert run("sync", "now").code == 0
    assert not {"d1", "f1"} & _ids(receiver)


def test_another_team_gets_no_stream_that_was_never_granted(run: Run, server: str) -> None:
    """Where only a project's was."""
    run("sync", "server", server, "--team", "t", "--token", "env:ES_TOKEN", "--project", "foo")

    run("sync", "server", server, "--team", "u")

    assert _live(run) == set()


@pytest.mark.parametrize("asked", [("--project", "foo"), ("--from-now",)])
def test_what_is_asked_for_is_granted(run: Run, server: str, asked: tuple[str, ...]) -> None:
    """Also where another team's streams were decided; the rest of them is named."""
    run("sync", "server", server, "--team", "t", "--token", "env:ES_TOKEN")
    run("target", "grant", "--project", "foo")

    ran = run("sync", "server", server, "--team", "u", *asked, "--json")

    granted = {"foo"} if "foo" in asked else {"default"}
    assert _live(run) == granted
    assert [name for name in ("default", "foo") if f"stream {name} was" in ran.err] == sorted(
        {"default", "foo"} - granted
    )


def test_a_server_nobody_decided_of_gets_the_stream(run: Run, server: str) -> None:
    """Another server's grants do not count."""
    run("sync", "server", "http://127.0.0.1:9", "--team", "t", "--token", "env:ES_TOKEN")
    run("target", "revoke")

    ran = run("sync", "server", server, "--team", "t")

    assert "stream default may go there" in ran.out
    assert _live(run) == {"default"}
