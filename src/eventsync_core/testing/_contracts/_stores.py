from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.testing._builders import make_event, make_stub_target
from eventsync_core.testing._contracts._steps import (
    NOW,
    STREAM,
    TARGET_ID,
    answered,
    granted,
    leased,
)


class _StopError(Exception):
    """A unit of work fails."""


class _DeathError(BaseException):
    """A unit of work ends as by Ctrl-C."""


def _ids(stores: Stores) -> list[str]:
    return [entry.event.event_id for entry in stores.journal.entries(STREAM)]


@contextmanager
def _failing(stores: Stores, error: type[BaseException] = _StopError) -> Iterator[None]:
    """Run a unit of work that fails at its end; its error must come out."""
    with pytest.raises(error), stores.atomic():  # noqa: PT012  the caller's block is what fails
        yield
        raise error


def _append(stores: Stores, event_id: str) -> None:
    stores.journal.append(STREAM, [make_event(event_id)], at=NOW)


class StoresContract:
    """Subclass, provide a `stores` fixture, and every promise of `Stores` is checked."""

    def test_a_unit_is_stored(self, stores: Stores) -> None:
        """All that was written in it is there afterwards."""
        with stores.atomic():
            _append(stores, "e1")
            _append(stores, "e2")

        assert _ids(stores) == ["e1", "e2"]

    def test_a_unit_sees_its_own_writes(self, stores: Stores) -> None:
        """What was written is read back before the unit ends."""
        with stores.atomic():
            _append(stores, "e1")

            assert _ids(stores) == ["e1"]

    @pytest.mark.parametrize("error", [_StopError, _DeathError])
    def test_a_failed_unit_leaves_nothing(self, stores: Stores, error: type[BaseException]) -> None:
        """Its error comes out, and nothing of it is stored."""
        _append(stores, "e0")

        with _failing(stores, error):
            _append(stores, "e1")

        assert _ids(stores) == ["e0"]
        assert stores.journal.find("e1") is None

    def test_a_failed_unit_leaves_nothing_in_any_port(self, stores: Stores) -> None:
        """Grants, leases, rows, requests and clocks are undone with the entries."""
        stores.targets.register(make_stub_target(), at=NOW)

        with _failing(stores):
            stores.targets.register(make_stub_target("two"), at=NOW)
            granted(stores, [make_event()])
            stores.targets.pause(TARGET_ID, "undone")
            lease = leased(stores)
            answered(stores, lease, {1: Outcome.REJECTED})
            stores.ledger.pass_over(lease, 1)
            stores.journal.next_lamport(STREAM, seen=9)

        assert stores.journal.heads() == []
        assert [(make_stub_target(), "")] == [
            (target, target.paused) for target in stores.targets.targets()
        ]
        assert stores.grants.get(TARGET_ID, STREAM) is None
        assert stores.ledger.entry(TARGET_ID, STREAM, 1) is None
        assert stores.ledger.requests(TARGET_ID, STREAM) == []
        assert stores.ledger.history(STREAM, 1) == []
        assert stores.ledger.last_delivery_at(TARGET_ID) is None
        assert leased(stores).token == 1

    def test_an_inner_unit_that_fails_undoes_only_its_own_part(self, stores: Stores) -> None:
        """What the outer one wrote before and after is stored, without a gap."""
        with stores.atomic():
            _append(stores, "e1")
            with _failing(stores):
                _append(stores, "lost")
            _append(stores, "e2")

        assert _ids(stores) == ["e1", "e2"]
        assert [entry.position for entry in stores.journal.entries(STREAM)] == [1, 2]

    def test_an_outer_unit_that_fails_undoes_the_inner_ones(self, stores: Stores) -> None:
        """An inner unit that ended well is undone with the outer one."""
        with _failing(stores), stores.atomic():
            _append(stores, "e1")

        assert _ids(stores) == []

    def test_units_nest_deeper_than_two(self, stores: Stores) -> None:
        """A failure in the middle undoes what is inside it and nothing around it."""
        with stores.atomic():
            _append(stores, "e1")
            with _failing(stores):
                _append(stores, "lost")
                with stores.atomic():
                    _append(stores, "lost too")
            with stores.atomic():
                _append(stores, "e2")

        assert _ids(stores) == ["e1", "e2"]

    def test_a_store_is_usable_after_a_failure(self, stores: Stores) -> None:
        """The next unit begins as if the failed one had never been."""
        with _failing(stores):
            _append(stores, "e1")

        with stores.atomic():
            _append(stores, "e1")

        assert _ids(stores) == ["e1"]

    def test_ports_see_one_another(self, stores: Stores) -> None:
        """What one port wrote, another reads: they are one store."""
        granted(stores, [make_event()])

        found, _ = stores.backlog.tail(TARGET_ID, STREAM, max_events=1, max_bytes=1)

        assert [candidate.event_id for candidate in found] == ["e1"]
        assert [make_stub_target()] == stores.targets.targets()

    def test_a_unit_is_known_while_it_is_open(self, stores: Stores) -> None:
        """Also the outer one, after an inner one has ended or failed."""
        assert not stores.is_in_unit
        with stores.atomic():
            with suppress(ZeroDivisionError), stores.atomic():
                raise ZeroDivisionError
            assert stores.is_in_unit
        assert not stores.is_in_unit

    def test_inside_a_unit_nothing_is_durable_yet(self, stores: Stores) -> None:
        """A write survives only from the end of the unit around it."""
        with stores.atomic():
            assert not stores.is_durable
