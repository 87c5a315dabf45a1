"""What a host program does, through the names that `eventsync` exports."""

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import eventsync
from eventsync import (
    Budget,
    CaptureRules,
    EventSyncError,
    Kind,
    Mode,
    Producer,
    Receipt,
    Store,
    Target,
    make_target,
    open_receiver,
    open_store,
)
from eventsync_adapters import machine
from eventsync_adapters.server import serve
from eventsync_cli.__main__ import main
from eventsync_core.errors import (
    NothingOpenError,
    PayloadConflictError,
    StoreBusyError,
    StoreNotWritableError,
)
from eventsync_core.receivers import Batch, Script, StubReceiver, Verdict
from eventsync_core.testing import ManualClock, make_envelope


def stub(place: str = "https://stub.example") -> tuple[Target, StubReceiver]:
    """Return a target in memory, and what reaches it."""
    target = make_target(Kind.STUB, place)
    return target, StubReceiver(target.target_id)


@pytest.fixture(params=["memory", "home"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Return an empty store, in memory and in a home."""
    return open_store(None if request.param == "memory" else tmp_path / "home", project="p")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the database as another process would that never gives way."""
    stranger = sqlite3.connect(path, isolation_level=None)
    try:
        stranger.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        stranger.close()


def test_events_go_to_one_target_and_then_to_another(store: Store) -> None:
    """Capture, grant, drain; the same events again to a second target; status knows both."""
    (one, first), (two, second) = stub("https://a.example"), stub("https://b.example")

    receipts = store.capture_many([make_envelope(f"e{number}") for number in range(3)])
    for target, receiver in ((one, first), (two, second)):
        grant = store.grant(target, actor="me", reason="a test")
        report = store.drain(target, receiver, budget=Budget(seconds=60))
        assert (grant.stream, grant.from_position, grant.actor) == ("p", 0, "me")
        assert (report.counts()["delivered"], report.stopped_because) == (3, "caught_up")

    assert [receipt.state for receipt in receipts if isinstance(receipt, Receipt)] == ["stored"] * 3
    assert first.received == second.received
    document = store.status(two, receiver=second).document()
    assert document["ok"]
    assert document["delivery_ledger"]["delivered_current_target"] == 3
    assert document["delivery_ledger"]["delivered_previous_target"] == 3


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    """Opening and looking create no file; a capture makes a private folder and file."""
    home = tmp_path / "home"
    store = open_store(home)

    standing = store.status()

    assert (standing.exit_code, standing.status.captured_count) == (0, 0)
    assert not home.exists()
    assert store.capture({"event_id": "e1"}).durable
    place = home / "eventsync"
    assert {path.name: path.stat().st_mode & 0o777 for path in place.glob("*.db")} == {
        "eventsync.db": 0o600
    }
    assert place.stat().st_mode & 0o777 == 0o700


def test_environment_and_working_directory_play_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two stores in one process keep to the homes they were given."""
    monkeypatch.setenv("SPEC_KITTY_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("PERSIST_DB_PATH", str(tmp_path / "other.db"))
    with open_store(tmp_path / "a") as one, open_store(tmp_path / "b") as two:
        one.capture({"event_id": "e1"})
        monkeypatch.chdir("/")
        two.capture({"event_id": "e1", "x": 2})

    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_without_a_grant_nothing_is_sent(store: Store) -> None:
    """The report says so, and the words for a person name what helps."""
    target, receiver = stub()
    assert store.drain(target, receiver).stopped_because == "caught_up"

    store.capture({"event_id": "e1"})
    report = store.drain(target, receiver)

    assert (report.stopped_because, receiver.received) == ("no_grant", {})
    assert report.message
    assert report.fix


def test_a_grant_from_now_leaves_out_what_was_captured_before(store: Store) -> None:
    """And a later one from the start lets it go."""
    target, receiver = stub()
    store.capture({"event_id": "e1"})
    assert store.grant(target, actor="me", from_now=True).from_position == 1
    store.capture({"event_id": "e2"})

    store.drain(target, receiver)
    assert list(receiver.received) == ["e2"]

    store.grant(target, actor="me")
    store.drain(target, receiver)
    assert list(receiver.received) == ["e2", "e1"]


def test_a_revocation_holds_at_once_and_twice(store: Store) -> None:
    """Nothing goes any more, until it is granted again."""
    target, receiver = stub()
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})

    store.revoke(target, actor="me", reason="enough")
    store.revoke(target, actor="me")
    assert store.drain(target, receiver).stopped_because == "no_grant"

    store.grant(target, actor="me")
    assert store.drain(target, receiver).counts()["delivered"] == 1


def test_a_revocation_holds_while_the_database_is_busy(tmp_path: Path) -> None:
    """It stands in a file that every other store of the home heeds."""
    target, receiver = stub()
    one = open_store(tmp_path, busy_seconds=0.05)
    one.grant(target, actor="me")
    one.capture({"event_id": "e1"})
    path = tmp_path / "eventsync" / "eventsync.db"
    with held(path):
        one.revoke(target, actor="me")
        with pytest.raises(StoreBusyError):
            one.capture({"event_id": "e2"})

    assert one.drain(target, receiver).stopped_because == "no_grant"
    assert receiver.received == {}


def test_what_goes_wrong_is_raised_with_a_word_and_a_fix(store: Store) -> None:
    """A conflict names where the first stands; in a batch it stands in its place."""
    store.capture({"event_id": "e1"})

    with pytest.raises(PayloadConflictError) as caught:
        store.capture({"event_id": "e1", "x": 2})
    results = store.capture_many(["no json", {"event_id": "e2"}])

    assert (caught.value.code, caught.value.stream) == ("payload_conflict", "p")
    assert caught.value.fix_argv or caught.value.fix_text
    refused, stored = results
    assert isinstance(refused, EventSyncError)
    assert isinstance(stored, Receipt)
    assert (refused.code, stored.state) == ("not_json", "stored")


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    """Receipts in it promise nothing yet."""
    with store.batch():
        assert not store.capture({"event_id": "e1"}).durable
        store.capture({"event_id": "e2"})
    with suppress(ZeroDivisionError), store.batch():
        store.capture({"event_id": "e3"})
        raise ZeroDivisionError

    assert store.status().status.captured_count == 2


def test_rules_hold_for_every_capture(tmp_path: Path) -> None:
    """Redaction, validation, policy and producer are given once."""

    def hide(envelope: dict[str, object]) -> dict[str, object]:
        return {**envelope, "secret": "…"}

    rules = CaptureRules(
        redact=hide,
        validate=lambda envelope: None if "payload" in envelope else "no payload",
        producer=Producer(user="ada"),
    )
    store = open_store(tmp_path, rules=rules)
    first = store.capture({"event_id": "e1", "secret": "x", "payload": {}})
    second = store.capture({"event_id": "e2"})

    assert (first.state, second.state) == ("stored", "held")
    entry = store.stores.journal.find("e1")
    assert entry is not None
    assert json.loads(entry.event.text)["secret"] == "…"
    assert entry.producer == Producer(user="ada")


def test_nothing_is_kept_or_sent_by_a_policy_that_retains_nothing(store: Store) -> None:
    """What is local only is dropped, anything else refused."""
    store.rules = CaptureRules(mode=Mode.OPT_OUT)

    dropped = store.capture(make_envelope("e1", event_type="MissionReopened"))
    with pytest.raises(EventSyncError) as caught:
        store.capture(make_envelope("e2", event_type="WPCreated"))

    assert (dropped.state, dropped.position) == ("discarded", None)
    assert caught.value.code == "discard_refused"
    assert store.status().status.captured_count == 0


def test_two_stores_share_a_home(tmp_path: Path) -> None:
    """What one captured the other delivers."""
    clock = ManualClock()
    target, receiver = stub()
    one, two = (open_store(tmp_path, clock=clock) for _ in range(2))
    one.capture({"event_id": "e1"})
    two.grant(target, actor="me")

    assert two.drain(target, receiver).counts()["delivered"] == 1
    assert one.status(target).document()["delivery_ledger"]["delivered_current_target"] == 1


def test_delivery_over_http(tmp_path: Path) -> None:
    """An external receiver gets the headers, a Teamspace server the token."""
    with serve(None, clock=machine.now) as server:
        server.start()
        store = open_store(tmp_path)
        store.capture({"event_id": "e1"})
        outside = make_target(Kind.EXTERNAL, server.url + "/in")
        space = make_target(Kind.TEAMSPACE, server.url, team="t", user="u@e")
        for target in (outside, space):
            store.grant(target, actor="me")
            with open_receiver(target, token=lambda: "x", headers=lambda: {"X-A": "b"}) as receiver:
                report = store.drain(target, receiver)
                assert (report.is_clean, report.requests) == (True, 1)
        with open_receiver(space) as logged_out:
            assert store.status(space, receiver=logged_out).status.setting.gates == (
                "missing_auth",
            )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
def test_after_a_fork_a_store_says_so(store: Store) -> None:
    """In the child every use raises; the parent goes on."""
    store.capture({"event_id": "e1"})
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            store.capture({"event_id": "e2"})
        except NothingOpenError as error:
            os.write(writing, error.code.encode() + b" fork" * ("fork" in error.message))
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 100) == b"nothing_open fork"
    os.close(reading)
    os.close(writing)
    assert store.capture({"event_id": "e2"}).state == "stored"


def test_a_closed_store_says_so(store: Store) -> None:
    """Twice closed is fine."""
    store.capture({"event_id": "e1"})
    store.close()
    store.close()

    for use in (lambda: store.capture({"event_id": "e2"}), store.status):
        with pytest.raises(NothingOpenError):
            use()


def test_a_store_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    """Every key is there, and nothing is zero."""
    place = tmp_path / "eventsync"
    place.mkdir()
    (place / "eventsync.db").write_bytes(b"no database" * 1000)

    standing = open_store(tmp_path).status()

    assert standing.exit_code == 2
    assert standing.document()["event_journal"]["retained_event_count"] is None


def test_no_request_leaves_within_a_batch(store: Store) -> None:
    """It would not be on record before it left; afterwards it goes, once."""
    target, receiver = stub()
    store.grant(target, actor="me")
    with store.batch():
        store.capture({"event_id": "e1"})
        with pytest.raises(NothingOpenError):
            store.drain(target, receiver)

    assert receiver.received == {}
    assert store.drain(target, receiver).counts()["delivered"] == 1


def test_a_revocation_in_a_batch_that_fails_holds(tmp_path: Path) -> None:
    """At once, for others too, and whatever becomes of the batch."""
    target, receiver = stub()
    one, two = open_store(tmp_path), open_store(tmp_path)
    one.grant(target, actor="me")
    one.capture({"event_id": "e1"})

    with suppress(ZeroDivisionError), one.batch():
        one.revoke(target, actor="ada", reason="enough")
        assert two.status(target).status.setting.gates == ("no_grant",)
        raise ZeroDivisionError

    assert two.drain(target, receiver).stopped_because == "no_grant"
    (grant,) = one.stores.grants.grants(target.target_id)
    assert (grant.revoked_by, grant.revoked_reason) == ("ada", "enough")


def test_a_revocation_in_a_batch_of_a_store_in_memory_holds() -> None:
    """Where the batch fails; where it does not, what is granted after it in the batch holds."""
    target, receiver = stub()
    store = open_store(None)
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})

    with suppress(ZeroDivisionError), store.batch():
        store.revoke(target, actor="ada", reason="enough")
        raise ZeroDivisionError

    assert store.status(target).status.setting.gates == ("no_grant",)
    assert store.drain(target, receiver).stopped_because == "no_grant"
    (grant,) = store.stores.grants.grants(target.target_id)
    assert (grant.revoked_by, grant.revoked_reason) == ("ada", "enough")

    store.grant(target, actor="me")
    with store.batch():
        store.revoke(target, actor="ada")
        store.grant(target, actor="me")
    assert store.drain(target, receiver).counts()["delivered"] == 1


def test_a_revocation_in_a_batch_within_a_batch_of_a_store_in_memory_holds() -> None:
    """At once where the inner one fails; what is granted after it holds unless the outer fails."""
    target, _ = stub()
    store = open_store(None)
    stream = store.grant(target, actor="me").stream

    for is_live in (True, False):
        with suppress(ZeroDivisionError), store.batch():
            with suppress(ZeroDivisionError), store.batch():
                store.revoke(target, actor="ada")
                raise ZeroDivisionError
            assert store.status(target).status.setting.gates == ("no_grant",)
            assert store.grant(target, actor="me").is_live
            if not is_live:
                raise ZeroDivisionError

        grant = store.stores.grants.get(target.target_id, stream)
        assert grant is not None
        assert grant.is_live is is_live


def test_a_grant_that_failed_with_its_revocation_ends_no_later_one() -> None:
    """What is granted anew around them holds."""
    target, receiver = stub()
    store = open_store(None)

    with store.batch():
        with suppress(ZeroDivisionError), store.batch():
            store.grant(target, actor="me")
            store.revoke(target, actor="ada")
            raise ZeroDivisionError
        store.grant(target, actor="me")
        store.capture({"event_id": "e1"})

    assert store.drain(target, receiver).counts()["delivered"] == 1


def test_the_first_end_of_a_grant_stands(tmp_path: Path) -> None:
    """Also where it stood in a file only; without a database one file is enough."""
    target, _ = stub()
    bare = open_store(tmp_path / "bare")
    for _ in range(2):
        bare.revoke(target, actor="me")
    assert len(list((tmp_path / "bare" / "eventsync" / "revoked").iterdir())) == 1

    store = open_store(tmp_path, busy_seconds=0.05)
    store.grant(target, actor="me")
    with held(tmp_path / "eventsync" / "eventsync.db"):
        store.revoke(target, actor="ada", reason="first")
    store.revoke(target, actor="bob", reason="second")

    (grant,) = store.stores.grants.grants(target.target_id)
    assert (grant.revoked_by, grant.revoked_reason) == ("ada", "first")


def test_what_is_not_owed_waits_for_no_grant(store: Store) -> None:
    """Neither what the target has nor what stays here calls for a grant."""
    target, receiver = stub()
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})
    store.capture(make_envelope("e2", event_type="MissionReopened"))
    assert store.drain(target, receiver).counts()["delivered"] == 1
    store.revoke(target, actor="me")
    assert store.drain(target, receiver).stopped_because == "caught_up"

    store.capture({"event_id": "e3"})
    assert store.drain(target, receiver).stopped_because == "no_grant"


def test_a_grant_ends_pauses_and_keeps_words_printable(store: Store) -> None:
    """What a person is shown of it is one line."""
    target, receiver = stub()
    store.grant(target, actor="me")
    store.stores.targets.pause(target.target_id, "rest")
    store.capture({"event_id": "e1"})

    grant = store.grant(target, actor="evil\x1b[31m\nforged", reason="a\tb")

    assert store.drain(target, receiver).counts()["delivered"] == 1
    assert (grant.actor, grant.reason) == ("me", "")
    store.revoke(target, actor="me")
    renewed = store.grant(target, actor="evil\x1b[31m\nforged", reason="a\tb")
    assert (renewed.actor, renewed.reason) == ("evil [31m forged", "a b")


def test_a_token_goes_to_another_machine_by_tls_only() -> None:
    """Whoever named the server."""
    far = make_target(Kind.TEAMSPACE, "http://192.0.2.2:9", team="t")

    with pytest.raises(EventSyncError) as caught, open_receiver(far, token=lambda: "secret"):
        pass

    assert caught.value.code == "target_url_invalid"


def test_a_host_that_was_told_no_sends_nothing(tmp_path: Path) -> None:
    """SaaS sync that is not enabled, or a token that cannot be had, closes a gate."""

    def broken() -> str:
        raise OSError("s3cret")

    target = make_target(Kind.TEAMSPACE, "http://127.0.0.1:9", team="t")
    store = open_store(tmp_path)
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})

    with open_receiver(target, token=lambda: "x", saas_enabled=False) as receiver:
        assert store.drain(target, receiver).stopped_because == "gate:saas_disabled"
    with open_receiver(target, token=broken) as receiver:
        assert store.drain(target, receiver).stopped_because == "gate:missing_auth"
        standing = store.status(target, receiver=receiver)
    assert (standing.exit_code, standing.reasons[0].code) == (2, "missing_auth")
    assert standing.document()["mode"] == "TEAMSPACE"


def test_headers_that_cannot_be_had_are_no_answer(tmp_path: Path) -> None:
    """Nothing was sent, so nothing is of unknown effect; the host's words are not kept."""

    def broken() -> dict[str, str]:
        raise OSError("s3cret")

    target = make_target(Kind.EXTERNAL, "http://127.0.0.1:9/in")
    store = open_store(tmp_path)
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})
    with open_receiver(target, headers=broken) as receiver:
        report = store.drain(target, receiver)

    assert report.stopped_because == "target_backoff"
    (status,) = store.status(target).document()["targets"]
    assert status["streams"][0]["classes"]["in_backoff"] == 1
    assert "s3cret" not in report.message + str(status)


def test_a_second_drain_is_busy(tmp_path: Path) -> None:
    """While a first one is under way; afterwards it finds nothing to do."""
    target, receiver = stub()
    one, two = open_store(tmp_path), open_store(tmp_path)
    one.capture({"event_id": "e1"})
    one.grant(target, actor="me")
    second = []

    class Meanwhile(StubReceiver):
        def deliver(self, batch: Batch) -> Verdict:
            second.append(two.drain(target, receiver).stopped_because)
            return super().deliver(batch)

    report = one.drain(target, Meanwhile(target.target_id))

    assert (second, report.counts()["delivered"]) == (["busy"], 1)
    assert two.drain(target, receiver).stopped_because == "caught_up"


def test_a_store_stays_in_its_thread(store: Store) -> None:
    """Every verb says so, and the store stays usable where it belongs."""
    target, receiver = stub()
    store.capture({"event_id": "e1"})
    uses: list[Callable[[], object]] = [
        lambda: store.capture({"event_id": "e2"}),
        store.status,
        store.close,
        lambda: store.revoke(target, actor="me"),
        lambda: store.drain(target, receiver),
    ]
    codes: list[str] = []

    def elsewhere() -> None:
        for use in uses:
            try:
                use()
            except EventSyncError as error:
                codes.append(error.code)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert codes == ["nothing_open"] * len(uses)
    assert store.capture({"event_id": "e2"}).state == "stored"


def test_a_drain_of_an_empty_home_makes_nothing(tmp_path: Path) -> None:
    """There is nothing to drain."""
    target, receiver = stub()

    assert open_store(str(tmp_path / "h")).drain(target, receiver).stopped_because == "caught_up"
    assert list(tmp_path.iterdir()) == []


def test_everything_that_is_offered_is_there() -> None:
    """Also what is imported when it is asked for."""
    assert all(hasattr(eventsync, name) for name in eventsync.__all__)
    assert set(dir(eventsync)) == set(eventsync.__all__)
    with pytest.raises(AttributeError):
        eventsync.nothing_of_that_name  # noqa: B018


def test_a_store_is_not_closed_within_a_batch(store: Store) -> None:
    """It says so, and goes on."""
    with store.batch():
        store.capture({"event_id": "e1"})
        with pytest.raises(NothingOpenError):
            store.close()

    assert store.status().status.captured_count == 1


def test_a_second_store_is_opened_within_a_batch(tmp_path: Path) -> None:
    """It joins what is open in this thread."""
    one, two = open_store(tmp_path), open_store(tmp_path)
    with suppress(ZeroDivisionError), one.batch():
        one.capture({"event_id": "e1"})
        two.capture({"event_id": "e2"})
        raise ZeroDivisionError

    assert two.status().status.captured_count == 0


def test_a_revocation_of_somebody_else_survives_a_failed_batch(tmp_path: Path) -> None:
    """It is folded in by a unit of its own only."""
    target, receiver = stub()
    one = open_store(tmp_path, busy_seconds=0.05)
    one.grant(target, actor="me")
    one.capture({"event_id": "e1"})
    with held(tmp_path / "eventsync" / "eventsync.db"):
        open_store(tmp_path, busy_seconds=0.05).revoke(target, actor="operator")

    with suppress(ZeroDivisionError), one.batch():
        one.stores.journal.heads()
        raise ZeroDivisionError

    assert one.drain(target, receiver).stopped_because == "no_grant"


def test_a_grant_that_a_revocation_ends_is_none(tmp_path: Path) -> None:
    """A file that cannot be understood ends it too, and whoever grants is told."""
    target, _ = stub()
    store = open_store(tmp_path)
    store.revoke(target, actor="me")
    (file,) = (tmp_path / "eventsync" / "revoked").iterdir()
    file.write_text("")

    with pytest.raises(StoreNotWritableError, match="revoked"):
        store.grant(target, actor="me")


def test_words_that_are_no_text_do_not_prevent_a_revocation(store: Store) -> None:
    """A user's name may come from the file system."""
    target, receiver = stub()
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})

    store.revoke(target, actor="caf\udce9\n", reason="\ud800")

    assert store.drain(target, receiver).stopped_because == "no_grant"


def test_a_project_that_no_event_could_name_is_refused(store: Store) -> None:
    """Wherever it is named."""
    target, _ = stub()
    for project in ("A\nB", "\u200b", "\ud800"):
        for use in (
            lambda name: open_store(None, project=name),
            lambda name: store.capture({"event_id": "e1"}, project=name),
            lambda name: store.grant(target, actor="me", project=name),
        ):
            with pytest.raises(EventSyncError) as caught:
                use(project)
            assert caught.value.code == "project_unusable"


def test_projects_that_only_look_alike_share_nothing(store: Store) -> None:
    """Case counts beyond ASCII; what names no project goes to nobody's stream."""
    streams = [
        store.capture({"event_id": f"e{number}", "project_uuid": project}).stream
        for number, project in enumerate(["K1", "k1", "\u212a1", "\u0130", "i\u0307"])
    ]
    unusable = store.capture({"event_id": "u", "project_uuid": "secret\u200b"})

    assert streams[0] == streams[1] == "k1"
    assert len(set(streams)) == 4
    assert (unusable.stream, unusable.state) == ("unassigned", "held")


def test_one_bad_mapping_harms_no_other(store: Store) -> None:
    """And what it says of itself is not quoted."""

    class Bad(dict[str, object]):
        def keys(self) -> Any:
            raise RuntimeError("s3cret")

        def __iter__(self) -> Any:
            raise RuntimeError("s3cret")

        def items(self) -> Any:
            raise RuntimeError("s3cret")

    first, bad, last = store.capture_many([{"event_id": "a"}, Bad(x=1), {"event_id": "b"}])

    assert [getattr(each, "state", None) for each in (first, last)] == ["stored", "stored"]
    assert isinstance(bad, EventSyncError)
    assert "s3cret" not in str(bad)


@pytest.mark.parametrize("envelope", ['{"event_id": "CANARY', b"CANARY\xff", "CANARY\ud800", "[1]"])
def test_an_error_holds_no_unredacted_text(store: Store, envelope: str | bytes) -> None:
    """Neither itself nor what it comes from, or what is kept of where it was raised."""
    with pytest.raises(EventSyncError) as caught:
        store.capture(envelope)

    assert caught.value.__context__ is None
    assert "CANARY" not in repr(caught.value)


def test_looking_from_a_batch_leaves_the_store_writable(tmp_path: Path) -> None:
    """A second store reads what the unit holds, and closes, while the first goes on."""
    one = open_store(tmp_path)
    one.capture({"event_id": "e0"})
    with one.batch():
        one.capture({"event_id": "e1"})
        assert open_store(tmp_path).status().status.captured_count == 2
        with open_store(tmp_path) as two:
            assert two.capture({"event_id": "e2"}).position == 3
        one.capture({"event_id": "e3"})
    one.capture({"event_id": "e4"})

    assert one.status().status.captured_count == 5


def test_a_large_batch_does_not_wait_for_itself(tmp_path: Path) -> None:
    """Its pages may have left the cache, which locks the file for every other connection."""
    one = open_store(tmp_path, busy_seconds=0.05)
    with one.batch():
        one.capture_many({"event_id": f"e{n}", "x": "y" * 20_000} for n in range(1_200))
        assert open_store(tmp_path, busy_seconds=0.05).status().exit_code == 0
        with open_store(tmp_path, busy_seconds=0.05) as two:
            two.capture({"event_id": "last"})

    assert one.status().status.captured_count == 1_201


def test_commands_in_a_batch_that_fails_lose_no_revocation(tmp_path: Path) -> None:
    """Neither one that stood in a file nor their own."""
    target, receiver = stub()
    one = open_store(tmp_path)
    one.grant(target, actor="me")
    one.grant(target, actor="me", project="other")
    one.capture({"event_id": "e1"})
    home = ["--home", str(tmp_path)]

    with suppress(ZeroDivisionError), one.batch():
        assert main([*home, "target", "revoke", target.target_id]) == 0
        assert main([*home, "--project", "p", "target", "grant", target.target_id]) == 0
        raise ZeroDivisionError

    assert one.drain(target, receiver).counts()["delivered"] == 0
    live = [grant.stream for grant in one.stores.grants.grants(target.target_id) if grant.is_live]
    assert live == ["other"]


def test_what_is_pending_waits_for_a_grant_too(store: Store) -> None:
    """It would be offered again."""
    target = make_target(Kind.STUB, "https://stub.example")
    receiver = StubReceiver(target.target_id, script=Script(events={"e1": {"status": "pending"}}))
    store.grant(target, actor="me")
    store.capture({"event_id": "e1"})
    assert store.drain(target, receiver).counts()["pending"] == 1

    store.revoke(target, actor="me")

    assert store.drain(target, receiver).stopped_because == "no_grant"


def test_a_grant_in_a_batch_heeds_what_was_folded_in(tmp_path: Path) -> None:
    """A revocation from before is over once it is granted anew."""
    target, receiver = stub()
    store = open_store(tmp_path)
    store.revoke(target, actor="me")
    with store.batch():
        store.grant(target, actor="me")
        store.capture({"event_id": "e1"})

    assert store.drain(target, receiver).counts()["delivered"] == 1
