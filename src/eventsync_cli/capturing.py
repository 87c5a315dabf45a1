"""Lines in, counts out: what `eventsync capture` does."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import attrs

from eventsync_cli import failures
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.lines import LONGEST_LINE, BrokeOffError, Source, Splitter, pieces
from eventsync_core.capture import CaptureRules, Receipt, capture_many
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import (
    DiscardRefusedError,
    EventSyncError,
    PayloadConflictError,
    Reason,
    StoreError,
)

if TYPE_CHECKING:
    from eventsync_core.stores import Stores

__all__ = ["Findings", "Items", "capture_lines", "groups_of", "whole_lines"]

_MOST_NAMED = 20
_AT_ONCE = 2_000


@attrs.define
class Items:
    """The first items of a list beside the exact count of all."""

    first: list[dict[str, Any]] = attrs.field(factory=list)
    count: int = 0

    def add(self, line: int, code: str, message: str, event_id: str | None = None) -> None:
        """Add what was found at *line*."""
        self.count += 1
        if len(self.first) < MOST_ITEMS:
            item: dict[str, Any] = {"line": line, "code": code, "message": message}
            self.first.append(item if event_id is None else {**item, "event_id": event_id})

    def named(self) -> list[str]:
        """Return the first of them in words."""
        found = [
            f"  line {item['line']}: {item['message']} [{item['code']}]"
            for item in self.first[:_MOST_NAMED]
        ]
        left = self.count - len(found)
        return [*found, f"  and {left} more"] if left else found


@attrs.define
class Findings:
    """
    What became of the lines.

    `stored` counts every event new to the journal, held ones included; `superseded` earlier
    events that these stand for, `payloads_gone` duplicates of which nothing is kept. `error`
    says why it ended early, with `code` the exit code; what was counted before is stored.
    """

    lines: int = 0
    stored: int = 0
    duplicates: int = 0
    payloads_gone: int = 0
    held: int = 0
    discarded: int = 0
    superseded: int = 0
    is_discard_refused: bool = False
    streams: Counter[str] = attrs.field(factory=Counter)
    conflicts: Items = attrs.field(factory=Items)
    refused: Items = attrs.field(factory=Items)
    error: Reason | None = None
    code: ExitCode = ExitCode.OK

    def note(self, line: int, result: Receipt | EventSyncError) -> None:
        """Count what became of *line*."""
        if isinstance(result, Receipt):
            if result.state == "duplicate":
                self.duplicates += 1
                self.payloads_gone += result.payload_gone
                return
            if result.state == "discarded":
                self.discarded += 1
                return
            self.stored += 1
            self.held += result.state == "held"
            self.superseded += result.superseded
            self.streams[result.stream] += 1
        elif isinstance(result, PayloadConflictError):
            self.conflicts.add(line, result.code, result.message, result.event_id)
        else:
            self.is_discard_refused |= isinstance(result, DiscardRefusedError)
            event_id = getattr(result, "event_id", None)
            self.refused.add(line, result.code, result.message, event_id)

    def settle(self) -> None:
        """Decide on the exit code, once everything is counted."""
        if self.error is not None:
            return
        if self.is_discard_refused:
            self.code = ExitCode.REFUSED
            self.error = Reason(
                code=DiscardRefusedError.code,
                message="mode OPT_OUT keeps nothing, but these events may not be dropped",
                fix_argv=("eventsync", "sync", "mode", "LOCAL_RETENTION"),
            )
        elif self.conflicts.count or self.refused.count:
            self.code = ExitCode.INCOMPLETE
            self.error = Reason(
                code="lines_left",
                message=f"not stored: {self.conflicts.count + self.refused.count} lines",
                fix_text="capture the lines named again once they are correct, conflicting ones "
                "under an event_id of their own; all others are kept",
            )


def capture_lines(
    app: App,
    source: Source,
    *,
    progress: Callable[[int], None],
    rules: CaptureRules,
) -> Findings:
    """
    Store every line of *source* as it arrives and return what became of each.

    Bad lines harm no others. `app.capture_rules()` are the *rules* that the configuration wants;
    without a usable one their mode is LOCAL_RETENTION.
    *progress* is called with the number of lines done; *rules* are those of
    `eventsync_core.capture.capture`.
    """
    findings = Findings()
    splitter = Splitter()
    stores: Stores | None = None
    with ExitStack() as opened:
        try:
            for lines in groups_of(source, splitter, findings.refused):
                stores = stores or opened.enter_context(app.stores())
                _capture_group(app, stores, lines, findings, rules)
                progress(splitter.number)
        except (StoreError, KeyboardInterrupt) as error:
            findings.error, findings.code = failures.explain(error)
    findings.lines = splitter.number
    findings.settle()
    return findings


def groups_of(
    source: Source, splitter: Splitter, refused: Items
) -> Iterator[Sequence[tuple[int, bytes | None]]]:
    """Yield the lines of *source* some at a time; where it breaks off is added to *refused*."""
    try:
        for piece in pieces(source):
            yield from _cut(splitter.feed(piece))
    except BrokeOffError as error:
        refused.add(splitter.number, "input_broke_off", str(error))
    else:
        yield from _cut(splitter.end())


def _cut(
    lines: Sequence[tuple[int, bytes | None]],
) -> Iterable[Sequence[tuple[int, bytes | None]]]:
    return (lines[start : start + _AT_ONCE] for start in range(0, len(lines), _AT_ONCE))


def whole_lines(
    lines: Sequence[tuple[int, bytes | None]], refused: Items, *, longest: int = LONGEST_LINE
) -> Iterator[tuple[int, bytes]]:
    """Yield those of *lines* that were not longer than *longest*; the others are *refused*."""
    for number, raw in lines:
        if raw is None:
            message = f"the line is longer than {longest} bytes"
            refused.add(number, "line_too_long", message)
        else:
            yield number, raw


def _capture_group(
    app: App,
    stores: "Stores",
    lines: Sequence[tuple[int, bytes | None]],
    findings: Findings,
    rules: CaptureRules,
) -> None:
    whole = list(whole_lines(lines, findings.refused))
    results = capture_many(
        stores,
        [raw for _, raw in whole],
        at=app.clock(),
        project=app.chosen.project,
        rules=rules,
    )
    for (number, _), result in zip(whole, results, strict=True):
        findings.note(number, result)
