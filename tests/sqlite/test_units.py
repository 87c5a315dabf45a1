"""Units of work: who joins whom, what a failure undoes, and what a fork may not use."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import capture
from eventsync_core.errors import NothingOpenError, StoreBusyError
from eventsync_core.testing import make_envelope
from tests.sqlite.conftest import World


class UndoneError(Exception):
    """Ends a unit of work."""


def undo(unit: Callable[[], None]) -> None:
    """Run *unit*, which must end by being undone."""
    with pytest.raises(UndoneError):
        unit()


def test_a_second_store_sees_what_the_first_has_not_committed(
    open_world: Callable[[], World],
) -> None:
    """In the same thread it joins the open unit instead of waiting for it."""
    outer, inner = open_world(), open_world()

    with outer.stores.atomic():
        capture(outer.stores, make_envelope("a"), at=1)
        assert inner.stores.journal.find("a") is not None
        assert not inner.stores.is_durable
        receipt = capture(inner.stores, make_envelope("b"), at=1)
        assert (receipt.position, receipt.durable) == (2, False)

    assert inner.stores.is_durable
    assert [head.position for head in inner.stores.journal.heads()] == [2]


def test_undoing_the_outer_unit_undoes_both(open_world: Callable[[], World]) -> None:
    """And a stream that was new is new again, for either store."""
    outer, inner = open_world(), open_world()

    def unit() -> None:
        with outer.stores.atomic():
            capture(outer.stores, make_envelope("a"), at=1, project="new")
            capture(inner.stores, make_envelope("b"), at=1, project="newer")
            raise UndoneError

    undo(unit)
    for world in (outer, inner):
        assert world.stores.journal.heads() == []
        assert world.stores.journal.entries("newer") == []
    for world in (inner, outer):
        for project in ("newer", "new"):
            event_id = f"{project}{id(world)}"
            capture(world.stores, make_envelope(event_id), at=1, project=project)
    for project in ("new", "newer"):
        positions = [entry.position for entry in outer.stores.journal.entries(project)]
        assert positions == [1, 2]


def test_undoing_the_inner_unit_keeps_the_outer(open_world: Callable[[], World]) -> None:
    """Only what the inner one did is gone; names it had made are not remembered."""
    outer, inner = open_world(), open_world()

    def unit() -> None:
        with inner.stores.atomic():
            capture(inner.stores, make_envelope("b"), at=1, project="undone")
            raise UndoneError

    with outer.stores.atomic():
        capture(outer.stores, make_envelope("a"), at=1)
        undo(unit)
        capture(outer.stores, make_envelope("c"), at=1, project="kept")

    heads = [(head.stream, head.position) for head in outer.stores.journal.heads()]
    assert heads == [("default", 1), ("kept", 1)]
    assert capture(inner.stores, make_envelope("b"), at=1, project="undone").position == 1


def test_another_thread_does_not_join(world: World) -> None:
    """It waits for its turn like another process would."""
    found: list[object] = []

    def work() -> None:
        with open_stores(world.path, busy_seconds=0) as stores:
            found.append(stores.journal.find("a"))
            try:
                capture(stores, make_envelope("b"), at=1)
            except StoreBusyError as error:
                found.append(error.code)

    with world.stores.atomic():
        capture(world.stores, make_envelope("a"), at=1)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    assert found == [None, "store_busy"]
    assert capture(world.stores, make_envelope("b"), at=1).position == 2


def test_a_store_belongs_to_the_thread_that_opened_it(world: World) -> None:
    """Another thread gets our own error."""
    found: list[BaseException] = []

    def work() -> None:
        try:
            world.stores.journal.heads()
        except NothingOpenError as error:
            found.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert len(found) == 1


@contextmanager
def forked(act: Callable[[], str]) -> Iterator[str]:
    """Run *act* in a forked child and yield what it returned, or the name of its error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        word = "nothing"
        try:
            word = act()
        except BaseException as error:  # noqa: BLE001 - the child must not run pytest's rest
            word = type(error).__name__
        finally:
            os.write(writing, word.encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        yield answer.read()
    os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_store_is_of_no_use_after_a_fork(world: World) -> None:
    """SQLite's connections do not survive it; the parent's stays sound."""

    def act() -> str:
        return str(capture(world.stores, make_envelope("b"), at=1).position)

    with forked(act) as answer:
        assert answer == "NothingOpenError"
    assert capture(world.stores, make_envelope("a"), at=1).position == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_inside_a_unit_does_not_join_it(world: World) -> None:
    """A store opened anew in the child stands alone: it finds the file taken."""

    def act() -> str:
        with open_stores(world.path, busy_seconds=0) as stores:
            return str(capture(stores, make_envelope("b"), at=1).position)

    with world.stores.atomic():
        capture(world.stores, make_envelope("a"), at=1)
        with forked(act) as answer:
            assert answer == "StoreBusyError"

    assert [entry.event.event_id for entry in world.stores.journal.entries("default")] == ["a"]


def test_closing_twice_is_fine(world: World) -> None:
    """And what is used afterwards says what is wrong."""
    world.stores.close()
    world.stores.close()

    with pytest.raises(NothingOpenError):
        world.stores.journal.heads()


def test_a_commit_that_fails_is_undone(open_world: Callable[[], World]) -> None:
    """A reader in the middle of its statement keeps a rollback journal from committing."""
    world = open_world()
    world.grant()
    world.capture(3)
    with closing(sqlite3.connect(world.path, timeout=0)) as reader:
        rows = reader.execute("SELECT event_id FROM entries")
        rows.fetchone()
        with pytest.raises(StoreBusyError):
            capture(world.stores, make_envelope("late"), at=1, project="new")
        rows.close()

    assert world.stores.journal.find("late") is None
    assert [head.stream for head in world.stores.journal.heads()] == ["default"]
    assert capture(world.stores, make_envelope("late"), at=1, project="new").position == 1


def test_a_lock_held_elsewhere_is_busy(world: World) -> None:
    """Nothing waits longer than it was told to, and nothing stays half done."""
    with closing(sqlite3.connect(world.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError) as caught:
            capture(world.stores, make_envelope("a"), at=1)

    assert caught.value.code == "store_busy"
    assert world.stores.journal.heads() == []
