from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Literal

import attrs

from eventsync_core.errors import EventSyncError, NotJsonError, PayloadConflictError
from eventsync_core.events import Event, Families, Hold, as_family_says, read_event
from eventsync_core.ids import stream_key
from eventsync_core.journal import Appended, lacks_text
from eventsync_core.lines import (
    HISTORY_KEY,
    MANIFEST_KEY,
    Carried,
    History,
    Manifest,
    Noted,
    Seal,
    Sealed,
    read_history,
    read_line,
    read_manifest,
)
from eventsync_core.payloads import Deed
from eventsync_core.portability._histories import take_history
from eventsync_core.stores import Stores

State = Literal["stored", "held", "brought_back", "duplicate", "conflict", "refused", "told"]


@attrs.frozen(kw_only=True)
class TakingRules:
    """
    How lines are taken in: *project* is that of events that name none, *deed* what goes on
    record of the texts that come back, *families* say which new events stay here.
    """

    deed: Deed
    project: str | None = None
    families: Families = attrs.field(factory=Families)


@attrs.frozen(kw_only=True)
class Taken:
    """
    What became of a line; `error` says why it was refused or is a conflict.

    `is_quarantined`: the event was brought back, and is offered to nobody until it is released.
    """

    line: int
    state: State
    event_id: str = ""
    stream: str = ""
    error: EventSyncError | None = None
    is_quarantined: bool = False


@attrs.frozen
class _Item:
    line: int
    stream: str
    event: Event


class Taking:
    """
    Takes lines of exports and archives in, and as a preview says what would become of them.

    *stores* is None where there is no store yet; then it is a preview. What an archive says of
    its own lines is checked against them.
    """

    def __init__(self, stores: Stores | None, rules: TakingRules, *, is_preview: bool) -> None:
        self._stores = None if is_preview else stores
        self._read_only = stores
        self._rules = rules
        self._seen: dict[str, bytes] = {}
        self._manifest: Manifest | None = None
        self._left: Iterator[str] = iter(())
        self._seal = Seal()
        self._is_archive = False
        self._last_id = ""
        self._refused: set[str] = set()
        self._new: set[str] = set()
        self.is_broken_off = False

    def take(self, lines: Sequence[tuple[int, str]], *, at: int) -> list[Taken]:
        """
        Take *lines*, each with its number, in one unit of work; say what became of each.

        A known event whose payload is gone or damaged gets it back when the digest of the line
        is that of the captured text; another that is canonically equal is a duplicate, anything
        else a conflict. An unknown one is
        captured: into the stream that an archive names, else as `capture` does.

        Raises:
            StoreError: Nothing of *lines* was stored.
        """
        items: list[_Item] = []
        taken: list[Taken] = []
        histories: list[History] = []
        # The line that tells of the last event may come in the next call.
        before = self._new & {self._last_id}
        for number, line in lines:
            try:
                read = self._read(line)
            except EventSyncError as error:
                taken.append(Taken(line=number, state="refused", error=error))
                self._last_id = ""
                continue
            if isinstance(read, Event):
                items.append(_Item(number, self._stream(read), read))
                self._last_id = read.event_id
                continue
            taken.append(Taken(line=number, state="told"))
            if read is not None and read.event_id == self._last_id:
                histories.append(read)
        if self._stores is None:
            taken += [self._judge(item) for item in items]
        else:
            with self._stores.atomic():
                taken += self._store(self._stores, items, at)
                self._refused |= {each.event_id for each in taken if each.state == "conflict"}
                self._new = before | {each.event_id for each in taken if each.state == "stored"}
                for history in histories:
                    if history.event_id not in self._refused:
                        is_new = history.event_id in self._new
                        take_history(self._stores, history, is_new=is_new, at=at)
        return sorted(taken, key=lambda each: each.line)

    def _read(self, line: str) -> Event | History | None:
        found = read_line(line)
        if isinstance(found, Carried):
            self._seal.add(line, is_event=True)
            event = as_family_says(read_event(found.text), self._rules.families)
            self._check(event, found.text)
            return event
        self._note(line, found)
        return read_history(found.content) if found.key == HISTORY_KEY else None

    def _note(self, line: str, found: Noted) -> None:
        if found.key != MANIFEST_KEY:
            self._seal.add(line, is_event=False)
            return
        # Of what stands behind a manifest that cannot be read nobody knows the stream.
        self._is_archive, self._manifest = True, None
        manifest = read_manifest(found.content)
        if isinstance(manifest, Sealed):
            seal, self._seal = self._seal, Seal()
            self.is_broken_off = False
            if manifest != seal.sealed:
                raise NotJsonError("the archive is not the one that its last line seals")
            return
        if not self.is_broken_off:
            # Another archive, or other lines, may stand before this one.
            self._seal, self.is_broken_off = Seal(), True
        self._manifest, self._left = manifest, iter(manifest.digests)
        self._seal.add(line, is_event=False)

    def _check(self, event: Event, text: str) -> None:
        if self._manifest is None:
            if self._is_archive:
                raise NotJsonError("no manifest of the archive names the event")
            return
        if next(self._left, "") != sha256(text.encode()).hexdigest():
            raise NotJsonError("the event is not the one that the archive's manifest names")
        if self._stream(event) != stream_key(event.project, self._manifest.stream):
            raise NotJsonError("the archive names another stream than the event's project")
        if not self._manifest.stream.isprintable():
            raise NotJsonError("the archive's name of the stream cannot be used")

    def _stream(self, event: Event) -> str:
        if self._manifest is not None:
            return self._manifest.stream
        return stream_key(event.project, self._rules.project)

    def _judge(self, item: _Item) -> Taken:
        """Say what would become of an event."""
        event, stores = item.event, self._read_only
        entry = None if stores is None else stores.journal.find(event.event_id)
        canonical = self._seen.get(event.event_id)
        if entry is not None:
            canonical = entry.event.canonical_digest
        if canonical is None:
            self._seen[event.event_id] = event.canonical_digest
            return _taken(item, "stored" if event.hold is None else "held")
        if canonical != event.canonical_digest:
            where = (item.stream, 0) if entry is None else (entry.stream, entry.position)
            return _conflict(item, *where)
        is_new_here = event.event_id not in self._seen
        if entry is not None and lacks_text(entry, event) and is_new_here:
            self._seen[event.event_id] = canonical
            return attrs.evolve(
                _taken(item, "brought_back"),
                is_quarantined=entry.event.hold is Hold.QUARANTINED,
            )
        return _taken(item, "duplicate")

    def _store(self, stores: Stores, items: Sequence[_Item], at: int) -> list[Taken]:
        found: list[Taken] = []
        again: list[tuple[_Item, Appended]] = []
        for stream, group in groupby(items, key=lambda item: item.stream):
            run = list(group)
            appended = stores.journal.append(stream, [item.event for item in run], at=at)
            for item, became in zip(run, appended, strict=True):
                if became.state == "duplicate":
                    again.append((item, became))
                else:
                    found.append(_appended(item, became))
        back = set(stores.payloads.restore([item.event for item, _ in again], self._rules.deed))
        for item, became in again:
            if item.event.event_id not in back:
                found.append(_taken(item, "duplicate"))
                continue
            back.discard(item.event.event_id)
            where, before = became.stream, became.position - 1
            held = stores.holds.held(where, Hold.QUARANTINED, after=before, limit=1)
            is_held = held == [became.position]
            found.append(attrs.evolve(_taken(item, "brought_back"), is_quarantined=is_held))
        return found


def _appended(item: _Item, became: Appended) -> Taken:
    if became.state == "conflict":
        return _conflict(item, became.stream, became.position)
    return _taken(item, "held" if became.state == "held" else "stored")


def _taken(item: _Item, state: State) -> Taken:
    return Taken(line=item.line, state=state, event_id=item.event.event_id, stream=item.stream)


def _conflict(item: _Item, stream: str, position: int) -> Taken:
    error = PayloadConflictError(item.event.event_id, stream, position)
    return attrs.evolve(_taken(item, "conflict"), error=error)
