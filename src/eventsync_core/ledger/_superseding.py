from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Protocol

import attrs

from eventsync_core.ledger._model import LedgerEntry
from eventsync_core.receivers import Outcome

_WITHOUT_EFFECT = (None, Outcome.TRANSIENT, Outcome.TERMINAL_FAILED)


@attrs.frozen
class Link:
    """The entry at `position` is superseded: that at `by` stands in for it since `at`."""

    position: int
    by: int
    at: int


class Superseding(Protocol):
    """Which entries later events with their key stand for; `SupersedingContract` tests it."""

    def supersede(self, stream: str, keys: Mapping[int, str], *, at: int) -> Mapping[int, int]:
        """
        Let new entries supersede earlier ones of *stream* that were added here with their key.

        *keys* maps the positions just appended to keys, and adds them; it is called in the unit
        of work that appended them. What is superseded, `succeed` says. Returns, for each
        position that supersedes any, how many. Nothing stored changes, and no link ever does.
        """
        ...

    def superseded(self, stream: str, positions: Iterable[int]) -> Mapping[int, Link]:
        """Return the links of those of *positions* that are superseded."""
        ...

    def supersedes(self, stream: str, position: int) -> Sequence[Link]:
        """Return the links of the entries that the one at *position* stands for, in order."""
        ...


@attrs.frozen
class Succession:
    """
    What events with one key did to one another.

    `links` are pairs of a superseded position and the one that stands for it; `open` are the
    positions that a later event may still supersede.
    """

    links: tuple[tuple[int, int], ...]
    open: tuple[int, ...]


def _was_seen(entries: Iterable[LedgerEntry]) -> bool:
    """Say whether any target may have seen the event, by its *entries* in the ledger."""
    return any(entry.seen or entry.outcome not in _WITHOUT_EFFECT for entry in entries)


def may_be_superseded(entries: Iterable[LedgerEntry], *, in_flight: bool) -> bool:
    """
    Say whether every attempt at an event, if there was any, certainly had no effect.

    *entries* are its rows in the ledger, of every target; *in_flight*: an open request of
    any sender, alive or dead, carries it.
    """
    return not in_flight and not _was_seen(entries)


def succeed(
    newcomers: Sequence[int],
    earlier: Mapping[int, Collection[LedgerEntry]],
    in_flight: Collection[int],
) -> Succession:
    """
    Decide what *newcomers*, positions with one key in order, supersede.

    *earlier* maps the positions with that key that are still open to their rows in the ledger.
    The first newcomer supersedes those that `may_be_superseded`, and every later one the one
    before it. What was seen stays as it is for ever; what is in flight may be superseded
    later.
    """
    links: list[tuple[int, int]] = []
    kept: list[int] = []
    for position, entries in earlier.items():
        flies = position in in_flight
        if may_be_superseded(entries, in_flight=flies):
            links.append((position, newcomers[0]))
        elif flies and not _was_seen(entries):
            kept.append(position)
    return Succession((*links, *pairwise(newcomers)), (*kept, newcomers[-1]))
