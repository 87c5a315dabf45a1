"""Old files in memory, which die when they are told to."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs

from eventsync_core.legacy import Kind, RowKey, Source, SourceRow
from eventsync_core.migration import BODIES, FAILURES, Left, Reading, TableRow
from eventsync_core.stores import Stores
from eventsync_core.testing import CrashError

Row = Mapping[str, Any]


def event_text(name: str, variant: int, *, is_blocked: bool = False) -> str:
    """Return an event; a local key makes no other event of it."""
    more = {"drain_blocked_reason": "no_auth"} if is_blocked else {}
    return json.dumps({"event_id": name, "n": variant, **more})


def body_columns(path: str, content: str) -> dict[str, Any]:
    """Return the columns of a body."""
    parts = ("project_uuid", "mission_slug", "target_branch", "mission_type", "manifest_version")
    return {
        **dict.fromkeys(parts, "x"),
        "artifact_path": path,
        "content_hash": "h",
        "content_body": content,
    }


def failure_columns(reason: str, first: int, count: int) -> dict[str, Any]:
    """Return the columns of a row of a failure log."""
    return {
        **body_columns("a", ""),
        "failure_reason": reason,
        "first_failed_at": first,
        "last_failed_at": first + count,
        "failure_count": count,
    }


class Mortal:
    """Counts steps and dies `before` or `after` the last that it is allowed; for ever."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.is_after = False

    def step(self, act: Callable[[], Any]) -> Any:
        """Take a step."""
        if self.left is None:
            return act()
        if self.left <= 0:
            raise CrashError
        self.left -= 1
        if self.left == 0 and not self.is_after:
            raise CrashError
        found = act()
        if self.left == 0:
            raise CrashError
        return found

    def over(self, thing: Any) -> Any:
        """Return *thing*, each call of which is a step."""
        return _Stepping(self, thing)


class _Stepping:
    def __init__(self, mortal: Mortal, thing: Any) -> None:
        self._mortal = mortal
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if not callable(found):
            return found
        return lambda *given, **named: self._mortal.step(lambda: found(*given, **named))


class DyingStores:
    """`Stores` that die at any call of a port that migration uses, or at any commit."""

    def __init__(self, stores: Stores, mortal: Mortal) -> None:
        self._stores = stores
        self._mortal = mortal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stores, name)
        return self._mortal.over(found) if name in _PORTS else found

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """See `Stores.atomic`."""
        with self._stores.atomic():
            yield
            self._mortal.step(lambda: None)
        self._mortal.step(lambda: None)


_PORTS = ("legacy", "journal", "bodies", "holds")


@attrs.define(eq=False)
class OldFile:
    """
    An `OldSource` of all three parts.

    `late` comes into it when it is open for its clean-up, as from an old program.
    """

    path: str
    mortal: Mortal
    parts: dict[str, dict[int, Row]] = attrs.field(
        factory=lambda: {"queue": {}, BODIES: {}, FAILURES: {}}
    )
    late: list[Callable[[], None]] = attrs.field(factory=list)

    @property
    def source(self) -> Source:
        """See `OldSource.source`."""
        return Source(path=self.path, kind=Kind.QUEUE)

    def fingerprint(self) -> str:
        """See `OldSource.fingerprint`."""
        return repr(self.parts)

    def add(self, part: str, row: Row) -> None:
        """Add a row under the lowest number that is free, as after a file was made anew."""
        there = self.parts[part]
        there[next(number for number in range(100) if number not in there)] = row

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See `OldSource.reading`."""
        yield Copy(
            self.mortal,
            {part: dict(there) for part, there in self.parts.items()},
            self.fingerprint(),
        )

    @contextmanager
    def emptying(self) -> Iterator["OldFile"]:
        """See `OldSource.emptying`."""
        while self.late:
            self.late.pop()()
        yield self.mortal.over(self)

    def remove(self, keys: Sequence[RowKey]) -> int:
        """See `Emptying.remove`."""
        same = [
            (part, number)
            for part, there in self.parts.items()
            for number, row in there.items()
            if _key(part, number, row) in keys
        ]
        for part, number in same:
            del self.parts[part][number]
        return len(same)

    def settle(self) -> Left:
        """See `Emptying.settle`."""
        return Left(self.fingerprint(), sum(map(len, self.parts.values())))


@attrs.frozen
class Copy:
    """A `Reading` of such a file."""

    mortal: Mortal
    parts: Mapping[str, Mapping[int, Row]]
    fingerprint: str
    damage: str = ""
    kept_because: str = ""
    other: Mapping[str, int] = attrs.field(factory=dict)

    @property
    def waiting(self) -> Mapping[str, int]:
        """See `Reading.waiting`."""
        return {part: len(there) for part, there in self.parts.items()}

    def events(self) -> Iterator[SourceRow]:
        """See `Reading.events`."""
        for number, row in self.parts["queue"].items():
            yield self.mortal.step(lambda: None) or _event(number, row)

    def bodies(self) -> Iterator[TableRow]:
        """See `Reading.bodies`."""
        for part in (BODIES, FAILURES):
            for number, row in self.parts[part].items():
                yield self.mortal.step(lambda: None) or _body(part, number, row)


def _event(number: int, row: Row) -> SourceRow:
    raw = str(row["data"]).encode()
    return SourceRow(
        part="queue", row=number, event_id=None, raw=raw, beside=str(row.get("beside", ""))
    )


def _body(part: str, number: int, row: Row) -> TableRow:
    return TableRow(part, number, [*row.items()])


def _key(part: str, number: int, row: Row) -> RowKey:
    return _event(number, row).key if part == "queue" else _body(part, number, row).key
