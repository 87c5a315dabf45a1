from typing import Any

import attrs
import pytest

from eventsync_core.bodies import (
    LONGEST_WAIT,
    Added,
    BodyCounts,
    Owed,
    Standing,
    UploadFailure,
    UploadState,
)
from eventsync_core.egress import Grant
from eventsync_core.errors import UnknownTargetError
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_body, make_events, make_stub_target
from eventsync_core.testing._contracts._body_openings import BodyOpeningsContract
from eventsync_core.testing._contracts._steps import NOW, STREAM, TARGET_ID, granted


def _grant(stores: Stores) -> Grant:
    found = stores.grants.get(TARGET_ID, STREAM)
    assert found is not None
    return found


def _add(stores: Stores, *names: str, stream: str = STREAM, at: int = NOW, **facts: Any) -> None:
    for name in names:
        assert stores.bodies.add(stream, make_body(name, **facts), at=at) is Added.STORED


def _owed(stores: Stores, *, now: int = NOW) -> list[int]:
    """Return the numbers of what is due, each asked for after the one before."""
    found: list[int] = []
    after = (-1, 0)
    while True:
        owed = stores.bodies.next_due(_grant(stores), now=now, after=after)
        if owed is None:
            return found
        found.append(owed.number)
        after = (owed.standing.due_at, owed.number)


def _failure(name: str, reason: str = "bad_request: no", **facts: Any) -> UploadFailure:
    upload = make_body(name)
    failure = UploadFailure(
        key=upload.key,
        reason=reason,
        size_bytes=upload.size_bytes,
        first_failed_at=NOW,
        last_failed_at=NOW,
    )
    return attrs.evolve(failure, **facts)


_DONE = Standing(
    state=UploadState.UPLOADED, attempts=2, due_at=NOW, asked_at=NOW + 1, settled_at=NOW + 2
)


class BodiesContract(BodyOpeningsContract):
    """Subclass, provide a `stores` fixture, and every promise of `Bodies` is checked."""

    def test_an_empty_store(self, stores: Stores) -> None:
        """There is nothing, and nothing is found."""
        assert stores.bodies.get(make_body("a").key) is None
        assert stores.bodies.page() == []
        assert stores.bodies.failures() == []
        assert BodyCounts(bodies=0, uploaded=0, failed=0, failure_log=0) == stores.bodies.counts()

    def test_a_body_comes_back_as_it_went_in(self, stores: Stores) -> None:
        """Every fact of it, whatever characters it holds, and even if its hash is wrong."""
        for upload in (
            make_body("a"),
            make_body("ü 'x'\n", content="\ufeffä\x00\r\n😀"),
            make_body(
                "c",
                content="",
                content_hash="wrong",
                size_bytes=7,
                hash_algorithm="md5",
                created_at=3,
                retry_count=21,
                next_attempt_at=NOW + 5,
                last_error="server_error: 500",
            ),
        ):
            assert stores.bodies.add(STREAM, upload, at=NOW) is Added.STORED
            assert upload == stores.bodies.get(upload.key)

    def test_a_body_is_kept_once(self, stores: Stores) -> None:
        """The same again changes nothing, not even the stream."""
        _add(stores, "a")
        before = stores.bodies.page()

        assert stores.bodies.add("other", make_body("a"), at=NOW + 9) is Added.KNOWN

        assert before == stores.bodies.page()

    def test_what_an_older_queue_knew_is_merged(self, stores: Stores) -> None:
        """The earlier creation and the larger retry count stand, in either order."""
        few = make_body("a", created_at=NOW, retry_count=1, next_attempt_at=1, last_error="one")
        many = make_body(
            "a", created_at=NOW + 5, retry_count=9, next_attempt_at=2, last_error="nine"
        )
        for upload in (few, many, few):
            stores.bodies.add(STREAM, upload, at=NOW)

        assert attrs.evolve(many, created_at=NOW) == stores.bodies.get(few.key)
        (listed,) = stores.bodies.page()
        assert listed.body.created_at == NOW
        assert listed.standing == Standing(failures=9, due_at=2, last_error="nine")

    @pytest.mark.parametrize("facts", [{"content": "other"}, {"hash_algorithm": "md5"}])
    def test_other_content_changes_nothing(self, stores: Stores, facts: dict[str, Any]) -> None:
        """A known key with other content is a conflict, and the first survives."""
        first = make_body("a")
        _add(stores, "a")
        other = attrs.evolve(make_body("a", retry_count=3), **facts)

        assert stores.bodies.add(STREAM, other, at=NOW) is Added.CONFLICT

        assert first == stores.bodies.get(first.key)

    def test_each_part_of_the_key_tells(self, stores: Stores) -> None:
        """Bodies that differ in one part only are different ones."""
        upload = make_body("a")
        stores.bodies.add(STREAM, upload, at=NOW)
        for part in attrs.asdict(upload.key):
            other = attrs.evolve(upload, key=attrs.evolve(upload.key, **{part: "other"}))
            assert stores.bodies.get(other.key) is None
            assert stores.bodies.add(STREAM, other, at=NOW) is Added.STORED

        assert len(stores.bodies.page()) == 8

    def test_bodies_are_numbered_as_they_come(self, stores: Stores) -> None:
        """Page by page, of all streams or of one."""
        _add(stores, "a")
        stores.journal.append(STREAM, make_events(2), at=NOW)
        _add(stores, "b", "c", at=NOW + 1)
        _add(stores, "d", stream="other")

        listed = stores.bodies.page()
        assert [(each.body.number, each.body.stream) for each in listed] == [
            (1, STREAM),
            (2, STREAM),
            (3, STREAM),
            (4, "other"),
        ]
        assert [each.body.added_at - NOW for each in listed] == [0, 1, 1, 0]
        assert stores.bodies.page(after=1, limit=2) == listed[1:3]
        assert stores.bodies.page(stream="other") == listed[3:]
        assert stores.bodies.page(stream="none") == []
        assert stores.bodies.page(after=4) == []

    def test_nothing_is_due_before_it_is_owed(self, stores: Stores) -> None:
        """`owe` is what gives the bodies of one stream a standing, new ones each time."""
        granted(stores)
        _add(stores, "a", "b")
        _add(stores, "c", stream="other")
        assert _owed(stores) == []

        stores.bodies.owe(TARGET_ID, STREAM)
        assert _owed(stores) == [1, 2]
        _add(stores, "d")
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.owe(TARGET_ID, "none")

        assert _owed(stores) == [1, 2, 4]

    def test_who_was_owed_keeps_the_standing(self, stores: Stores) -> None:
        """Owing again changes nothing of what was noted."""
        granted(stores)
        _add(stores, "a", "b")
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.note(TARGET_ID, 1, _DONE)

        stores.bodies.owe(TARGET_ID, STREAM)

        assert [each.standing for each in stores.bodies.page(TARGET_ID)] == [_DONE, Standing()]
        assert _owed(stores) == [2]

    def test_what_is_due_comes_with_its_content(self, stores: Stores) -> None:
        """Number, body and standing, which begins where an older queue stopped."""
        granted(stores)
        upload = make_body("a", retry_count=3, next_attempt_at=NOW - 1, last_error="timeout: x")
        stores.bodies.add(STREAM, upload, at=NOW)
        stores.bodies.owe(TARGET_ID, STREAM)

        standing = Standing(failures=3, due_at=NOW - 1, last_error="timeout: x")
        assert Owed(1, upload, standing) == stores.bodies.next_due(_grant(stores), now=NOW)

    def test_due_bodies_come_in_order(self, stores: Stores) -> None:
        """By when they are due, then by number; those due later wait."""
        granted(stores)
        for name, due_at in (("a", NOW + 1), ("b", 5), ("c", 0), ("d", 5)):
            _add(stores, name, next_attempt_at=due_at)
        stores.bodies.owe(TARGET_ID, STREAM)

        assert _owed(stores) == [3, 2, 4]
        assert _owed(stores, now=NOW + 1) == [3, 2, 4, 1]

    def test_no_wait_is_for_ever(self, stores: Stores) -> None:
        """A body due later than any wait is due: it comes of a clock that was set back."""
        granted(stores)
        _add(stores, "a", next_attempt_at=NOW + LONGEST_WAIT + 1)
        _add(stores, "b", next_attempt_at=NOW + LONGEST_WAIT)
        stores.bodies.owe(TARGET_ID, STREAM)

        assert _owed(stores) == [1]

    def test_settled_bodies_are_not_due(self, stores: Stores) -> None:
        """Neither those the target holds nor those that failed for good."""
        granted(stores)
        states = list(UploadState)
        _add(stores, *(state.value for state in states))
        stores.bodies.owe(TARGET_ID, STREAM)
        for number, state in enumerate(states, 1):
            stores.bodies.note(TARGET_ID, number, Standing(state=state))

        assert _owed(stores) == [states.index(UploadState.QUEUED) + 1]

    def test_what_remains_is_what_is_queued(self, stores: Stores) -> None:
        """Due or not; neither what is settled, nor what the grant leaves out."""
        _add(stores, "before")
        granted(stores, from_body=1)
        _add(stores, "due", "done")
        _add(stores, "later", next_attempt_at=NOW + 9)
        _add(stores, "elsewhere", stream="other")
        assert stores.bodies.remaining(_grant(stores)) == 0
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.note(TARGET_ID, 3, _DONE)

        assert stores.bodies.remaining(_grant(stores)) == 2
        assert stores.bodies.pending(_grant(stores)) == 0
        stores.bodies.note(TARGET_ID, 2, Standing(wait=NOW))
        assert stores.bodies.pending(_grant(stores)) == 1
        assert stores.bodies.waiting(TARGET_ID, STREAM) == 3
        assert stores.bodies.waiting(TARGET_ID, STREAM, above=1) == 2
        assert stores.bodies.waiting(TARGET_ID, "other") == 1
        assert stores.bodies.waiting(TARGET_ID, "none") == 0

    def test_each_target_has_its_own_standing(self, stores: Stores) -> None:
        """What one holds is owed to another all the same."""
        granted(stores)
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        _add(stores, "a")
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.note(TARGET_ID, 1, _DONE)

        stores.bodies.owe(other, STREAM)

        assert [each.standing for each in stores.bodies.page(other)] == [Standing()]
        assert [each.standing for each in stores.bodies.page(TARGET_ID)] == [_DONE]

    def test_without_a_standing_none_is_noted(self, stores: Stores) -> None:
        """What was never owed stays so, and is owed later."""
        granted(stores)
        _add(stores, "a")

        stores.bodies.note(TARGET_ID, 1, _DONE)
        stores.bodies.note(TARGET_ID, 9, _DONE)

        assert [each.standing for each in stores.bodies.page(TARGET_ID)] == [Standing()]

    def test_an_unknown_target_is_owed_nothing(self, stores: Stores) -> None:
        """Both are errors."""
        _add(stores, "a")
        with pytest.raises(UnknownTargetError):
            stores.bodies.owe("tgt_unknown", STREAM)
        with pytest.raises(UnknownTargetError):
            stores.bodies.note("tgt_unknown", 1, _DONE)

    def test_failures_add_up(self, stores: Stores) -> None:
        """Of one key and reason, with the earliest and latest time and the latter's facts."""
        late = _failure("a", count=3, first_failed_at=NOW + 5, last_failed_at=NOW + 9, size_bytes=7)
        for failure in (_failure("a"), late, _failure("a", count=2)):
            stores.bodies.log(failure)

        assert [
            attrs.evolve(late, count=6, first_failed_at=NOW),
        ] == stores.bodies.failures()

    def test_each_reason_and_key_is_logged(self, stores: Stores) -> None:
        """In the order first logged, page by page."""
        failures = [_failure("b"), _failure("a", "not_found"), _failure("a", "gone"), _failure("c")]
        for failure in failures:
            stores.bodies.log(failure)

        assert failures == stores.bodies.failures()
        assert failures[1:3] == stores.bodies.failures(after=1, limit=2)

    def test_every_body_is_counted_once(self, stores: Stores) -> None:
        """Per target, those never owed as waiting; without one, what anybody holds."""
        granted(stores)
        other = stores.targets.register(make_stub_target("two"), at=NOW).target_id
        _add(stores, "a", "b", "c", "d")
        stores.bodies.owe(TARGET_ID, STREAM)
        stores.bodies.owe(other, STREAM)
        stores.bodies.note(TARGET_ID, 1, _DONE)
        stores.bodies.note(other, 1, attrs.evolve(_DONE, state=UploadState.ALREADY_EXISTS))
        stores.bodies.note(other, 2, attrs.evolve(_DONE, state=UploadState.ALREADY_EXISTS))
        stores.bodies.note(TARGET_ID, 3, Standing(state=UploadState.FAILED))
        stores.bodies.log(_failure("c"))
        _add(stores, "e")

        for target_id, expected in ((TARGET_ID, (1, 1, 3)), (other, (2, 0, 3)), ("", (2, 0, 3))):
            counts = stores.bodies.counts(target_id)
            assert (counts.uploaded, counts.failed, counts.waiting) == expected
            assert (counts.bodies, counts.failure_log) == (5, 1)

    def test_a_failed_unit_leaves_nothing(self, stores: Stores) -> None:
        """Bodies, standings and failures are undone, without a gap in the numbers."""
        granted(stores)
        with pytest.raises(ZeroDivisionError), stores.atomic():  # noqa: PT012 - the unit is what fails
            _add(stores, "lost")
            stores.bodies.owe(TARGET_ID, STREAM)
            stores.bodies.note(TARGET_ID, 1, _DONE)
            stores.bodies.log(_failure("lost"))
            raise ZeroDivisionError

        assert (stores.bodies.page(), stores.bodies.failures()) == ([], [])
        _add(stores, "a")
        assert [each.body.number for each in stores.bodies.page()] == [1]
        stores.bodies.owe(TARGET_ID, STREAM)
        assert _owed(stores) == [1]
