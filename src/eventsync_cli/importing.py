"""Lines of exports and archives in, counts out: what `eventsync journal import` does."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs

from eventsync_cli import failures
from eventsync_cli.capturing import Items, groups_of, whole_lines
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.lines import LONGEST_OWN_LINE, Source, Splitter
from eventsync_cli.render import Result
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason, StoreError
from eventsync_core.payloads import Act, Deed
from eventsync_core.portability import Taken, Taking, TakingRules

__all__ = ["Imported", "import_lines", "result_of"]

_LINES_AT_ONCE = 500
_BYTES_AT_ONCE = 8 * 1024 * 1024
_NAMED = 20


@attrs.define
class Imported:
    """
    What became of the lines, by word; `error` says why it ended early, with `code` the exit.

    `quarantined` of those that were brought back stay so; `quarantined_ids` are the first.
    """

    lines: int = 0
    states: Counter[str] = attrs.field(factory=Counter)
    streams: Counter[str] = attrs.field(factory=Counter)
    conflicts: Items = attrs.field(factory=Items)
    refused: Items = attrs.field(factory=Items)
    quarantined: int = 0
    quarantined_ids: list[str] = attrs.field(factory=list)
    error: Reason | None = None
    code: ExitCode = ExitCode.OK

    def note(self, taken: Taken) -> None:
        """Count what became of a line."""
        self.states[taken.state] += 1
        if taken.state in ("stored", "held", "brought_back"):
            self.streams[taken.stream] += 1
        if taken.is_quarantined:
            self.quarantined += 1
            self.quarantined_ids += [taken.event_id][: _NAMED - len(self.quarantined_ids)]
        if taken.error is not None:
            items = self.conflicts if taken.state == "conflict" else self.refused
            error = taken.error
            items.add(taken.line, error.code, error.message, taken.event_id or None)

    def settle(self) -> None:
        """Decide on the exit code, once everything is counted."""
        left = self.conflicts.count + self.refused.count
        if self.error is None and left:
            self.code = ExitCode.INCOMPLETE
            self.error = Reason(
                code="lines_left",
                message=f"not taken in: {left} lines",
                fix_text="the lines named differ from what is stored, or are damaged; look for a "
                "good copy of the file; all others are taken in",
            )


def import_lines(
    app: App, source: Source, *, dry_run: bool, progress: Callable[[int], None]
) -> Imported:
    """
    Take every line of *source* in, or with *dry_run* say what would become of it.

    Bad lines harm no others. *progress* is called with the number of lines done.
    """
    found = Imported()
    splitter = Splitter(LONGEST_OWN_LINE)
    deed = Deed(act=Act.IMPORT, actor="cli", at=app.clock())
    rules = TakingRules(deed=deed, project=app.chosen.project, families=app.families())
    try:
        if dry_run:
            with app.reading() as stores:
                taking = Taking(stores, rules, is_preview=True)
                _take(app, source, splitter, taking, found, progress)
        else:
            with app.stores() as opened:
                taking = Taking(opened, rules, is_preview=False)
                _take(app, source, splitter, taking, found, progress)
        if taking.is_broken_off:
            message = "the archive has no end: lines may be missing"
            found.refused.add(splitter.number, "archive_broke_off", message)
    except (StoreError, KeyboardInterrupt) as error:
        found.error, found.code = failures.explain(error)
    found.lines = splitter.number
    found.settle()
    return found


def _take(
    app: App,
    source: Source,
    splitter: Splitter,
    taking: Taking,
    found: Imported,
    progress: Callable[[int], None],
) -> None:
    for lines in _groups(source, splitter, found):
        for taken in taking.take(lines, at=app.clock()):
            found.note(taken)
        progress(splitter.number)


def _groups(
    source: Source, splitter: Splitter, found: Imported
) -> Iterator[Sequence[tuple[int, str]]]:
    """Yield lines in groups that fit into one unit of work."""
    group: list[tuple[int, str]] = []
    size = 0
    for number, raw in _lines(source, splitter, found.refused):
        if group and (len(group) == _LINES_AT_ONCE or size + len(raw) > _BYTES_AT_ONCE):
            yield group
            group, size = [], 0
        try:
            group.append((number, raw.decode()))
            size += len(raw)
        except UnicodeDecodeError as error:
            found.refused.add(number, "not_json", f"not UTF-8 at byte {error.start + 1}")
    if group:
        yield group


def _lines(source: Source, splitter: Splitter, refused: Items) -> Iterator[tuple[int, bytes]]:
    for lines in groups_of(source, splitter, refused):
        yield from whole_lines(lines, refused, longest=LONGEST_OWN_LINE)


def result_of(app: App, found: Imported, *, dry_run: bool) -> Result:
    """Return what the command has to say."""
    states = found.states
    document: dict[str, Any] = {
        "lines": found.lines,
        "stored": states["stored"] + states["held"],
        "held": states["held"],
        "brought_back": states["brought_back"],
        "still_quarantined": found.quarantined,
        "duplicates": states["duplicate"],
        "streams": dict(found.streams.most_common(MOST_ITEMS)),
        "streams_count": len(found.streams),
        "conflicts": found.conflicts.first,
        "conflicts_count": found.conflicts.count,
        "refused": found.refused.first,
        "refused_count": found.refused.count,
        "dry_run": dry_run,
    }
    counts = "  ".join(
        f"{word} {document[name]}"
        for word, name in (
            ("stored", "stored"),
            ("brought back", "brought_back"),
            ("duplicates", "duplicates"),
            ("held", "held"),
            ("conflicts", "conflicts_count"),
            ("refused", "refused_count"),
        )
    )
    return Result(
        document=document,
        lines=[
            f"{'would be ' if dry_run else ''}{counts}",
            *found.conflicts.named(),
            *found.refused.named(),
        ],
        talk=[*app.concerns(of_target=False), *_quarantined(app, found)],
        code=found.code,
        reason=found.error,
        is_act=not dry_run,
    )


def _quarantined(app: App, found: Imported) -> list[str]:
    """Say what goes nowhere though its text is there, and what lets it go."""
    if not found.quarantined:
        return []
    names = found.quarantined_ids
    # An id may look like an option.
    dashes = ["--"] if any(name.startswith("-") for name in names) else []
    release = shlex.join(("eventsync", "journal", "release", *dashes, *names))
    if found.quarantined > len(names):
        release += " and the others that eventsync journal list --hold quarantined names"
    said = f"{found.quarantined} of the events brought back are quarantined and go nowhere"
    return [f"eventsync: {said}; to let them go: {app.chosen.spelt(release)}"]
