import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.ledger import Lease
from eventsync_core.receivers import Script
from tests.cli.conftest import Run

_NO = {"status": "rejected", "error": "No such thing", "error_category": "schema_mismatch"}


def _database(home: Path) -> Path:
    return home / "eventsync" / "eventsync.db"


def _counts(run: Run) -> dict[str, int]:
    (stream,) = run("sync", "status", "--json").document["targets"][0]["streams"]
    assert stream["coherent"]
    return {name: count for name, count in stream["classes"].items() if count}


@pytest.fixture
def delivered(run: Run, events: Path, receiver: Serving) -> str:
    """Twenty events, all delivered; return the target's id."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    return str(run("sync", "now", "--json").document["target"]["target_id"])


@pytest.fixture
def refused(run: Run, events: Path, receiver: Serving) -> None:
    """Twenty events, of which the receiver rejects two and finds one too large, on its own."""
    receiver.set_script(Script(events={"e3": _NO, "e4": {**_NO, "error": "too early"}}))
    big = events.with_name("big.jsonl")
    big.write_text('{"event_id": "big", "text": "' + "x" * 600_000 + '"}\n')
    run("capture", str(events))
    run("capture", str(big))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    assert run("sync", "now").code == 3


def _retry(run: Run, *words: str) -> Any:
    """Retry, having looked: the preview says the same and changes nothing."""
    before = _counts(run)
    preview = run("sync", "retry", *words, "--dry-run", "--json")
    assert _counts(run) == before
    done = run("sync", "retry", *words, "--json")
    assert preview.code == done.code
    assert {**preview.document, "dry_run": False} == done.document
    return done.document


@pytest.mark.usefixtures("refused")
def test_by_default_what_failed_or_was_rejected_is_retried(run: Run) -> None:
    """The failed one is owed again; the rejected ones are due and stay rejected."""
    assert _counts(run) == {"delivered": 18, "rejected": 2, "terminal_failed": 1}

    done = _retry(run)

    assert done["retried"] == 3
    assert done["by_state"] == {"rejected": 2, "terminal_failed": 1}
    assert _counts(run) == {"delivered": 18, "rejected": 2, "owed": 1}


def test_a_failure_is_counted_and_the_fix_lists_it(
    run: Run, tmp_path: Path, receiver: Serving
) -> None:
    """Nothing is owed any more, and one event failed for good."""
    (tmp_path / "big.jsonl").write_text('{"event_id": "big", "text": "' + "x" * 600_000 + '"}\n')
    run("capture", str(tmp_path / "big.jsonl"))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)

    error = run("sync", "now", "--json").document["error"]

    assert "failed for good: 1" in error["message"]
    shown = run(*error["fix"]["argv"][1:])
    assert (shown.code, "big" in shown.out) == (0, True)


@pytest.mark.usefixtures("refused")
def test_what_the_receiver_now_takes_is_delivered(run: Run, receiver: Serving) -> None:
    """After a retry the next sync now delivers it; its story tells both answers."""
    receiver.set_script(Script())

    assert _retry(run, "e3", "--state", "rejected")["retried"] == 1
    run("sync", "now")

    (target,) = run("journal", "show", "e3", "--json").document["targets"]
    assert (target["outcome"], target["attempts"], target["rejections"]) == ("success", 2, 1)
    acts = [(item["act"], item["actor"]) for item in target["history"]]
    assert acts[:2] == [(None, ""), ("retried", "cli")]
    assert target["requests_count"] == len(target["requests"]) >= 2
    assert "retried by cli, rejected until then" in run("journal", "show", "e3").out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--reason", "no SUCH"), 1),
        (("--reason", "schema_MISMATCH"), 2),
        (("--reason", "the limit is"), 1),
        (("--reason", "nothing like it"), 0),
        (("--state", "terminal_failed"), 1),
        (("--state", "rejected", "--state", "transient"), 2),
        (("--state", "pending"), 0),
        (("--type", "Unknown"), 0),
        (("--older-than", "1d"), 0),
        (("--newer-than", "1h"), 3),
        (("--newer-than", "1h", "--reason", "early"), 1),
        (("e3",), 1),
        (("e3", "e4", "--reason", "early"), 1),
    ],
)
@pytest.mark.usefixtures("refused")
def test_filters_hold_together(run: Run, words: tuple[str, ...], expected: int) -> None:
    """Each narrows what the others leave."""
    assert _retry(run, *words)["retried"] == expected


@pytest.mark.usefixtures("refused")
def test_events_that_were_named_in_vain_are_told(run: Run) -> None:
    """Delivered ones are never touched."""
    done = _retry(run, "e3", "e5")

    assert (done["retried"], done["unmatched"], done["unmatched_count"]) == (1, ["e5"], 1)
    assert "e5: not in a state" in run("sync", "retry", "e5").out


@pytest.mark.usefixtures("refused")
def test_unknown_events_are_named_and_nothing_is_done(run: Run) -> None:
    """For every command of the desk."""
    before = _counts(run)
    for words in (("sync", "retry"), ("journal", "hold"), ("journal", "release")):
        ran = run(*words, "e3", "nope", "--json")
        assert (ran.code, ran.document["error"]["code"]) == (64, "event_unknown")
        assert "nope" in ran.document["error"]["message"]

    assert _counts(run) == before


def test_a_replay_delivers_again(run: Run, delivered: str, receiver: Serving) -> None:
    """The receiver has them already and says so; a second round stands on record."""
    preview = run("sync", "replay", "--all", "--dry-run", "--json").document
    assert _counts(run) == {"delivered": 20}

    done = run("sync", "replay", "--all", "--json").document

    assert (done["replayed"], done["by_state"]) == (20, {"duplicate": 0, "success": 20})
    assert {**preview, "dry_run": False} == done
    assert _counts(run) == {"owed": 20}
    assert run("sync", "now", "--json").document["counts"]["duplicate"] == 20
    (target,) = run("journal", "show", "e1", "--json").document["targets"]
    assert (target["round"], target["requests_count"]) == (2, 2)
    assert [item["act"] for item in target["history"]] == ["delivered_before", None]


def test_a_replay_goes_to_the_target_that_was_named(
    run: Run, delivered: str, receiver: Serving
) -> None:
    """The current one keeps what it has."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/second")
    run("sync", "now")

    done = run("sync", "replay", "--all", "--to", delivered, "--json").document

    assert done["target"]["target_id"] == delivered
    states = run("sync", "status", "--json").document["targets"]
    owed = {each["target_id"]: each["remaining_owed"] for each in states}
    assert owed.pop(delivered) == 20
    assert set(owed.values()) == {0}


def test_a_window_is_named_in_times(run: Run, delivered: str) -> None:
    """Nothing was captured in the past century, all of it since."""
    for words, expected in (
        (("--since", "2000-01-01T00:00:00Z"), 20),
        (("--until", "2000-01-01T00:00:00+01:00"), 0),
        (("--since", "2000-01-01T00:00:00Z", "--type", "None"), 0),
    ):
        done = run("sync", "replay", *words, "--dry-run", "--json").document
        assert done["replayed"] == expected


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "replay"),
        ("sync", "replay", "--all", "--type", "A"),
        ("sync", "replay", "--since", "yesterday"),
        ("sync", "replay", "--until", "2026-03-04T10:15:00"),
        ("sync", "retry", "--older-than", "soon"),
        ("sync", "retry", "--newer-than", "7"),
        ("sync", "retry", "--state", "success"),
        ("sync", "retry", "--target", "tgt_0"),
        ("sync", "replay", "--all", "--to", "tgt_0"),
        ("journal", "hold"),
        ("journal", "release"),
        ("journal", "release", "e1", "--hold", "operator"),
        ("journal", "release", "--hold", "nonsense"),
        ("journal", "hold", "e1"),
        ("sync", "retry"),
    ],
)
def test_what_cannot_be_is_64(run: Run, home: Path, words: tuple[str, ...]) -> None:
    """Also in a fresh home, where nothing is made."""
    ran = run(*words, "--json")

    assert ran.code == 64
    assert set(ran.document["error"]["fix"]) in ({"argv"}, {"text"})
    assert not home.exists()


@pytest.mark.parametrize("verb", [("retry",), ("replay", "--all")])
def test_without_a_grant_it_is_refused_with_a_fix(
    run: Run, delivered: str, verb: tuple[str, ...]
) -> None:
    """The command it names grants the stream, and then it works."""
    for words in ((), ("--dry-run",)):
        ran = run("sync", *verb, *words, "--project", "other", "--json")
        assert (ran.code, ran.document["error"]["code"]) == (4, "no_grant")
    run("target", "revoke")
    ran = run("sync", *verb, "--json")
    assert ran.code == 4

    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0

    assert run("sync", *verb).code == 0


def test_what_is_purged_is_not_replayable(run: Run, home: Path, delivered: str) -> None:
    """It is counted, and stays delivered."""
    with closing(sqlite3.connect(_database(home))) as connection, connection:
        connection.execute("DROP TRIGGER payloads_go_on_record")
        connection.execute("DELETE FROM payloads WHERE entry_id IN (3, 4)")

    preview = run("sync", "replay", "--all", "--dry-run", "--json").document
    done = run("sync", "replay", "--all", "--json").document

    assert (done["replayed"], done["not_replayable"]) == (18, 2)
    assert {**preview, "dry_run": False} == done
    assert _counts(run) == {"delivered": 2, "owed": 18}


def test_while_a_drain_runs_it_is_refused(run: Run, home: Path, delivered: str) -> None:
    """Exit 3 and `busy`, with nothing changed; the preview says so too."""
    with open_stores(_database(home)) as stores:
        lease = stores.leases.acquire(
            delivered, "default", machine.this_process(), at=machine.now()
        )
        assert isinstance(lease, Lease)
        for words in (("replay", "--all"), ("retry",)):
            for more in ((), ("--dry-run",)):
                ran = run("sync", *words, *more, "--json")
                assert (ran.code, ran.document["error"]["code"]) == (3, "busy")
                assert ran.document["busy"] == ["default"]
        stores.leases.release(lease)

    assert _counts(run) == {"delivered": 20}
    assert run("sync", "replay", "--all", "--json").document["replayed"] == 20


def test_two_thousand_dead_letters(run: Run, tmp_path: Path, receiver: Serving) -> None:
    """All are retried page by page, and delivered once the receiver takes them."""
    names = [f"e{number}" for number in range(2_000)]
    many = tmp_path / "many.jsonl"
    many.write_text("".join(f'{{"event_id": "{name}"}}\n' for name in names))
    receiver.set_script(Script(events=dict.fromkeys(names, _NO)))
    run("capture", str(many))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "now")
    assert _counts(run) == {"rejected": 2_000}
    receiver.set_script(Script())

    done = _retry(run)
    run("sync", "now")

    assert done["retried"] == 2_000
    assert _counts(run) == {"delivered": 2_000}
