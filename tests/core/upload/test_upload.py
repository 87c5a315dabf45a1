"""One upload: what goes when, and what is left after every kind of answer."""

import json
from collections.abc import Sequence
from typing import Any

import attrs
import pytest

from eventsync_core.bodies import BodyUpload, PushVerdict, StubBodyReceiver, UploadState, hash_of
from eventsync_core.clock import MINUTE, SECOND
from eventsync_core.ledger import Act, Holder, Lease, Opening
from eventsync_core.receivers import (
    Effect,
    Gate,
    Next,
    Outcome,
    Permit,
    RequestRule,
    Script,
    Verdict,
)
from eventsync_core.stores import MemoryStores
from eventsync_core.targets import BackOff, Target
from eventsync_core.testing import (
    HOLDER,
    ManualClock,
    make_body,
    make_event,
    make_stub_target,
)
from eventsync_core.upload import (
    LEASE_NAME,
    MOST_OFFERS,
    BodyAccount,
    BodyOrder,
    Upload,
    UploadReport,
    preview,
    reopen_bodies,
    upload,
)

_STREAM = "default"


@attrs.define
class Watched(StubBodyReceiver):
    """A receiver that calls back right before a push, and may have closed gates."""

    before: Any = None
    closed: tuple[Gate, ...] = ()
    unsent: PushVerdict | None = None

    def closed_gates(self) -> Sequence[Gate]:
        return self.closed

    def push(self, permit: Permit, upload: BodyUpload) -> PushVerdict:
        if self.before is not None:
            self.before(upload)
        return self.unsent or super().push(permit, upload)


@attrs.define
class World:
    """One store, one granted target, one clock."""

    stores: MemoryStores = attrs.field(factory=MemoryStores)
    clock: ManualClock = attrs.field(factory=ManualClock)
    target: Target = attrs.field(factory=make_stub_target)
    receiver: Watched = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.receiver = Watched(self.target.target_id)
        self.stores.targets.register(self.target, at=self.clock())
        self.grant()

    def grant(self, stream: str = _STREAM, target: Target | None = None) -> None:
        target_id = (target or self.target).target_id
        self.stores.grants.grant(
            target_id, stream, from_position=0, actor="me", reason="test", at=self.clock()
        )

    def add(self, *names: str, stream: str = _STREAM, **facts: Any) -> None:
        for name in names:
            self.stores.bodies.add(stream, make_body(name, **facts), at=self.clock())

    def upload(self, *streams: str, **more: Any) -> UploadReport:
        task = Upload(
            stores=self.stores,
            target=self.target,
            receiver=self.receiver,
            clock=self.clock,
            holder=HOLDER,
        )
        return upload(attrs.evolve(task, **more), streams or (_STREAM,))

    def answer(self, *statuses: int, **more: Any) -> None:
        self.receiver.script = Script(pushes=[RequestRule(status=n, **more) for n in statuses])

    def reopen(self, act: Act = Act.RETRIED, *, dry_run: bool = False, **facts: Any) -> BodyAccount:
        order = BodyOrder(act=act, target_id=self.target.target_id, actor="me", **facts)
        return reopen_bodies(self.stores, order, at=self.clock(), dry_run=dry_run)

    def offer(self, outcome: Outcome) -> None:
        """Let an answer come to the one event of the stream."""
        place = (self.target.target_id, _STREAM)
        lease = self.stores.leases.acquire(*place, HOLDER, at=self.clock())
        assert isinstance(lease, Lease)
        opening = Opening(positions=(1,), body_bytes=1, digest=b"d")
        request_id = self.stores.ledger.open_request(lease, opening, at=self.clock())
        assert request_id is not None
        said = Verdict(outcomes=(outcome,), next=Next.GO_ON, effect=Effect.UNKNOWN)
        self.stores.ledger.close_request(lease, request_id, said, at=self.clock())
        self.stores.leases.release(lease)

    def sent(self) -> list[str]:
        found = [key.artifact_path for key in self.receiver.requests]
        self.receiver.requests.clear()
        return [path.removeprefix("research/").removesuffix(".md") for path in found]

    def states(self) -> list[str]:
        return [
            each.standing.state.value for each in self.stores.bodies.page(self.target.target_id)
        ]


@pytest.fixture
def world() -> World:
    return World()


def test_bodies_go_in_order_and_once(world: World) -> None:
    """Each in a request of its own, as they were added; a second upload sends nothing."""
    world.add("b", "a", "c")

    report = world.upload()

    assert (report.is_clean, report.requests, report.states) == (True, 3, {UploadState.UPLOADED: 3})
    assert world.sent() == ["b", "a", "c"]
    assert world.receiver.received == {
        make_body(name).key: make_body(name).content for name in "bac"
    }
    assert (world.upload().requests, world.sent()) == (0, [])


def test_an_upload_with_nothing_due_writes_nothing(world: World) -> None:
    """Not even a lease."""
    world.upload()
    assert world.stores.leases._leases == {}


def test_success_is_kept_and_another_target_gets_the_body_too(world: World) -> None:
    """What was uploaded where is known, and nothing is deleted."""
    world.add("a")
    world.upload()
    other = world.stores.targets.register(make_stub_target("two"), at=world.clock())
    world.grant(target=other)

    report = world.upload(target=other, receiver=Watched(other.target_id))

    assert report.states == {UploadState.UPLOADED: 1}
    (listed,) = world.stores.bodies.page(world.target.target_id)
    assert (listed.standing.state, listed.standing.attempts) == (UploadState.UPLOADED, 1)
    assert world.stores.bodies.get(make_body("a").key) == make_body("a")


def test_what_the_target_has_already_exists(world: World) -> None:
    """It counts as uploaded."""
    world.add("a")
    world.receiver.received[make_body("a").key] = make_body("a").content

    report = world.upload()

    assert (report.is_clean, report.states) == (True, {UploadState.ALREADY_EXISTS: 1})


def test_a_wrong_hash_is_never_sent(world: World) -> None:
    """It fails without a request, is logged and kept, and the others go."""
    world.add("wrong", content_hash=hash_of("other"))
    world.add("right")

    report = world.upload()

    assert world.sent() == ["right"]
    assert (report.requests, report.is_clean) == (1, False)
    assert world.states() == ["failed", "uploaded"]
    (failure,) = world.stores.bodies.failures()
    assert (failure.reason, failure.count) == ("content_hash_mismatch", 1)
    assert world.stores.bodies.page(world.target.target_id)[0].standing.attempts == 0


@pytest.mark.parametrize("status", [500, 404])
def test_nothing_is_dropped_after_any_number_of_retries(world: World, status: int) -> None:
    """Thirty faults later the body is queued as ever, and then it goes."""
    world.add("a", retry_count=20)
    for _ in range(30):
        world.answer(status)
        report = world.upload()
        assert (report.requests, report.remaining) == (1, 1)
        world.clock.advance(61)

    assert world.states() == ["queued"]
    assert world.stores.bodies.failures() == []
    assert world.upload().states == {UploadState.UPLOADED: 1}


def test_a_fault_of_one_body_does_not_hold_up_others(world: World) -> None:
    """The target is left alone for a while; then those behind it go first."""
    world.add("a", "b")
    world.answer(500, 500)

    report = world.upload()

    assert (report.states, report.stopped_because) == ({UploadState.QUEUED: 1}, "target_backoff")
    assert world.upload().requests == 0
    world.clock.advance(2)
    world.answer(201, 500)
    assert world.upload(chance=lambda: 0.0).states[UploadState.UPLOADED] == 1
    assert world.sent() == ["a", "b", "a"]


@pytest.mark.parametrize("rule", [RequestRule(status=500), RequestRule(cut="after")])
def test_a_server_fault_backs_the_target_off(world: World, rule: RequestRule) -> None:
    """As one that events meet does, longer each time; events do not heed it."""
    world.add("a", "b", "c", "d", "e", "f", "g")
    waits = []
    for _ in range(5):
        world.receiver.script = Script(pushes=[rule])
        report = world.upload()
        assert (report.stopped_because, report.requests) == ("target_backoff", 1)
        assert report.retry_at is not None
        waits.append((report.retry_at - world.clock.now) // SECOND)
        world.clock.now = report.retry_at

    assert waits == sorted(set(waits))
    target = world.stores.targets.get(world.target.target_id)
    assert (target.body_back_off.failures, target.back_off.failures) == (5, 0)
    assert world.upload().states[UploadState.UPLOADED] > 0
    assert not world.stores.targets.get(world.target.target_id).body_back_off.failures


def test_faults_of_bodies_and_of_the_target_count_apart(world: World) -> None:
    """Neither is taken for the other, nor makes it start again."""
    world.add("a", "b", "c", "d", "e", "f")
    for status in (500, 401, 500, 500, 401):
        world.answer(status)
        report = world.upload()
        assert (report.stopped_because, report.requests) == ("target_backoff", 1)
        assert report.retry_at is not None
        world.clock.now = report.retry_at

    target = world.stores.targets.get(world.target.target_id)
    assert (target.back_off.failures, target.body_back_off.failures) == (2, 3)
    assert world.upload().requests == 6


def test_three_unknown_addresses_in_a_row_end_an_upload(world: World) -> None:
    """The bodies behind them would fare no better."""
    world.add("a", "b", "c", "d")
    world.answer(404, 404, 404)

    report = world.upload()

    assert (report.stopped_because, report.requests, report.remaining) == ("protocol", 3, 4)
    assert not world.stores.targets.get(world.target.target_id).back_off.failures


@pytest.mark.parametrize(("status", "headers"), [(401, {}), (429, {"Retry-After": "120"})])
def test_a_fault_of_the_target_ends_the_upload(
    world: World, status: int, headers: dict[str, str]
) -> None:
    """The target is left alone, by the next upload too, until its wait is over."""
    world.add("a", "b")
    world.answer(status, headers=headers)

    report = world.upload()

    assert (report.stopped_because, report.requests) == ("target_backoff", 1)
    assert report.retry_at is not None
    assert (report.retry_at - world.clock.now > 100 * SECOND) == bool(headers)
    assert world.upload().stopped_because == "target_backoff"
    assert world.sent() == ["a"]
    world.clock.now = report.retry_at
    assert world.upload().states == {UploadState.UPLOADED: 2}
    assert not world.stores.targets.get(world.target.target_id).back_off.failures


def test_a_cut_connection_uploads_once(world: World) -> None:
    """The answer was lost: the body is sent again and already exists."""
    world.add("a")
    world.receiver.script = Script(pushes=[RequestRule(cut="after")])

    assert world.upload().stopped_because == "target_backoff"
    world.clock.advance(5)

    assert world.upload().states == {UploadState.ALREADY_EXISTS: 1}
    (listed,) = world.stores.bodies.page(world.target.target_id)
    assert listed.standing.attempts == 2


def test_a_refused_body_fails_and_may_go_again(world: World) -> None:
    """It is logged once for every time, and `retry` opens it."""
    world.add("a", "b")
    for _ in range(2):
        world.answer(400, body='{"detail": "no"}')
        assert world.upload().states[UploadState.FAILED] == 1
        assert world.upload().requests == 0
        planned = world.reopen(dry_run=True)
        done = world.reopen()
        assert planned == done
        assert (done.changed, done.already_there) == ({UploadState.FAILED: 1}, 1)

    (failure,) = world.stores.bodies.failures()
    assert (failure.reason, failure.count) == ("bad_request: no", 2)
    assert failure.first_failed_at < failure.last_failed_at
    assert world.upload().states == {UploadState.UPLOADED: 1}


def test_a_server_without_such_an_address_fails_few(world: World) -> None:
    """After three unknown answers in a row the others stay queued; each may go again."""
    world.add("a", "b", "c", "d", "e")
    world.answer(*[405] * 5)

    report = world.upload()

    assert (report.stopped_because, report.requests) == ("protocol", 3)
    assert world.states() == ["failed"] * 3 + ["queued"] * 2


def test_bodies_that_need_their_event_do_not_end_an_upload(world: World) -> None:
    """The server may have processed the events of those behind them."""
    world.add("a", "b", "c", "d")
    world.answer(*[404] * 3, body='{"error": "index_entry_not_found"}')

    report = world.upload()

    assert report.states == {UploadState.QUEUED: 3, UploadState.UPLOADED: 1}


def test_a_403_spares_the_bodies_behind_it(world: World) -> None:
    """None fails for who asks: the upload ends, and when the team may, all go."""
    world.add("a", "b")
    world.answer(403)

    report = world.upload()

    assert (report.stopped_because, world.states()) == ("protocol", ["queued"] * 2)
    world.clock.advance(61)
    assert world.upload().states == {UploadState.UPLOADED: 2}


def test_a_403_that_names_a_body_is_about_that_one(world: World) -> None:
    """It fails, and those behind it go."""
    world.add("a", "b")
    world.answer(403, body=json.dumps({"content_hash": make_body("a").key.content_hash}))

    report = world.upload()

    assert (report.stopped_because, world.states()) == ("caught_up", ["failed", "uploaded"])


@pytest.mark.parametrize(
    "rule",
    [
        RequestRule(status=200, body="<html>blocked</html>"),
        RequestRule(status=302),
        RequestRule(status=403),
        RequestRule(status=412),
    ],
)
def test_no_body_starves_the_others(world: World, rule: RequestRule) -> None:
    """One that the way to the server never lets through waits, and the next upload asks another."""
    world.add("a", "b", "c")
    world.receiver.script = Script(pushes=[rule])
    assert world.upload().stopped_because == "protocol"

    report = world.upload()

    assert (report.states, world.sent()) == ({UploadState.UPLOADED: 2}, ["a", "b", "c"])
    assert world.states() == ["queued", "uploaded", "uploaded"]


def test_an_answer_of_another_body_holds_up_one(world: World) -> None:
    """It waits, and the upload goes on."""
    world.add("a", "b")
    world.answer(201, body=json.dumps({"content_hash": hash_of("other")}))

    report = world.upload()

    assert (report.stopped_because, world.states()) == ("caught_up", ["queued", "uploaded"])


@pytest.mark.parametrize(
    ("closed", "stop"), [(Gate.MISSING_AUTH, "gate:missing_auth"), (None, "protocol")]
)
def test_what_never_left_is_no_attempt(world: World, closed: Gate | None, stop: str) -> None:
    """A gate that closes right before a request ends the upload; nobody is left alone for it."""
    world.add("a", "b")
    unsent = PushVerdict(
        state=UploadState.QUEUED, reason="no token", next=Next.WITHHELD, closed=closed
    )
    world.receiver.unsent = unsent

    report = world.upload()

    assert (report.stopped_because, report.requests, report.selected) == (stop, 0, 0)
    assert [
        each.standing.attempts for each in world.stores.bodies.page(world.target.target_id)
    ] == [
        0,
        0,
    ]
    assert world.stores.targets.get(world.target.target_id).longer_back_off == BackOff()
    world.receiver.unsent = None
    assert world.upload().is_clean


def test_a_revoke_meanwhile_leaves_what_waits(world: World) -> None:
    """The upload ends, names the stream, and counts what is still to go."""
    world.add("a", "b", "c")

    def revoke(_: BodyUpload) -> None:
        world.stores.grants.revoke(
            world.target.target_id, _STREAM, actor="me", reason="", at=world.clock()
        )

    world.receiver.before = revoke

    report = world.upload()

    assert (report.stopped_because, report.stopped_in) == ("no_grant", _STREAM)
    assert (report.requests, report.remaining) == (1, 2)


def test_pending_is_asked_for_again(world: World) -> None:
    """After five minutes, without a fault; until then nothing is left to do."""
    world.add("a")
    world.answer(202)

    report = world.upload()

    assert (report.is_clean, report.remaining, report.pending) == (True, 1, 1)
    world.clock.advance(299)
    assert world.upload().is_clean
    assert world.upload().requests == 0
    world.clock.advance(2)
    assert world.upload().states == {UploadState.UPLOADED: 1}


def test_events_go_first(world: World) -> None:
    """While events of the stream are owed its bodies wait; those of another go."""
    world.grant("other")
    world.add("a")
    world.add("b", stream="other")
    world.stores.journal.append(_STREAM, [make_event()], at=world.clock())

    report = world.upload(_STREAM, "other")

    assert (report.stopped_because, report.remaining) == ("events_first", 1)
    assert "wait for its event" in report.message
    assert world.sent() == ["b"]
    found = preview(world.stores, world.target.target_id, [_STREAM, "other"], (), at=world.clock())
    assert (found.selected, found.waiting) == (0, 1)
    assert [refusal.stop for refusal in found.refusals] == ["events_first"]


@pytest.mark.parametrize(
    ("outcome", "goes"),
    [
        (Outcome.SUCCESS, True),
        (Outcome.REJECTED, True),
        (Outcome.PENDING, True),
        (Outcome.TRANSIENT, False),
        (Outcome.UNKNOWN_EFFECT, False),
    ],
)
def test_events_that_the_server_has_seen_do_not_hold_bodies_up(
    world: World, outcome: Outcome, *, goes: bool
) -> None:
    """A rejected event may stay so for ever."""
    world.add("a")
    world.stores.journal.append(_STREAM, [make_event()], at=world.clock())
    world.offer(outcome)
    world.clock.advance(2)

    assert (world.upload().requests == 1) is goes


@pytest.mark.parametrize("outcome", [Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT])
def test_no_event_makes_bodies_wait_for_ever(world: World, outcome: Outcome) -> None:
    """Not when it was offered often enough."""
    world.stores.journal.append(_STREAM, [make_event()], at=world.clock())
    for offers in range(1, MOST_OFFERS + 1):
        world.add(f"body {offers}")
        assert world.upload().stopped_because == "events_first"
        world.offer(outcome)
        world.clock.advance(2)
        report = world.upload()
        assert (report.stopped_because == "events_first") is (offers < MOST_OFFERS)

    assert report.states == {UploadState.UPLOADED: MOST_OFFERS}


@pytest.mark.parametrize("outcome", [Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT])
def test_an_event_that_was_just_offered_makes_no_body_wait(world: World, outcome: Outcome) -> None:
    """The run that offered it goes on with the bodies, however long it took."""
    world.stores.journal.append(_STREAM, [make_event()], at=world.clock())
    world.add("a")
    began = world.clock()
    world.offer(outcome)
    world.clock.advance(60)

    assert world.upload().stopped_because == "events_first"
    assert world.upload(since=began).is_clean


def test_a_held_event_makes_no_body_wait(world: World) -> None:
    """The reason names the event, and the command that holds it."""
    world.add("a")
    world.stores.journal.append(_STREAM, [make_event("e1")], at=world.clock())
    report = world.upload()
    assert "journal hold e1" in report.message

    world.stores.holds.hold(_STREAM, [1], reason="", actor="me", at=world.clock())

    assert world.upload().is_clean


def test_without_a_grant_nothing_leaves(world: World) -> None:
    """Not with a revoked one either; without bodies there is nothing to say."""
    world.add("a", stream="other")
    world.add("b")
    world.stores.grants.revoke(
        world.target.target_id, _STREAM, actor="me", reason="", at=world.clock()
    )

    for stream in ("other", _STREAM):
        report = world.upload(stream)
        assert (report.stopped_because, report.requests) == ("no_grant", 0)
    assert world.upload("empty").is_clean
    assert world.sent() == []


def test_a_closed_gate_stops_before_any_request(world: World) -> None:
    """And changes no body; without bodies due nobody asks."""
    world.receiver.closed = (Gate.MISSING_AUTH,)
    assert world.upload().is_clean
    world.add("a")

    report = world.upload()

    assert (report.stopped_because, report.requests) == ("gate:missing_auth", 0)
    assert report.message
    (listed,) = world.stores.bodies.page(world.target.target_id)
    assert listed.standing.attempts == 0


def test_a_paused_target_gets_nothing(world: World) -> None:
    """Until it goes on."""
    world.add("a")
    world.stores.targets.pause(world.target.target_id, "rest")
    assert world.upload().stopped_because == "paused"

    world.stores.targets.pause(world.target.target_id, "")

    assert world.upload().is_clean


def test_a_revocation_stops_a_running_upload(world: World) -> None:
    """What has left has left; nothing else does."""
    world.add("a", "b")
    world.receiver.before = lambda _: world.stores.grants.revoke(
        world.target.target_id, _STREAM, actor="me", reason="", at=world.clock()
    )

    report = world.upload()

    assert (report.stopped_because, world.sent()) == ("no_grant", ["a"])
    assert world.states() == ["uploaded", "queued"]


def test_two_uploads_do_not_send_at_once(world: World) -> None:
    """The second ends with `busy`, and changes nothing."""
    world.add("a")
    other = Holder(pid=2, started_at=2, boot="boot")
    held = world.stores.leases.acquire(world.target.target_id, LEASE_NAME, other, at=world.clock())
    assert isinstance(held, Lease)

    report = world.upload()

    assert (report.stopped_because, world.sent()) == ("busy", [])
    assert "process 2" in report.message
    world.stores.leases.release(held)
    assert world.upload().is_clean


def test_a_stale_sender_keeps_good_news_only(world: World) -> None:
    """Whoever lost the lease meanwhile notes that a body is there, and nothing else."""
    other = Holder(pid=2, started_at=2, boot="boot")

    def take_over(_: BodyUpload) -> None:
        world.clock.advance(20)
        taken = world.stores.leases.acquire(
            world.target.target_id, LEASE_NAME, other, at=world.clock()
        )
        assert isinstance(taken, Lease)
        world.stores.leases.release(taken)

    world.receiver.before = take_over
    for status, state in ((400, "queued"), (500, "queued"), (200, "uploaded")):
        world.stores = MemoryStores()
        world.stores.targets.register(world.target, at=world.clock())
        world.grant()
        world.add("a", "b")
        world.answer(status)

        report = world.upload()

        assert (report.stopped_because, world.sent()) == ("busy", ["a"])
        assert world.states() == [state, "queued"]
        assert world.stores.bodies.failures() == []


def test_a_stale_sender_overwrites_nothing(world: World) -> None:
    """What another sender noted meanwhile stays, beside the good news."""
    other = Holder(pid=2, started_at=2, boot="boot")

    def take_over(_: BodyUpload) -> None:
        world.receiver.before = None
        world.clock.advance(20)
        world.answer(500)
        assert world.upload(holder=other).requests == 1
        world.answer(201)

    world.add("a")
    world.receiver.before = take_over

    assert world.upload().stopped_because == "busy"

    (listed,) = world.stores.bodies.page(world.target.target_id)
    assert (listed.standing.state, listed.standing.attempts) == (UploadState.UPLOADED, 2)


def test_an_interruption_loses_nothing(world: World) -> None:
    """The body stays queued, the lease is given back."""
    world.add("a", "b")

    def interrupt(upload: BodyUpload) -> None:
        if upload.key == make_body("b").key:
            raise KeyboardInterrupt

    world.receiver.before = interrupt

    report = world.upload()

    assert (report.stopped_because, world.states()) == ("interrupted", ["uploaded", "queued"])
    assert report.states == {UploadState.UPLOADED: 1, UploadState.QUEUED: 1}
    world.receiver.before = None
    assert world.upload().states == {UploadState.UPLOADED: 1}


def test_an_upload_ends_with_its_budget(world: World) -> None:
    """So many bodies, or so long."""
    world.add("a", "b", "c")

    assert world.upload(bodies=2).stopped_because == "budget"
    assert world.sent() == ["a", "b"]
    report = world.upload(seconds=0.0)

    assert (report.stopped_because, report.remaining, world.sent()) == ("budget", 1, [])
    assert world.upload(bodies=1).is_clean


def test_a_body_of_an_older_queue_goes_on_where_it_was(world: World) -> None:
    """Its wait is kept; a fault doubles on from its retries; `retry` ends the wait."""
    at = world.clock.now
    world.add("a", retry_count=3, next_attempt_at=at + 10 * MINUTE, last_error="timeout: x")
    assert world.upload().requests == 0
    found = preview(world.stores, world.target.target_id, [_STREAM], (), at=world.clock())
    assert (found.selected, found.waiting) == (0, 1)

    done = world.reopen()

    assert done.changed == {UploadState.QUEUED: 1}
    assert world.upload().is_clean


def test_the_preview_is_what_an_upload_selects(world: World) -> None:
    """Counts of what would be sent and what would fail, without a change."""
    world.add("a", "b")
    world.add("wrong", content_hash="x")
    world.add("later", next_attempt_at=world.clock.now + MINUTE)

    found = preview(world.stores, world.target.target_id, [_STREAM], (), at=world.clock())
    report = world.upload()

    assert (found.sendable, found.unsendable, found.waiting) == (2, 1, 1)
    assert found.content_bytes == sum(len(make_body(name).content) for name in "ab")
    assert (found.selected, found.sendable) == (report.selected, report.requests)


def test_numbers_of_no_body_are_named(world: World) -> None:
    """The others are opened all the same."""
    world.add("a", next_attempt_at=world.clock.now + MINUTE)
    done = world.reopen(numbers=frozenset({1, 7}))

    assert (done.changed, done.unmatched) == ({UploadState.QUEUED: 1}, (7,))


def test_what_was_uploaded_goes_again(world: World) -> None:
    """After a replay, once each; what was done and how it stood stays on record."""
    world.add("a", "b")
    world.add("late")
    world.answer(201, 201, 400)
    world.upload()
    world.sent()
    replay = Act.DELIVERED_BEFORE

    planned = world.reopen(replay, dry_run=True)
    done = world.reopen(replay)

    assert planned == done
    assert done.changed == {UploadState.UPLOADED: 2}
    assert world.reopen(replay).changed == {}
    assert world.upload().requests == 2
    assert world.sent() == ["a", "b"]
    (before,) = world.stores.bodies.reopenings(world.target.target_id, 1)
    assert (before.act, before.actor, before.state) == (replay, "me", UploadState.UPLOADED)


def test_what_a_grant_leaves_out_is_not_opened(world: World) -> None:
    """It is counted, and stays as it was."""
    world.add("a")
    world.upload()
    world.stores.grants.revoke(
        world.target.target_id, _STREAM, actor="me", reason="", at=world.clock()
    )

    done = world.reopen(Act.DELIVERED_BEFORE)

    assert (done.changed, done.not_granted, world.states()) == ({}, 1, ["uploaded"])


def test_a_late_answer_settles_nothing_that_was_asked_for_again(world: World) -> None:
    """It is about the request before."""
    other = Holder(pid=2, started_at=2, boot="boot")

    def take_over(body: BodyUpload) -> None:
        place = (world.target.target_id, LEASE_NAME)
        world.clock.advance(20)
        taken = world.stores.leases.acquire(*place, other, at=world.clock())
        assert isinstance(taken, Lease)
        (listed,) = world.stores.bodies.page(world.target.target_id)
        there = attrs.evolve(listed.standing, state=UploadState.UPLOADED)
        world.stores.bodies.note(world.target.target_id, listed.body.number, there)
        world.stores.leases.release(taken)
        world.reopen(Act.DELIVERED_BEFORE)

    world.receiver.before = take_over
    world.add("a")

    assert world.upload().stopped_because == "busy"
    assert world.states() == ["queued"]
