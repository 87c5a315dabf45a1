"""What each answer of a body endpoint does to a body, from one end to the other."""

import json
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.bodies import MOST_BYTES
from eventsync_core.ledger import Lease
from eventsync_core.receivers import RequestRule, Script
from eventsync_core.testing import HOLDER
from eventsync_core.upload import LEASE_NAME
from tests.cli.bodies import STREAM, add, capture, compatibility, states
from tests.cli.conftest import Run
from tests.legacy.old import bodies, body

_TEAM = "direct_ingress_missing_private_team"
_KEYS = {
    "project_uuid",
    "mission_slug",
    "target_branch",
    "mission_type",
    "manifest_version",
    "artifact_path",
    "content_hash",
    "hash_algorithm",
    "content_body",
}


def _answer(status: int, document: object = None) -> RequestRule:
    return RequestRule(status=status, body="" if document is None else json.dumps(document))


@pytest.mark.parametrize(
    ("rule", "state", "said"),
    [
        (_answer(201, {}), "uploaded", ""),
        (_answer(200, {}), "already_exists", ""),
        (_answer(202, {}), "queued", "pending"),
        (_answer(400, {"detail": "no"}), "failed", "bad_request: no"),
        (_answer(400, {"a": ["x", "y"], "b": ["z"]}), "failed", "bad_request: a: x y | b: z"),
        (_answer(400), "failed", "bad_request: unknown"),
        (_answer(401), "queued", "unauthorized"),
        (_answer(403), "queued", "unauthorized"),
        (_answer(403, {"error": _TEAM}), "queued", _TEAM),
        (_answer(404, {"error": "index_entry_not_found"}), "queued", "index_entry_not_found"),
        (_answer(404, {"error": "namespace_not_found"}), "failed", "namespace_not_found"),
        (
            _answer(404, {"detail": "gone", "error": "x"}),
            "queued",
            "not_found: gone (error=x)",
        ),
        (_answer(404), "queued", "not_found: unknown (error=missing)"),
        (_answer(429), "queued", "rate_limited"),
        (_answer(500), "queued", "server_error: 500"),
        (_answer(503), "queued", "server_error: 503"),
        (_answer(418), "failed", "unexpected_status: 418"),
        (RequestRule(cut="before"), "queued", "connection_error: "),
    ],
)
def test_every_answer(
    run: Run, mission: Path, teamspace: Serving, rule: RequestRule, state: str, said: str
) -> None:
    """The state, the words, the failure log, and a later upload of what stayed queued."""
    add(run, mission, "spec.md")
    teamspace.set_script(Script(pushes=[rule]))

    pushed = run("body", "push", "--json")

    (listed,) = run("body", "list", "--json").document["bodies"]
    assert (listed["state"], listed["attempts"]) == (state, 1)
    assert listed["last_error"].startswith(said)
    assert pushed.document["counts"][state] == 1
    assert pushed.code == (0 if state in ("uploaded", "already_exists") or said == "pending" else 3)
    log = run("body", "list", "--failures", "--json").document["failures"]
    assert [each["failure_reason"] for each in log] == [said] * (state == "failed")
    assert compatibility(run) == (state == "queued", state == "failed")
    if state not in ("uploaded", "already_exists"):
        run("target", "resume")
        run("body", "retry")
        assert run("body", "push").code == 0
        assert states(run) == ["uploaded"]


def test_the_request(run: Run, mission: Path, teamspace: Serving) -> None:
    """Nine keys, none of older times, and the hash is that of the content."""
    add(run, mission, "spec.md")
    run("body", "push")

    (kept,) = teamspace.bodies.received()
    sent = json.loads(kept.text)
    assert set(sent) == _KEYS
    assert (sent["project_uuid"], sent["hash_algorithm"]) == (STREAM, "sha256")


def _old_queue(run: Run, home: Path, *rows: dict[str, object]) -> None:
    home.mkdir(exist_ok=True)
    bodies(home / "queue.db", list(rows))
    migrated = run("sync", "migrate", "--json").document
    assert migrated["bodies"]["imported"] == len(rows)
    assert run("target", "grant", "--project", "p1").code == 0


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"content_hash": "0" * 64}, "content_hash_mismatch"),
        ({"content_body": "changed\n"}, "content_hash_mismatch"),
        ({"hash_algorithm": "md5"}, "unsupported_hash_algorithm: md5"),
        (
            {"content_body": "x" * (MOST_BYTES + 1)},
            f"oversized: {MOST_BYTES + 1} bytes > {MOST_BYTES} limit",
        ),
    ],
)
def test_what_is_not_fit_to_be_sent_is_not(
    run: Run, home: Path, teamspace: Serving, facts: dict[str, object], reason: str
) -> None:
    """A body of an older queue is looked at before it leaves, and kept with the reason."""
    _old_queue(run, home, body() | facts)
    planned = run("body", "push", "--dry-run", "--json").document

    pushed = run("body", "push", "--json")

    assert (pushed.code, pushed.document["requests"]) == (3, 0)
    assert planned["counts"] == {"selected": 1, "failed": 1}
    (failure,) = run("body", "list", "--failures", "--json").document["failures"]
    assert failure["failure_reason"] == reason
    assert teamspace.bodies.count() == 0


def test_no_number_of_retries_drops_a_body(run: Run, home: Path, teamspace: Serving) -> None:
    """One that the old program would have dropped after 20 goes on being tried, and goes."""
    _old_queue(run, home, body(retry_count=99, last_error="server_error: 500"))
    teamspace.set_script(Script(pushes=[_answer(500)] * 25))
    for tried in range(1, 26):
        run("target", "resume")
        run("body", "retry")
        assert run("body", "push", "--json").document["counts"]["queued"] == 1
        (listed,) = run("body", "list", "--json").document["bodies"]
        assert (listed["state"], listed["attempts"]) == ("queued", tried)
    assert compatibility(run) == (1, 0)

    run("target", "resume")
    run("body", "retry")

    assert run("body", "push").code == 0
    assert teamspace.bodies.count() == 1


def test_one_process_sends(run: Run, home: Path, mission: Path, teamspace: Serving) -> None:
    """Another ends with busy and sends nothing, until the lease is given back."""
    add(run, mission, "spec.md")
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        (target,) = stores.targets.targets()
        lease = stores.leases.acquire(target.target_id, LEASE_NAME, HOLDER, at=machine.now())
        assert isinstance(lease, Lease)

        ran = run("body", "push", "--json")

        assert (ran.code, ran.document["stopped_because"]) == (3, "busy")
        assert teamspace.bodies.count() == 0
        stores.leases.release(lease)
    assert run("body", "push").code == 0


@pytest.mark.parametrize("words", [("target", "pause"), ("target", "revoke", "--project", STREAM)])
def test_what_stops_events_stops_bodies(
    run: Run, mission: Path, teamspace: Serving, words: tuple[str, ...]
) -> None:
    """A pause and a revocation hold for both, and end for both."""
    add(run, mission, "spec.md")
    capture(run, mission, "e1")
    run(*words)

    assert run("sync", "now").code in (3, 4)
    assert (teamspace.inbox.count(), teamspace.bodies.count()) == (0, 0)

    run("target", "grant", "--project", STREAM)
    assert run("sync", "now").code == 0
    assert (teamspace.inbox.count(), teamspace.bodies.count()) == (1, 1)


@pytest.mark.requirement("S9")
def test_counts_are_never_mixed(run: Run, mission: Path, teamspace: Serving) -> None:
    """Whatever bodies there are, nothing of what is said of events changes, and vice versa."""
    capture(run, mission, "e1", "e2")

    def of_events() -> object:
        found = run("sync", "status", "--json").document
        names = ("delivery_ledger", "terminal_failures", "event_journal", "waiting_sources")
        kept = {name: found[name] for name in names}
        kept["event_journal"]["journal_size_bytes"] = 0
        return kept, found["active_queue"]["event_count"], found["targets"][0]["streams"]

    before = of_events()
    add(run, mission)
    assert (of_events(), compatibility(run)) == (before, (3, 0))
    run("sync", "now", "--budget-events", "2", "--budget-requests", "1")
    delivered = of_events()
    assert compatibility(run) == (3, 0)
    teamspace.set_script(Script(pushes=[_answer(400), _answer(201, {})]))
    run("body", "push")
    assert (of_events(), compatibility(run)) == (delivered, (0, 1))
