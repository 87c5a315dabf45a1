from collections.abc import Callable, Iterator, Sequence

import attrs

from eventsync_core.journal import Entry, Head, Journal, LeftOut, heads_of, reach
from eventsync_core.lines import line_of

_EVENTS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 1_048_576


@attrs.frozen(kw_only=True)
class Exported:
    """
    What went out: `events` of `streams`; `other_streams` hold events that were not asked for.

    `purged` counts entries whose payload was let go on record, `not_chosen` those that were not
    asked for; `damaged` names those that are not there, or whose text is missing or not the
    captured one. None of these went out.
    """

    events: int = 0
    streams: int = 0
    other_streams: int = 0
    purged: int = 0
    not_chosen: int = 0
    damaged: LeftOut = attrs.field(factory=LeftOut)


def wanted_heads(journal: Journal, stream: str | None) -> tuple[list[Head], int]:
    """Return the heads of *stream*, or with None of all that hold events; and how many others."""
    wanted = heads_of(journal, stream)
    return wanted, len(heads_of(journal, None)) - len(wanted)


def export(
    journal: Journal,
    write: Callable[[str], object],
    *,
    stream: str | None = None,
    progress: Callable[[int], None] | None = None,
    choose: Callable[[Sequence[Entry]], Sequence[Entry]] = lambda page: page,
    tell: Callable[[Entry], str] = lambda _: "",
) -> Exported:
    """
    Hand the events of *stream*, or with None of all streams, to *write* and say how many.

    Streams come in order of their names, events in order of their positions, held ones too.
    Each call of *write* gets whole lines, see `line_of`. What is captured meanwhile is left out.
    While *write* runs no statement is open; in memory are a mebibyte of text and one event at
    most. *progress* is called with the number of events that went out. *choose* returns those
    of a page of entries that go out; *tell* returns what follows the line of one, whole lines.

    Raises:
        StoreError: The journal cannot be read.
    """
    wanted, others = wanted_heads(journal, stream)
    events = streams = purged = not_chosen = 0
    damaged = LeftOut()
    for head in wanted:
        before = events
        for page in _pages(journal, head, damaged):
            chosen = choose(page)
            not_chosen += len(page) - len(chosen)
            whole = [entry for entry in chosen if damaged.sift(entry)]
            if whole:
                write("".join(_line(entry) + tell(entry) for entry in whole))
            events += len(whole)
            purged += sum(entry.is_purged for entry in chosen)
            if progress is not None:
                progress(events)
        streams += events > before
    return Exported(
        events=events,
        streams=streams,
        other_streams=others,
        purged=purged,
        not_chosen=not_chosen,
        damaged=damaged,
    )


def _pages(journal: Journal, head: Head, damaged: LeftOut) -> Iterator[list[Entry]]:
    """
    Yield the entries up to *head* page by page; positions where none is are noted.

    A head that is not the position of the last entry leaves none out.
    """
    after, upto = 0, reach(journal, head)
    while after < upto:
        found = journal.entries(
            head.stream, after=after, limit=_EVENTS_AT_ONCE, max_bytes=_BYTES_AT_ONCE
        )
        page = [entry for entry in found if entry.position <= upto]
        for entry in page:
            damaged.skip(head.stream, after, min(entry.position, head.position + 1))
            after = entry.position
        if not page:
            break
        yield page
    damaged.skip(head.stream, after, max(after, head.position) + 1)


def _line(entry: Entry) -> str:
    return line_of(entry.event.event_id, entry.event.text)
