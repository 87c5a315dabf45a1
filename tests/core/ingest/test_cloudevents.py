"""The server's half takes CloudEvents as well."""

from eventsync_core.ingest import MemoryInbox, answer_batch
from eventsync_core.receivers import CLOUDEVENTS_BATCH, Script, cloudevents_body
from eventsync_core.testing import make_batch, make_events


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
    body = b'[{"id":"a","data":{}},{"data":{}}]'

    reply = answer_batch(inbox := MemoryInbox(), body, Script(), CLOUDEVENTS_BATCH)

    assert (reply.status, inbox.count()) == (400, 0)
    assert reply.document["details"][0]["index"] == 1


def test_the_type_decides() -> None:
    """CloudEvents under another type are no batch, and the other way round."""
    batch = make_batch("t", *make_events(1))

    assert answer_batch(MemoryInbox(), cloudevents_body(batch), Script()).status == 400
    assert answer_batch(MemoryInbox(), batch.body, Script(), CLOUDEVENTS_BATCH).status == 400
