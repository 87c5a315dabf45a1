"""Bringing home what old programs left: what `eventsync sync migrate` does."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason, StoreError, reason_of
from eventsync_core.ids import one_line
from eventsync_core.legacy import Became, Brought, Resolution
from eventsync_core.migration import (
    Migration,
    MigrationRules,
    SourceReport,
    as_document,
    find_waiting,
    migrate,
    preview,
)

if TYPE_CHECKING:
    from eventsync_cli.compose import Found

__all__ = ["bring_home", "read_resolutions", "waiting_lines"]

_WORDS = ", ".join(each.value for each in Resolution)
_MOST_LINES = 20
_LONGEST = 60
_MIGRATE = ("eventsync", "sync", "migrate")


def read_resolutions(
    words: Sequence[str],
) -> tuple[Resolution | None, dict[str, Resolution]]:
    """
    Return what to decide of all conflicts, and of those over single events.

    Raises:
        UsageProblemError: A word is none of the three.
    """
    everywhere, single = None, {}
    for word in words:
        event_id, _, named = word.rpartition("=")
        try:
            resolution = Resolution(named)
        except ValueError:
            raise UsageProblemError(
                f"--resolve takes {_WORDS}, not {named[:40]!r}",
                fix_text="--resolve keep-journal, or --resolve EVENT_ID=keep-journal",
            ) from None
        if event_id:
            single[event_id] = resolution
        else:
            everywhere = resolution
    return everywhere, single


def bring_home(app: App, places: Sequence[Path], *, dry_run: bool, **wishes: Any) -> Result:
    """
    Import what lies in the old files of the home and of *places*, or say what would be.

    Raises:
        StoreError: The store cannot be used; what was stored before is kept.
    """
    if app.environment.persistence == "memory":
        # What ends with this command must not be the only place of a row.
        wishes["keep_sources"] = True
    rules = MigrationRules(
        families=app.families(),
        project=app.chosen.project,
        actor="eventsync sync migrate",
        **wishes,
    )
    found = app.old_sources(places)
    with Progress("importing", app.clock, total=None, no_color=app.no_color) as bar:
        if dry_run:
            with app.reading() as stores:
                result = preview(
                    stores,
                    found.sources,
                    rules,
                    clock=app.clock,
                    records=found.records,
                    progress=bar.reach,
                )
        elif found.is_empty and not app.has_store:
            result = Migration(is_preview=False)
        else:
            with app.stores() as opened, app.row_log() as log:
                result = migrate(
                    opened,
                    found.sources,
                    rules,
                    clock=app.clock,
                    records=found.records,
                    progress=bar.reach,
                    on_row=log,
                )
    return _result(app, result, found, places)


def _result(app: App, result: Migration, found: "Found", places: Sequence[Path]) -> Result:
    document = as_document(result)
    document["skipped"] = [
        {"path": each.path, "reason": each.why} for each in found.skipped[:MOST_ITEMS]
    ]
    document["skipped_count"] = len(found.skipped)
    code = ExitCode.OK if result.is_clean else ExitCode.INCOMPLETE
    return Result(
        document=document,
        lines=_lines(result, document["note"]),
        talk=[
            *(f"eventsync: {each.path} is left out: {each.why}" for each in found.skipped),
            *app.concerns(),
        ],
        code=code,
        reason=None if code is ExitCode.OK else _reason(result, places),
    )


def _lines(result: Migration, note: str) -> list[str]:
    counts = (
        f"imported {result.count(Became.IMPORTED)}  "
        f"deduplicated {result.count(Became.DEDUPLICATED)}  "
        f"conflicts {result.conflict_count}  quarantined {result.quarantined_count}  "
        f"source errors {len(result.errors)}"
    )
    would = "would be " if result.is_preview else ""
    lines = [f"{would}{counts}" if would else counts]
    lines += [_line(each, would) for each in result.sources]
    for alias, why in result.refused_targets[:_MOST_LINES]:
        lines.append(f"no target: {alias or 'one without a name'}: {why}")
    for word in sorted(result.unknown_statuses)[:_MOST_LINES]:
        lines.append(f"no outcome: {word!r}, which an old ledger says")
    for row in result.conflicts[:_MOST_LINES]:
        lines.append(f"conflict: {row.event_id} in {row.path} differs from the journal")
    if result.conflicts and not result.is_preview:
        lines.append("both contents: eventsync journal show ID, and eventsync journal quarantine")
    for row in result.quarantined[:_MOST_LINES]:
        where = f"{row.path} {row.key.part} {row.key.row}"
        lines.append(f"quarantined: {where}: {row.detail} [{row.why}]")
    return [*lines, f"note: {note}"]


def _line(report: SourceReport, would: str) -> str:
    classes: dict[str, Counter[Became] | Counter[Brought]] = {
        "": report.counts,
        "targets: ": report.targets,
        "deliveries: ": report.deliveries,
        "bodies: ": report.bodies,
        "body failures: ": report.failures,
    }
    found = [label + _words(counts) for label, counts in classes.items() if counts.total()]
    text = f"  {report.source.path} ({report.source.target or report.source.kind}): "
    text += "; ".join(found) or "nothing"
    if report.held:
        text += f"; held {report.held}"
    if report.removed:
        text += f"; {would}emptied of {report.removed}"
    if report.is_blocked:
        text += "; not emptied, because of conflicts"
    if report.other:
        text += f"; not read: {_counted(report.other)}"
    if report.error is not None:
        text += f"; {report.error.message} [{report.error.code}]"
    return text


def _words(counts: Mapping[Became, int] | Mapping[Brought, int]) -> str:
    return "  ".join(f"{word.value} {count}" for word, count in counts.items() if count)


def _counted(tables: Mapping[str, int]) -> str:
    """Return the names of tables, in characters that can be shown, with their rows."""
    names = list(tables)[:_MOST_LINES]
    more = f" and {len(tables) - len(names)} more" if len(tables) > len(names) else ""
    return ", ".join(f"{one_line(name, _LONGEST)} {tables[name]}" for name in names) + more


def _reason(result: Migration, places: Sequence[Path]) -> Reason:
    argv = (*_MIGRATE, *(word for place in places for word in ("--from", str(place))))
    errors = [each.error for each in result.errors if each.error is not None]
    if errors:
        return reason_of(errors[0])
    if result.conflict_count:
        return Reason(
            code="conflict",
            message=f"events that differ from the journal's: {result.conflict_count}; "
            "both contents are kept",
            fix_argv=(*argv, "--resolve", Resolution.KEEP_JOURNAL.value),
        )
    if result.quarantined_left == result.unfinished:
        return Reason(
            code="unfinished",
            message=f"lines that no newline ends: {result.unfinished}; they may be half written",
            fix_text="end the program that writes them, and add a newline to what stays half",
        )
    return Reason(
        code="quarantined",
        message=f"rows that hold no event: {result.quarantined_left}; their bytes are kept",
        fix_argv=(*argv, "--take-quarantined"),
    )


def waiting_lines(app: App) -> list[str]:
    """Return one line for each old file that holds rows which may not be here yet."""
    sources, words = app.old_sources().everything, " ".join(_MIGRATE)
    if not sources:
        return []
    try:
        with app.reading() as stores:
            found = find_waiting(sources, stores)
    except StoreError:
        # The command itself says why.
        return []
    return [
        f"eventsync: {each.source.path} holds {each.said()}; {app.chosen.spelt(words)}"
        for each in found
    ]
