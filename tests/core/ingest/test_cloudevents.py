"""The server's half takes CloudEvents as well."""

import pytest

from eventsync_core.ingest import MemoryInbox, answer_batch
from eventsync_core.receivers import CLOUDEVENTS_BATCH, Script, cloudevents_body
from eventsync_core.testing import make_batch, make_events

GOOD = '{"specversion":"1.0","id":"a","source":"s","type":"t","data":{"event_id":"a","n":[1]}}'


def test_the_data_is_kept_under_its_id() -> None:
    """The very texts, answered as any batch is; the type is read in any case."""
    inbox, batch = MemoryInbox(), make_batch("t", *make_events(2))
    kind = f"{CLOUDEVENTS_BATCH.upper()}; charset=UTF-8"

    first = answer_batch(inbox, cloudevents_body(batch), Script(), kind)
    second = answer_batch(inbox, cloudevents_body(batch), Script(), kind)

    assert [result["status"] for result in first.document["results"]] == ["success"] * 2
    assert [result["status"] for result in second.document["results"]] == ["duplicate"] * 2
    assert tuple(kept.text for kept in inbox.received()) == batch.texts


def test_an_event_without_an_id_is_named() -> None:
    """Nothing of the batch is kept."""
    other = GOOD.replace('"id"', '"Id"')
    body = f"[{GOOD},{other}]".encode()

    reply = answer_batch(inbox := MemoryInbox(), body, Script(), CLOUDEVENTS_BATCH)

    assert (reply.status, inbox.count()) == (400, 0)
    assert reply.document["details"][0]["index"] == 1


def test_the_type_decides() -> None:
    """CloudEvents under another type are no batch, and the other way round."""
    batch = make_batch("t", *make_events(1))

    assert answer_batch(MemoryInbox(), cloudevents_body(batch), Script()).status == 400
    assert answer_batch(MemoryInbox(), batch.body, Script(), CLOUDEVENTS_BATCH).status == 400


def test_a_whole_one_is_kept() -> None:
    """Also one that nests too deep for a recursive reader."""
    deep = GOOD.replace("[1]", "[" * 5_000 + "]" * 5_000).replace('"a"', '"deep"')

    reply = answer_batch(
        inbox := MemoryInbox(), f"[{GOOD},{deep}]".encode(), Script(), CLOUDEVENTS_BATCH
    )

    assert (reply.status, inbox.count()) == (200, 2)
    assert inbox.get("a") == '{"event_id":"a","n":[1]}'


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"specversion":"1.0",', ""),
        ('"1.0"', '"0.3"'),
        ('"1.0"', "1.0"),
        ('"source":"s",', ""),
        ('"source":"s"', '"source":""'),
        ('"type":"t",', ""),
        ('"type":"t"', '"type":null'),
        ('"event_id":"a"', '"event_id":"b"'),
        ('"event_id":"a",', ""),
        ('"data":{"event_id":"a","n":[1]}', '"data":null'),
        ('"data":{"event_id":"a","n":[1]}', '"data":[{"event_id":"a"}]'),
        ('"data":{"event_id":"a","n":[1]}', '"data_base64":"e30="'),
    ],
)
def test_what_is_no_cloud_event_is_named(right: str, wrong: str) -> None:
    """Nothing of the batch is kept."""
    body = f"[{GOOD},{GOOD.replace(right, wrong)}]".encode()

    reply = answer_batch(inbox := MemoryInbox(), body, Script(), CLOUDEVENTS_BATCH)

    assert (reply.status, inbox.count()) == (400, 0)
    (named,) = reply.document["details"]
    assert (named["event_id"], named["index"]) == ("a", 1)
    assert named["error"]
