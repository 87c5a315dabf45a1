from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Barrier, Thread
from typing import TypeVar

from eventsync_core.ledger import Busy, Lease
from eventsync_core.stores import Stores
from eventsync_core.testing._agreement import verified_head
from eventsync_core.testing._builders import HOLDER, make_event, make_stub_target
from eventsync_core.testing._contracts._steps import NOW, STREAM, TARGET_ID

OpenAnother = Callable[[], AbstractContextManager[Stores]]
"""Opens the same store once more, as another process would."""

_T = TypeVar("_T")
_ROUNDS = 20


def _at_once(another: OpenAnother, work: Callable[[Stores, int], _T]) -> list[_T]:
    """Run *work* in two threads at once, each on a store of its own; return what they said."""
    barrier, found = Barrier(2), list[_T]()

    def run(number: int) -> None:
        with another() as stores:
            barrier.wait()
            found.append(work(stores, number))

    threads = [Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(threads), "a writer failed"
    return found


class WritersContract:
    """
    Subclass where a store can be opened more than once, and the promises on that are checked.

    Provide the fixture `another`, a callable that opens the same store; `stores` is one more.
    """

    def test_two_writers_lose_nothing(self, stores: Stores, another: OpenAnother) -> None:
        """All that both append is stored once, without gaps, and the chain verifies."""

        def work(mine: Stores, number: int) -> None:
            for turn in range(_ROUNDS):
                event = make_event(f"e{number}-{turn}")
                mine.journal.append(STREAM, [event], at=NOW)

        _at_once(another, work)

        entries = stores.journal.entries(STREAM)
        assert len({entry.event.event_id for entry in entries}) == 2 * _ROUNDS
        assert [verified_head(STREAM, entries, lamport=0)] == stores.journal.heads()

    def test_two_writers_of_the_same_events_store_them_once(
        self, stores: Stores, another: OpenAnother
    ) -> None:
        """Of each event one is stored and one a duplicate."""

        def work(mine: Stores, _: int) -> list[str]:
            return [
                mine.journal.append(STREAM, [make_event(f"e{turn}")], at=NOW)[0].state
                for turn in range(_ROUNDS)
            ]

        first, second = _at_once(another, work)

        assert [sorted(pair) for pair in zip(first, second, strict=True)] == [
            ["duplicate", "stored"]
        ] * _ROUNDS
        assert len(stores.journal.entries(STREAM)) == _ROUNDS

    def test_no_two_callers_get_the_same_clock(self, another: OpenAnother) -> None:
        """All clocks handed out are different."""

        def work(mine: Stores, _: int) -> list[int]:
            return [mine.journal.next_lamport(STREAM) for _ in range(_ROUNDS)]

        first, second = _at_once(another, work)

        assert list(range(1, 2 * _ROUNDS + 1)) == sorted(first + second)

    def test_only_one_of_two_gets_the_lease(self, stores: Stores, another: OpenAnother) -> None:
        """The other is told who has it."""
        stores.targets.register(make_stub_target(), at=NOW)

        def work(mine: Stores, _: int) -> Lease | Busy:
            return mine.leases.acquire(TARGET_ID, STREAM, HOLDER, at=NOW)

        said = _at_once(another, work)

        assert sorted(type(answer).__name__ for answer in said) == ["Busy", "Lease"]

    def test_another_store_is_written_while_a_lease_is_kept(
        self, stores: Stores, another: OpenAnother
    ) -> None:
        """Whoever keeps a lease during a request holds no lock."""
        stores.targets.register(make_stub_target(), at=NOW)
        lease = stores.leases.acquire(TARGET_ID, STREAM, HOLDER, at=NOW)
        assert isinstance(lease, Lease)

        with stores.leases.kept(lease), another() as second:
            second.journal.append(STREAM, [make_event()], at=NOW)
            other = second.leases.acquire(TARGET_ID, "other", HOLDER, at=NOW)

        assert isinstance(other, Lease)
        assert len(stores.journal.entries(STREAM)) == 1

    def test_what_one_wrote_another_reads(self, stores: Stores, another: OpenAnother) -> None:
        """As soon as the call returns."""
        stores.journal.append(STREAM, [make_event()], at=NOW)

        with another() as second:
            assert stores.journal.entries(STREAM) == second.journal.entries(STREAM)
