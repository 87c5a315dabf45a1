from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import click

from eventsync_cli.absent import nothing_stored
from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.reconciling import compare
from eventsync_cli.render import Progress, Result
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import EventSyncError, Reason
from eventsync_core.inspection import LOST_HOLD
from eventsync_core.integrity import (
    GOOD_COPY,
    HOLDS_MENDED,
    MEND,
    TEXTS_MENDED,
    References,
    Verification,
    Verified,
    loose,
    verify,
    verify_references,
)
from eventsync_core.journal import Head, chain_start, heads_of
from eventsync_core.stores import Stores

_NOTE_EVERY = 50_000
_NOTHING = References(looked=0, broken=0)


@acting("verify")
@click.option("--incremental", is_flag=True, help="Read only what came since it was last good.")
@click.option("--full", is_flag=True, help="With --incremental: read all, and note it anew.")
@click.option(
    "--target",
    "target_id",
    metavar="TARGET_ID",
    help="Ask this eventsync serve what it holds instead, and compare that with the ledger.",
)
def command(app: App, target_id: str | None, *, incremental: bool, full: bool) -> Result:
    """Check digests, chain, positions and references of every stream, or of --project's."""
    if target_id is not None:
        return _compare(app, target_id, is_walk=incremental or full)
    if full and not incremental:
        raise UsageProblemError(
            "--full goes with --incremental; without it everything is read anyway",
            fix_argv=("eventsync", "journal", "verify"),
        )
    references, is_set_aside, talk = _NOTHING, True, list[str]()
    nothing = nothing_stored(app, None)
    found: list[Verification] = []
    with app.reading() as stores:
        if stores is not None:
            with _noting(app, talk, is_wanted=incremental) as notes:
                known = {} if full else dict(notes.found)
                if full and app.chosen.project is None:
                    notes.found.clear()
                elif full:
                    notes.found.pop(app.stream, None)
                found = _verify(app, stores, known if incremental else {}, notes)
            references = _verify_references(app, stores)
            nothing = nothing_stored(app, stores)
            is_set_aside = not any(loose(stores, each) for each in found)
    broken = [each for each in found if not each.is_intact]
    reason = _reason(broken, references, is_set_aside=is_set_aside) or _of_history(app, found)
    return Result(
        document={
            "verified": sum(each.good for each in found),
            "skipped": sum(each.skipped for each in found),
            "streams": [_document(each) for each in found[:MOST_ITEMS]],
            "streams_count": len(found),
            "broken_count": len(broken),
            "references": _references(references),
        },
        lines=[_line(each) for each in found] + _reference_lines(references) or [nothing],
        talk=(*talk, *app.concerns()),
        code=ExitCode.OK if reason is None else ExitCode.STORE,
        reason=reason,
    )


def _compare(app: App, target_id: str, *, is_walk: bool) -> Result:
    if is_walk or app.chosen.project is not None:
        raise UsageProblemError(
            "--target compares all streams with what it holds, and reads none",
            fix_argv=("eventsync", "journal", "verify", "--target", target_id),
        )
    return compare(app, target_id)


@attrs.define
class _Notes:
    """How far streams were found good, and since when that is not written."""

    app: App
    found: dict[str, Verified]
    is_wanted: bool
    unwritten: int = 0

    def keep(self, stream: str, reached: Verified) -> None:
        before = self.found.get(stream)
        self.unwritten += reached.position - (before.position if before else 0)
        self.found[stream] = reached
        if self.is_wanted and abs(self.unwritten) >= _NOTE_EVERY:
            self.app.note_verified(self.found)
            self.unwritten = 0


@contextmanager
def _noting(app: App, talk: list[str], *, is_wanted: bool) -> Iterator[_Notes]:
    """Read the note of earlier walks, and write it at the end, also of one that broke off."""
    notes = _Notes(app, app.verified() if is_wanted else {}, is_wanted)
    try:
        yield notes
    finally:
        if is_wanted:
            try:
                app.note_verified(notes.found)
            except EventSyncError as error:
                talk.append(f"eventsync: {error.message}; the next walk reads all again")


def _verify(
    app: App, stores: Stores, known: dict[str, Verified], notes: _Notes
) -> list[Verification]:
    heads = _heads(app, stores)
    gone = set(known).difference(head.stream for head in heads)
    if app.chosen.project is not None:
        gone &= {app.stream}
    heads += [Head(stream, 0, chain_start(stream), 0) for stream in sorted(gone)]
    found: list[Verification] = []
    total = sum(head.position for head in heads)
    with Progress("verifying", app.clock, total=total, no_color=app.no_color) as bar:
        done = 0
        for head in heads:

            def reach(position: int, before: int = done) -> None:
                bar.reach(before + position)

            def keep(reached: Verified, stream: str = head.stream) -> None:
                notes.keep(stream, reached)

            since = known.get(head.stream)
            each = verify(
                stores.journal, head.stream, head=head, since=since, progress=reach, keep=keep
            )
            # What an earlier walk noted stays until this one has come to its end.
            if each.reached is not None and not (each.is_started_over and since is not None):
                keep(each.reached)
            elif not each.is_started_over:
                notes.found.pop(head.stream, None)
            found.append(each)
            done += head.position
    return found


def _heads(app: App, stores: Stores) -> list[Head]:
    return heads_of(stores.journal, None if app.chosen.project is None else app.stream)


def _verify_references(app: App, stores: Stores) -> References:
    stream = None if app.chosen.project is None else app.stream
    with Progress("references", app.clock, total=None, no_color=app.no_color) as bar:
        return verify_references(stores.inspection, stream=stream, progress=bar.reach)


def _document(found: Verification) -> dict[str, Any]:
    return {
        "stream": found.stream,
        "head": found.head,
        "intact": found.is_intact,
        "good": found.good,
        "bad": found.bad,
        "first_bad": found.first_bad,
        "good_after": found.good_after,
        "skipped": found.skipped,
        "started_over": found.is_started_over,
        "flaw": found.flaw,
        "reason": found.reason or None,
        "findings": [
            {
                "position": each.position,
                "event_id": each.event_id or None,
                "flaw": each.flaw,
                "reason": each.reason,
            }
            for each in found.findings
        ],
    }


def _references(found: References) -> dict[str, Any]:
    return {
        "looked": found.looked,
        "broken_count": found.broken,
        "broken": [
            {
                "kind": each.link,
                "where": each.where,
                "stream": each.stream or None,
                "missing": each.missing,
            }
            for each in found.found
        ],
        "unreadable": [{"kind": link, "reason": why} for link, why in found.unreadable],
    }


def _line(found: Verification) -> str:
    if found.is_intact:
        before = ""
        if found.skipped:
            before = f"; {found.skipped} found good before, not read again"
        elif found.is_started_over:
            before = "; all read again, it is shorter or other than what was found good before"
        return f"stream {found.stream}: {found.good} entries, intact{before}"
    return (
        f"stream {found.stream}: {found.good} of {found.head} entries good, {found.good_after} of "
        f"them after position {found.first_bad}: {found.reason} [{found.flaw}]"
    )


def _reference_lines(found: References) -> list[str]:
    lines = [each.message for each in found.found[:20]]
    if found.broken > len(lines):
        lines.append(f"and {found.broken - len(lines)} more references lead nowhere")
    return lines + [f"references of {link} cannot be read: {why}" for link, why in found.unreadable]


def _reason(
    broken: Sequence[Verification], references: References, *, is_set_aside: bool
) -> Reason | None:
    if not broken and references.is_intact:
        return None
    names = [each.stream for each in broken[:5]]
    what = f"in: {', '.join(names)}" if names else "in its references"
    is_lost = any(each.missing == LOST_HOLD for each in references.found)
    argv = MEND if references.is_mendable else ()
    argv = argv if is_set_aside else ("eventsync", "journal", "quarantine", "--damaged")
    return Reason(
        code="journal_damaged",
        message=f"what is stored does not hold together {what}",
        fix_text=TEXTS_MENDED if broken else HOLDS_MENDED if is_lost else GOOD_COPY,
        fix_argv=argv,
    )


def _of_history(app: App, found: Sequence[Verification]) -> Reason | None:
    names = [each.stream for each in found if each.is_started_over]
    if not names:
        return None
    of_project = () if app.chosen.project is None else ("--project", app.stream)
    return Reason(
        code="history_differs",
        message=f"{', '.join(names[:5])}: shorter or other than what was found good before",
        fix_text="look where the rest went; after a restore that was meant, accept what is there",
        fix_argv=("eventsync", "journal", "verify", "--incremental", "--full", *of_project),
    )
