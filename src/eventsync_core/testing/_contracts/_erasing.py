import attrs

from eventsync_core.bodies import BodyCounts, Standing, UploadFailure, UploadState
from eventsync_core.erasure import Erased
from eventsync_core.events import Hold
from eventsync_core.ledger import Act as LedgerAct
from eventsync_core.legacy import (
    Kind,
    Noted,
    OldDelivery,
    PastDelivery,
    Provenance,
    RowKey,
    SetAside,
    Source,
    Why,
)
from eventsync_core.payloads import Act, Deed
from eventsync_core.receivers import Detail, Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_body, make_event, make_events
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    granted,
    leased,
    opened,
    verdict,
)

PURGE = Deed(act=Act.PURGE, actor="me", at=NOW, detail=STREAM)
PATH = "/old/queue.db"
PROJECT = make_body().key.project_uuid


def _key(row: int) -> RowKey:
    return RowKey("queue", row, bytes([row]) * 32)


def _taken(row: int, event_id: str) -> Provenance:
    return Provenance(
        path=PATH, key=_key(row), event_id=event_id, queued_at=1, retry_count=0, taken_at=NOW
    )


def _aside(row: int, event_id: str) -> SetAside:
    raw = b"row"
    return SetAside(
        path=PATH,
        key=_key(row),
        event_id=event_id,
        why=Why.CONFLICT,
        detail="",
        size=len(raw),
        at=NOW,
        raw=raw,
    )


def _fill(stores: Stores) -> None:
    """Store two events that came from a file, one of which was refused, and one aside."""
    granted(stores, make_events(2))
    lease = leased(stores)
    request_id = opened(stores, lease, 1, 2)
    said = attrs.evolve(
        verdict(Outcome.REJECTED, Outcome.SUCCESS, reasons={0: "it says secret"}),
        guidance="and secret",
    )
    assert said.details[0] == Detail("it says secret", "word")
    stores.ledger.close_request(lease, request_id, said, at=NOW)
    stores.legacy.note(Noted(source=Source(path=PATH, kind=Kind.QUEUE)), at=NOW)
    stores.legacy.take([_taken(1, "e1"), _taken(2, "elsewhere")])
    stores.legacy.set_aside([_aside(3, "e1"), _aside(4, "elsewhere")])


class ErasingContract:
    """Subclass, provide a `stores` fixture, and every promise of `Erasing` is checked."""

    def test_all_of_the_stream_goes(self, stores: Stores) -> None:
        """What is there is what is erased; what belongs to others stays."""
        _fill(stores)
        there = stores.erasing.there(STREAM)

        erased = stores.erasing.erase(STREAM, [1], PURGE)

        assert there == Erased(provenance=1, words=2)
        assert erased == attrs.evolve(there, set_aside=1)
        assert stores.erasing.there(STREAM) == Erased()
        assert stores.legacy.provenance("e1") == []
        assert len(stores.legacy.provenance("elsewhere")) == 1
        assert [row.number for row in stores.legacy.aside()] == [2]
        assert (stores.legacy.aside_count(), stores.legacy.bytes_of(1)) == (1, None)
        assert stores.legacy.bytes_of(2) == b"row"

    def test_outcomes_stay_and_words_go(self, stores: Stores) -> None:
        """What came of each entry is known, not what was said of it."""
        _fill(stores)

        stores.erasing.erase(STREAM, [], PURGE)

        row = stores.ledger.entry(TARGET_ID, STREAM, 1)
        assert row is not None
        assert row.outcome is Outcome.REJECTED
        assert [item.reason for item in stores.ledger.history(STREAM, 1)] == [""]
        assert [each.guidance for each in stores.ledger.requests(TARGET_ID, STREAM)] == [""]
        assert [entry.event.event_id for entry in stores.journal.entries(STREAM)] == ["e1", "e2"]

    def test_an_answer_that_comes_later_leaves_no_words(self, stores: Stores) -> None:
        """Of what was under way the outcome is kept, and of other events the words too."""
        granted(stores, make_events(3))
        lease = leased(stores)
        request_id = opened(stores, lease, 1, 2, 3)
        stores.payloads.purge(STREAM, [1], PURGE)
        stores.payloads.purge(STREAM, [2], attrs.evolve(PURGE, act=Act.GC))
        said = verdict(*[Outcome.REJECTED] * 3, reasons=dict.fromkeys(range(3), "secret"))
        said = attrs.evolve(said, guidance="and secret")

        stores.ledger.close_request(lease, request_id, said, at=NOW)

        told = [stores.ledger.history(STREAM, position)[0] for position in (1, 2, 3)]
        assert [item.reason for item in told] == ["", "secret", "secret"]
        assert {item.outcome for item in told} == {Outcome.REJECTED}
        (request,) = stores.ledger.requests(TARGET_ID, STREAM)
        assert request.guidance == ""

    def test_reasons_of_holds_go(self, stores: Stores) -> None:
        """What is held stays held, and what was released stays on record."""
        stores.journal.append(STREAM, make_events(3), at=NOW)
        stores.journal.append("other", [make_event("f1")], at=NOW)
        for stream, positions in ((STREAM, [1, 2]), ("other", [1])):
            stores.holds.hold(stream, positions, reason="secret", actor="me", at=NOW)
        stores.holds.release(STREAM, [1], actor="you", at=NOW + 1)
        before = [stores.holds.holdings(STREAM, position)[0] for position in (1, 2)]
        assert stores.erasing.there(STREAM) == Erased(reasons=2)

        stores.erasing.erase(STREAM, [], PURGE)

        after = [stores.holds.holdings(STREAM, position)[0] for position in (1, 2)]
        assert after == [attrs.evolve(each, reason="") for each in before]
        assert stores.holds.held(STREAM, Hold.OPERATOR) == [2]
        assert stores.journal.entries(STREAM)[1].event.hold_reason == ""
        assert stores.holds.holdings("other", 1)[0].reason == "secret"
        assert stores.erasing.there(STREAM) == Erased()

    def test_names_of_aggregates_go(self, stores: Stores) -> None:
        """Where the payload is gone; with it the name comes back."""
        events = [make_event(f"e{n}", aggregate_type="A", aggregate_id="secret") for n in (1, 2)]
        stores.journal.append(STREAM, events, at=NOW)
        assert events[0].aggregate is not None
        stores.payloads.purge(STREAM, [1], PURGE)
        assert stores.erasing.there(STREAM) == Erased(aggregates=2)

        assert stores.erasing.erase_aggregates(STREAM) == 1

        named = [entry.event.aggregate for entry in stores.journal.entries(STREAM)]
        assert named == [None, events[1].aggregate]
        assert stores.erasing.erase_aggregates(STREAM) == 0
        stores.payloads.restore(events, attrs.evolve(PURGE, act=Act.IMPORT))
        assert [entry.event for entry in stores.journal.entries(STREAM)] == events

    def test_it_is_on_record(self, stores: Stores) -> None:
        """Also where nothing was left; payloads of the same deed count in its row."""
        stores.erasing.erase(STREAM, [], PURGE)
        stores.journal.append(STREAM, make_events(1), at=NOW)
        stores.payloads.purge(STREAM, [1], PURGE)

        (act,) = stores.payloads.purges()

        assert (act.deed, act.events) == (PURGE, 1)

    def test_bodies_go_with_where_they_stand(self, stores: Stores) -> None:
        """Those of other streams stay, and can be told apart afterwards."""
        granted(stores)
        stores.bodies.add(PROJECT, make_body("a"), at=NOW)
        stores.bodies.add(STREAM, make_body("b"), at=NOW)
        stores.bodies.add(PROJECT, make_body("c"), at=NOW)
        stores.bodies.owe(TARGET_ID, PROJECT)
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.log(
            UploadFailure(
                key=make_body("a").key,
                reason="no",
                size_bytes=1,
                first_failed_at=NOW,
                last_failed_at=NOW,
            )
        )
        assert stores.erasing.there(PROJECT) == Erased(bodies=2, failures=1)

        stores.erasing.erase(PROJECT, [], attrs.evolve(PURGE, detail=PROJECT))

        assert stores.bodies.counts() == BodyCounts(bodies=1)
        assert stores.bodies.failures() == []
        assert stores.bodies.get(make_body("a").key) is None
        (left,) = stores.bodies.page(TARGET_ID)
        assert left.body.key == make_body("b").key
        stores.bodies.add(PROJECT, make_body("a"), at=NOW)
        assert len(stores.bodies.page(TARGET_ID)) == 2
        assert stores.erasing.there(PROJECT) == Erased(bodies=1)

    def test_where_a_body_came_from_that_names_no_project(self, stores: Stores) -> None:
        """It is of the stream that holds it: its row stays on record, its name does not."""
        nobody = attrs.evolve(make_body().key, project_uuid="")
        held, other = (attrs.evolve(nobody, artifact_path=name) for name in "ab")
        stores.legacy.note(Noted(source=Source(path=PATH, kind=Kind.QUEUE)), at=NOW)
        stores.legacy.take([_taken(1, held.name), _taken(2, other.name)])
        for stream, key in ((PROJECT, held), (STREAM, other)):
            stores.bodies.add(stream, attrs.evolve(make_body(), key=key), at=NOW)
        assert stores.erasing.there(PROJECT) == Erased(bodies=1, provenance=1)

        stores.erasing.erase(PROJECT, [], attrs.evolve(PURGE, detail=PROJECT))

        assert stores.erasing.there(PROJECT) == Erased()
        assert stores.legacy.known(PATH, [_key(1)]) == {_key(1)}
        left = stores.legacy.taken(PATH, "queue", upto=2)
        assert left == [_taken(1, held.name).nameless(), _taken(2, other.name)]

    def test_no_number_is_given_twice(self, stores: Stores) -> None:
        """A grant that begins behind the bodies of then does not take later ones for them."""
        granted(stores)
        for text in ("a", "b"):
            stores.bodies.add(PROJECT, make_body(text), at=NOW)
        stores.bodies.owe(TARGET_ID, PROJECT)
        settled = Standing(state=UploadState.FAILED, settled_at=NOW)
        stores.bodies.note(TARGET_ID, 2, settled)
        assert stores.bodies.reopen(TARGET_ID, 2, LedgerAct.RETRIED, actor="me", at=NOW)
        stores.legacy.note(Noted(source=Source(path=PATH, kind=Kind.QUEUE)), at=NOW)
        stores.legacy.set_aside([_aside(3, "e1"), _aside(4, "e2")])

        stores.erasing.erase(PROJECT, [2], attrs.evolve(PURGE, detail=PROJECT))
        stores.bodies.add(STREAM, make_body("c"), at=NOW)
        stores.legacy.set_aside([_aside(5, "e3")])

        assert (stores.bodies.head(), stores.bodies.counts().bodies) == (3, 1)
        assert stores.bodies.reopenings(TARGET_ID, 2) == []
        assert [row.number for row in stores.legacy.aside()] == [1, 3]
        assert stores.legacy.aside_count() == 2

    def test_refusals_close_up(self, stores: Stores) -> None:
        """They are paged by how many were seen."""
        other = attrs.evolve(make_body("b").key, project_uuid="other")
        later = attrs.evolve(other, content_hash="d")
        for key in (make_body("a").key, other, make_body("c").key, later):
            stores.bodies.log(
                UploadFailure(
                    key=key, reason="no", size_bytes=1, first_failed_at=NOW, last_failed_at=NOW
                )
            )

        stores.erasing.erase(PROJECT, [], attrs.evolve(PURGE, detail=PROJECT))

        assert [each.key for each in stores.bodies.failures(limit=1)] == [other]
        assert [each.key for each in stores.bodies.failures(after=1)] == [later]
        assert stores.bodies.counts().failure_log == 2

    def test_words_of_old_programs_go(self, stores: Stores) -> None:
        """What they noted of deliveries stays but for these."""
        granted(stores, make_events(1))
        stores.legacy.note(Noted(source=Source(path=PATH, kind=Kind.LEDGER)), at=NOW)
        old = OldDelivery(
            key=_key(1),
            event_id="e1",
            alias="tgt_old",
            status="rejected",
            attempts=1,
            error="it says secret",
        )
        brought = PastDelivery(
            path=PATH, old=old, target_id=TARGET_ID, stream=STREAM, position=1, taken_at=NOW
        )
        stores.past.bring([brought])
        assert stores.erasing.there(STREAM) == Erased(words=2)

        stores.erasing.erase(STREAM, [], PURGE)

        silent = attrs.evolve(brought, old=attrs.evolve(old, error=""))
        assert stores.past.of(STREAM, 1) == [silent]
        assert stores.erasing.there(STREAM) == Erased()
