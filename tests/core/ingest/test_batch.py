"""The server's half of the batch contract."""

import json
from typing import Any

import pytest

from eventsync_core.ingest import (
    MOST_BYTES,
    MOST_EVENTS,
    MemoryInbox,
    Reply,
    answer_batch,
    answer_health,
)
from eventsync_core.receivers import Script
from eventsync_core.targets import Deployment


def event(event_id: object, **more: object) -> str:
    return json.dumps({"event_id": event_id, **more})


def body(*texts: str) -> bytes:
    return ('{"events":[' + ",".join(texts) + "]}").encode()


def results(reply: Reply) -> list[Any]:
    assert reply.status == 200
    return list(reply.document["results"])


def test_new_events_are_kept_as_they_came() -> None:
    """The text kept is the text sent, spaces, escapes and number spellings included."""
    inbox = MemoryInbox()
    texts = ['{"event_id" : "a", "n": 1.50}', '{ "event_id":"\\u0062" }']

    reply = answer_batch(inbox, body(*texts), Script())

    assert results(reply) == [
        {"event_id": "a", "status": "success"},
        {"event_id": "b", "status": "success"},
    ]
    assert [(1, "a", texts[0]), (2, "b", texts[1])] == inbox.received()


def test_a_second_sight_is_a_duplicate() -> None:
    """Equal content is a duplicate, also when it is spelt otherwise or stands in one batch."""
    inbox = MemoryInbox()
    answer_batch(inbox, body('{"event_id":"a","n":1}'), Script())

    reply = answer_batch(
        inbox,
        body('{"n": 1, "event_id": "a"}', '{"event_id":"b"}', '{"event_id":"b"}'),
        Script(),
    )

    statuses = [result["status"] for result in results(reply)]
    assert statuses == ["duplicate", "success", "duplicate"]
    assert inbox.get("a") == '{"event_id":"a","n":1}'
    assert inbox.count() == 2


def test_other_content_under_a_known_id_is_rejected() -> None:
    """The first content stays, the answer says why."""
    inbox = MemoryInbox()
    answer_batch(inbox, body(event("a", n=1)), Script())

    (result,) = results(answer_batch(inbox, body(event("a", n=2)), Script()))

    assert result["status"] == "rejected"
    assert "other content" in result["error"]
    assert inbox.get("a") == event("a", n=1)


def test_content_without_a_canonical_form_is_compared_as_text() -> None:
    """Events nested too deeply are told apart all the same."""
    deep = '{"event_id":"a","d":' + "[" * 2_000 + "{}" + "]" * 2_000 + "}"
    inbox = MemoryInbox()
    answer_batch(inbox, body(deep), Script())

    again = answer_batch(inbox, body(deep, deep.replace("{}", "{ }")), Script())

    assert [result["status"] for result in results(again)] == ["duplicate", "rejected"]


def test_an_empty_batch_is_refused() -> None:
    """No events is a mistake of the client."""
    reply = answer_batch(MemoryInbox(), body(), Script())

    assert reply.status == 400
    assert reply.document["error"] == "No events provided"


@pytest.mark.parametrize("sent", [b"", b"\xff", b"{", b"[]", b'{"events":[1]}', b"\xef\xbb\xbf{}"])
def test_what_is_no_batch_is_refused_with_details(sent: bytes) -> None:
    """The answer has both `error` and `details`."""
    reply = answer_batch(MemoryInbox(), sent, Script())

    assert reply.status == 400
    assert reply.document["error"]
    assert reply.document["details"]


def test_events_without_a_usable_id_are_named() -> None:
    """The whole batch is refused; each culprit is named by place, and by id if it has one."""
    inbox = MemoryInbox()
    long = "x" * 201

    reply = answer_batch(inbox, body(event("a"), "{}", event(7), event(long)), Script())

    assert reply.status == 400
    details = reply.document["details"]
    assert [(item["index"], item.get("event_id")) for item in details] == [
        (1, None),
        (2, None),
        (3, long),
    ]
    assert inbox.count() == 0


@pytest.mark.parametrize(
    "sent",
    [
        body(*(event(str(number)) for number in range(MOST_EVENTS + 1))),
        body(event("a", text="x" * MOST_BYTES)),
    ],
)
def test_too_much_at_once_is_refused_with_the_limits(sent: bytes) -> None:
    """A 413 says what a batch may hold, and keeps nothing."""
    inbox = MemoryInbox()

    reply = answer_batch(inbox, sent, Script())

    assert reply.status == 413
    assert reply.document["limits"]["max_events_per_batch"] == MOST_EVENTS
    assert reply.document["limits"]["max_decompressed_bytes_per_batch"] == MOST_BYTES
    assert inbox.count() == 0


def test_exactly_the_limits_pass() -> None:
    """A thousand events in exactly the largest body are taken."""
    texts = [event(str(number)) for number in range(MOST_EVENTS)]
    room = MOST_BYTES - len(body(*texts)) - len(', "p": ""')
    texts[0] = event("0", p="x" * room)

    assert len(body(*texts)) == MOST_BYTES
    assert answer_batch(MemoryInbox(), body(*texts), Script()).status == 200


def test_the_script_decides_per_event() -> None:
    """What is told rejected is not kept, what is told pending is."""
    inbox = MemoryInbox()
    script = Script(events={"a": {"status": "rejected", "error": "no"}, "b": {"status": "pending"}})

    reply = answer_batch(inbox, body(event("a"), event("b"), event("c")), script)

    assert results(reply) == [
        {"event_id": "a", "status": "rejected", "error": "no"},
        {"event_id": "b", "status": "pending"},
        {"event_id": "c", "status": "success"},
    ]
    assert [kept.event_id for kept in inbox.received()] == ["b", "c"]


def test_the_script_refuses_whole_batches() -> None:
    """Poison and a lower size bound keep nothing."""
    inbox = MemoryInbox()

    poisoned = answer_batch(inbox, body(event("a"), event("p")), Script(poison=frozenset("p")))
    large = answer_batch(inbox, body(event("a")), Script(max_bytes=10))

    assert poisoned == Reply(400, {"error": "batch validation failed"})
    assert (large.status, large.document["limits"]) == (
        413,
        {"max_decompressed_bytes_per_batch": 10},
    )
    assert inbox.count() == 0


def test_health_names_the_server_and_its_limits() -> None:
    """Four facts, null where unknown, and the four limits."""
    said = answer_health(Deployment(server_instance_id="i", environment_name="test"))

    assert said == {
        "server_instance_id": "i",
        "deployment_id": None,
        "environment_name": "test",
        "git_sha": None,
        "sync_ingress": {
            "limits": {
                "max_events_per_batch": 1_000,
                "max_decompressed_bytes_per_batch": 524_288,
                "retry_after_min_seconds": 1,
                "retry_after_max_seconds": 300,
            }
        },
    }


def test_a_page_of_the_inbox_begins_after_a_number() -> None:
    """Paging by sequence number meets every event once."""
    inbox = MemoryInbox()
    inbox.take([(name, name) for name in "abc"])

    assert [kept.event_id for kept in inbox.received(after=1, limit=1)] == ["b"]
    assert inbox.received(after=3) == []
