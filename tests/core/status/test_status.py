from typing import Any

import attrs

from eventsync_core.authority import Claims, resolve
from eventsync_core.capture import capture_many
from eventsync_core.census import Class
from eventsync_core.dispatch import Drain, drain
from eventsync_core.errors import StoreBusyError
from eventsync_core.ledger import Holder
from eventsync_core.policy import Mode
from eventsync_core.receivers import Script, StubReceiver
from eventsync_core.status import Foreground, Setting, as_document, check, collect
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import Kind, Target, make_target

AT = 1_700_000_000_000_000
FIRST = make_target(Kind.EXTERNAL, "https://a.example")
SECOND = make_target(Kind.EXTERNAL, "https://b.example")
SETTING = Setting(
    mode=Mode.EXTERNAL_RECEIVER,
    authority=resolve(Claims(), home="/home"),
    foreground=Foreground(package_version="1", executable_path="/p", source_path="/s", pid=1),
    database_path="/d",
)


def _stores(count: int, *targets: Target, script: Script | None = None) -> MemoryStores:
    """Return stores with *count* events, delivered to *targets* one after another."""
    stores = MemoryStores()
    capture_many(stores, [{"event_id": f"e{n}"} for n in range(count)], at=AT)
    for target in targets:
        stores.targets.register(target, at=AT)
        stores.grants.grant(
            target.target_id, "default", from_position=0, actor="t", reason="t", at=AT
        )
        task = Drain(
            stores=stores,
            target=target,
            receiver=StubReceiver(target.target_id, script or Script()),
            clock=lambda: AT,
            holder=Holder(pid=1, started_at=1, boot="b"),
        )
        drain(task, ["default"])
    return stores


def _document(
    stores: MemoryStores | None, setting: Setting = SETTING, at: int = AT + 5_000_000
) -> dict[str, Any]:
    status = collect(stores, setting, at=at)
    return as_document(status, check(status), exit_code=0)


def test_zero_state() -> None:
    """All seven sections are there, with their exact keys, and everything is zero."""
    document = _document(None)

    assert document["event_journal"] == {
        "retained_event_count": 0,
        "archived_event_count": 0,
        "oldest_retained_event_at": None,
        "journal_size_bytes": 0,
        "gc_suggested": False,
        "gc_suggestion": None,
    }
    assert document["delivery_targets"] == {"current": None, "previous": []}
    assert set(document["delivery_ledger"].values()) == {0}
    assert set(document["delivery_ledger"]) == {
        "delivered_current_target",
        "delivered_previous_target",
        "pending",
        "rejected",
        "transient",
    }
    assert document["migration_conflicts"]["cleanup_blocked"] is False
    assert document["terminal_failures"] == {"count": 0, "events": []}
    assert set(document["body_upload_compatibility"].values()) == {0}
    assert len(document["target_authority"]) == 9
    assert document["ok"] is True


def test_delivered_to_a_previous_target_only() -> None:
    """124 retained, 124 delivered before, none to the current target."""
    stores = _stores(124, FIRST)

    document = _document(stores, attrs.evolve(SETTING, current=SECOND))

    assert document["event_journal"]["retained_event_count"] == 124
    ledger = document["delivery_ledger"]
    assert (ledger["delivered_current_target"], ledger["delivered_previous_target"]) == (0, 124)
    assert document["delivery_targets"]["current"]["target_id"] is None
    assert document["delivery_targets"]["previous"][0]["delivered_count"] == 124
    assert document["gates"] == ["no_grant"]


def test_classes_sum_up_to_what_was_captured() -> None:
    """Every class is named, and the sum is checked."""
    script = Script(events={"e1": {"status": "rejected"}, "e2": {"status": "pending"}})
    stores = _stores(5, FIRST, script=script)

    document = _document(stores, attrs.evolve(SETTING, current=FIRST))

    (target,) = document["targets"]
    (stream,) = target["streams"]
    assert set(stream["classes"]) == {name.value for name in Class}
    assert (stream["sum"], stream["captured"], stream["coherent"]) == (5, 5, True)
    assert stream["remaining_owed"] == 1
    assert target["seconds_since_delivery"] == 5.0
    ledger = document["delivery_ledger"]
    assert (ledger["pending"], ledger["rejected"]) == (1, 1)
    before = _document(stores, attrs.evolve(SETTING, current=FIRST), at=AT - 1)
    assert before["targets"][0]["seconds_since_delivery"] is None


def test_nothing_waits_when_all_is_delivered() -> None:
    """The time since the last delivery matters only while something remains."""
    (target,) = _document(_stores(3, FIRST))["targets"]

    assert target["seconds_since_delivery"] is None
    assert target["last_delivery_at"] is not None


def test_a_terminal_failure_is_listed_with_its_reason() -> None:
    """The event, the target and what was last said."""
    stores = _stores(3)
    stores.targets.register(FIRST, at=AT)
    stores.grants.grant(FIRST.target_id, "default", from_position=0, actor="t", reason="t", at=AT)
    capture_many(stores, [{"event_id": "big", "x": "y" * 600_000}], at=AT)
    task = Drain(
        stores=stores,
        target=FIRST,
        receiver=StubReceiver(FIRST.target_id),
        clock=lambda: AT,
        holder=Holder(pid=1, started_at=1, boot="b"),
    )
    drain(task, ["default"])

    failures = _document(stores)["terminal_failures"]

    assert failures["count"] == 1
    assert failures["events"][0]["event_id"] == "big"
    assert "limit" in failures["events"][0]["last_error"]


def test_an_unreadable_store_is_unknown_not_zero() -> None:
    """Counts are null, and the reason is given."""
    document = _document(None, attrs.evolve(SETTING, store_error=StoreBusyError("held")))

    assert document["event_journal"]["retained_event_count"] is None
    assert document["delivery_ledger"]["delivered_current_target"] is None
    assert document["event_sync_status_error"] == "held"
    assert [reason["code"] for reason in document["reasons"]] == ["store_busy"]
    assert document["ok"] is False


def test_missing_authentication_is_incoherent_when_required() -> None:
    """Only the check's business: nothing is lost by it."""
    status = collect(None, attrs.evolve(SETTING, auth_required=True), at=AT)

    assert [reason.code for reason in check(status)] == ["missing_auth"]
