"""Superseding in a file: bytes, races, and what it costs."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import CaptureRules, Receipt, capture, capture_many
from eventsync_core.census import Class
from eventsync_core.codec import without_local_keys
from eventsync_core.events import KeyRules
from eventsync_core.integrity import verify
from eventsync_core.receivers import Batch, RequestRule, Script, StubReceiver, Verdict
from eventsync_core.testing import (
    CrashingStores,
    envelopes,
    make_envelope,
    run_until_crash,
    scripts,
)
from tests.effort import examples
from tests.sqlite.conftest import World

KEYS: KeyRules = {"T": (("about",),)}
RANDOM_KEYS: KeyRules = {"Started": (("aggregate_id",),), "Stopped": ()}
RULES = CaptureRules(keys=KEYS)
RANDOM_RULES = CaptureRules(keys=RANDOM_KEYS)


def keyed(world: World, event_id: str, about: str = "x") -> Receipt:
    """Capture one event about something."""
    text = make_envelope(event_id, event_type="T", about=about)
    return capture(world.stores, text, at=world.clock(), rules=RULES)


def classes(world: World) -> dict[Class, int]:
    """Return the classes that hold anything."""
    tally = world.stores.backlog.tally(world.target.target_id, "default", at=world.clock())
    assert tally.is_coherent
    return {each: count for each, count in tally.classes().items() if count}


def stored_digests(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield id, the digest on record and the digest of the bytes of every entry."""
    with closing(sqlite3.connect(path)) as connection:
        query = """
        SELECT event_id, digest, CAST(text AS BLOB) FROM entries JOIN payloads USING (entry_id)
        """
        for event_id, digest, text in connection.execute(query):
            yield event_id, digest, sha256(text).hexdigest()


_TEXTS = st.lists(envelopes(), min_size=1, max_size=5)
_STEPS = st.lists(st.one_of(_TEXTS, scripts()), min_size=1, max_size=10)


@pytest.mark.requirement("C5")
@settings(max_examples=examples(60), deadline=None)
@given(_STEPS)
def test_no_stored_or_delivered_byte_ever_changes(steps: list[list[str] | Script]) -> None:
    """After any mix of keyed captures and drains, digests hold and receivers got what came in."""
    captured: dict[str, str] = {}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "eventsync.db"
        with open_stores(path, durability="normal") as stores:
            world = World(path, stores)
            world.grant()
            for step in steps:
                if isinstance(step, Script):
                    world.receiver.script = step
                    world.drain()
                    world.clock.advance(400)
                    continue
                results = capture_many(stores, step, at=world.clock(), rules=RANDOM_RULES)
                for text, result in zip(step, results, strict=True):
                    if isinstance(result, Receipt) and result.state != "duplicate":
                        captured[result.event_id] = text
            assert sum(classes(world).values()) == sum(
                head.position for head in stores.journal.heads() if head.stream == "default"
            )
            assert verify(stores.journal, "default").is_intact
        found = {event_id: (digest, again) for event_id, digest, again in stored_digests(path)}
    assert {name: (sha256(text.encode()).hexdigest(),) * 2 for name, text in captured.items()} == (
        found
    )
    for name, text in world.receiver.received.items():
        assert text == without_local_keys(captured[name])


class Meanwhile(StubReceiver):
    """Lets something happen while the first request is on its way."""

    happens: Callable[[], object]

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        if not self.requests:
            self.happens()
        return super().deliver(batch)


@pytest.mark.requirement("C7")
def test_a_capture_during_the_request_leaves_it_alone(
    world: World, open_world: Callable[[], World]
) -> None:
    """Another process finds the event in flight; both arrive."""
    keyed(world, "e1")
    other = open_world()
    receipts: list[Receipt] = []
    receiver = Meanwhile(world.target.target_id)
    receiver.happens = lambda: receipts.append(keyed(other, "e2"))
    world.receiver = receiver

    world.drain()

    assert [receipt.superseded for receipt in receipts] == [0]
    assert list(receiver.received) == ["e1", "e2"]


@pytest.mark.requirement("C7")
def test_a_capture_before_the_request_is_heeded(
    world: World, open_world: Callable[[], World]
) -> None:
    """Between two drains another process supersedes what was left."""
    world.receiver.script = Script(requests=[RequestRule(status=401)])
    keyed(world, "e1")
    world.drain()

    assert keyed(open_world(), "e2").superseded == 1
    world.clock.advance(90_000)
    world.drain()

    assert list(world.receiver.received) == ["e2"]
    assert classes(world) == {Class.DELIVERED: 1, Class.SUPERSEDED: 1}


def test_a_page_read_ahead_is_looked_at_in_the_unit_of_its_request(
    world: World, open_world: Callable[[], World]
) -> None:
    """What another process superseded since is found; from then on nobody can."""
    place = (world.target.target_id, "default")
    keyed(world, "e1")
    keyed(world, "other", "y")
    ahead, _ = world.stores.backlog.tail(*place, max_events=9, max_bytes=9_999)
    other = open_world()
    keyed(other, "e2")

    with world.stores.atomic():
        positions = [candidate.position for candidate in ahead]
        assert world.stores.backlog.deliverable(*place, positions) == {2}
    assert positions == [1, 2]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_event_and_its_links_are_one_transaction(
    world: World, open_world: Callable[[], World], when: str
) -> None:
    """Whoever opens the file after a crash finds both or neither."""
    keyed(world, "e1")
    text = make_envelope("e2", event_type="T", about="x")
    crashing = CrashingStores(world.stores, 1, when)  # type: ignore[arg-type]

    assert run_until_crash(lambda: capture(crashing, text, at=1, rules=RULES))

    found = open_world().stores.superseding.superseded("default", [1])
    assert set(found) == ({1} if when == "after" else set())


def test_an_idle_drain_stays_idle(world: World) -> None:
    """What is superseded is not looked at again: no request, no write, no due row."""
    world.receiver.script = Script(requests=[RequestRule(status=401)])
    for number in range(20):
        keyed(world, f"e{number}", str(number))
    world.drain()
    world.clock.advance(90_000)
    for number in range(20):
        keyed(world, f"f{number}", str(number))
    world.drain()
    before = world.path.read_bytes()

    report = world.drain()

    assert (report.requests, report.remaining_owed, world.path.read_bytes()) == (0, 0, before)
    assert classes(world) == {Class.DELIVERED: 20, Class.SUPERSEDED: 20}
    assert world.stores._database.rows("SELECT * FROM due") == []


@pytest.mark.parametrize("reach", [None, 0, 1, 3, 9])
def test_counting_is_exact_whatever_else_is_true(world: World, reach: int | None) -> None:
    """Held or not, with a row or without, granted or not: each is counted once."""
    place = (world.target.target_id, "default")
    world.receiver.script = Script(requests=[RequestRule(status=401)])
    for name in ("a", "b", "c"):
        keyed(world, name, name)
    world.drain()
    keyed(world, "d", "d")
    keyed(world, "e", "e")
    for name in ("a", "b", "d", "e"):
        keyed(world, f"{name}-next", name)
    world.stores.holds.hold("default", [1, 3, 4, 7], reason="", actor="me", at=world.clock())
    world.stores.grants.revoke(*place, actor="me", reason="test", at=world.clock())
    if reach is not None:
        world.stores.grants.grant(
            *place, from_position=reach, actor="me", reason="", at=world.clock()
        )

    found = classes(world)

    assert sum(found.values()) == 9
    # 1, 2, 4 and 5 are superseded, 3 and 7 held, and 6, 8 and 9 neither.
    assert (found[Class.SUPERSEDED], found[Class.HELD]) == (4, 2)
    below = sum(position <= (9 if reach is None else reach) for position in (6, 8, 9))
    assert (found.get(Class.NOT_GRANTED, 0), found.get(Class.OWED, 0)) == (below, 3 - below)


def steps_of_counting(world: World) -> int:
    """Return how many steps of SQLite's machine a tally takes."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection = world.stores._database.connection
    connection.set_progress_handler(count, 1)
    assert classes(world)[Class.SUPERSEDED]
    connection.set_progress_handler(None, 1)
    return steps


def test_counting_costs_the_same_however_many_are_superseded(world: World) -> None:
    """Counted in steps: a hundred of them, and five thousand."""

    def fill(first: int, count: int) -> None:
        texts = [
            make_envelope(f"e{number}", event_type="T", about="x")
            for number in range(first, first + count)
        ]
        capture_many(world.stores, texts, at=world.clock(), rules=RULES)

    fill(0, 100)
    few = steps_of_counting(world)
    fill(1_000, 5_000)

    assert steps_of_counting(world) == few


def steps_of_capturing(world: World, event_id: str) -> int:
    """Return how many steps of SQLite's machine the capture of one keyed event takes."""
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    connection = world.stores._database.connection
    connection.set_progress_handler(count, 1)
    keyed(world, event_id)
    connection.set_progress_handler(None, 1)
    return steps


@pytest.mark.parametrize("at_once", [1, 20])
def test_a_busy_key_costs_no_more(world: World, at_once: int) -> None:
    """Counted in steps: with few events of the key behind it, and with thousands."""

    def fill(count: int, first: int) -> None:
        """Capture and deliver; what comes in one call supersedes itself but for the last."""
        for start in range(first, first + count, at_once):
            numbers = range(start, start + at_once)
            texts = [make_envelope(f"e{n}", event_type="T", about="x") for n in numbers]
            capture_many(world.stores, texts, at=world.clock(), rules=RULES)
            world.drain()

    fill(20 * at_once, 0)
    few = steps_of_capturing(world, "b")
    fill(60 * at_once, 10_000)

    assert steps_of_capturing(world, "c") <= 1.2 * few


def test_a_link_never_changes(world: World) -> None:
    """Not even for a plain connection."""
    keyed(world, "e1")
    keyed(world, "e2")
    with closing(sqlite3.connect(world.path)) as connection:
        for statement in (
            "DELETE FROM superseded",
            "UPDATE superseded SET superseded_by = 9",
            "UPDATE superseded SET position = 9",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                connection.execute(statement)


def test_the_key_itself_is_not_stored(world: World) -> None:
    """Only a digest of it is."""
    keyed(world, "e1", "something private")

    ((digest,),) = world.stores._database.rows("SELECT key FROM keyed")
    assert digest == sha256(b'["T","something private"]').hexdigest()


def test_without_keys_nothing_is_noted(world: World) -> None:
    """An event that was captured plainly can never be superseded."""
    capture(world.stores, make_envelope("e1", event_type="T", about="x"), at=1)

    assert keyed(world, "e2").superseded == 0
    assert world.stores._database.rows("SELECT position FROM keyed") == [(2,)]
