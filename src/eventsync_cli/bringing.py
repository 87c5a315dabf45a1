"""Bringing home what old programs left: what `eventsync sync migrate` does."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import UsageProblemError
from eventsync_cli.render import Progress, Result
from eventsync_cli.telling import migration_lines
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason, reason_of
from eventsync_core.ids import printable
from eventsync_core.legacy import Resolution, SetAside
from eventsync_core.migration import (
    Migration,
    MigrationRules,
    as_document,
    migrate,
    preview,
)

if TYPE_CHECKING:
    from eventsync_cli.compose import Found

__all__ = ["bring_home", "read_resolutions"]

_WORDS = ", ".join(each.value for each in Resolution)
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
            # Of an empty id, as of an empty variable of a shell, the word is none: not "all".
            resolution = Resolution(named if event_id else word)
        except ValueError:
            raise UsageProblemError(
                f"--resolve takes {_WORDS}, not {word[:40]!r}",
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
    found, log_error = app.old_sources(places), ""
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
            result = Migration(is_preview=False, not_in_conflict=set(rules.resolve))
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
            log_error = log.error
    document, talk = _said(result, found, log_error)
    code = ExitCode.OK if result.is_clean else ExitCode.INCOMPLETE
    return Result(
        document=document,
        lines=migration_lines(result, document["note"], app.chosen),
        talk=[*talk, *app.concerns()],
        code=code,
        reason=None if code is ExitCode.OK else _reason(app, result, places, rules),
    )


def _said(result: Migration, found: "Found", log_error: str) -> tuple[dict[str, Any], list[str]]:
    """Return the answer as JSON, and what is said beside it."""
    document = as_document(result)
    document["skipped"] = [
        {"path": each.path, "reason": each.why} for each in found.skipped[:MOST_ITEMS]
    ]
    document["skipped_count"] = len(found.skipped)
    document["row_log_error"] = log_error or None
    talk = [f"{each.path} is left out: {each.why}" for each in found.skipped]
    talk += [f"no conflict over {name} is open" for name in sorted(result.not_in_conflict)]
    talk += [log_error] if log_error else []
    return document, [f"eventsync: {printable(line)}" for line in talk]


def _reason(app: App, result: Migration, places: Sequence[Path], rules: MigrationRules) -> Reason:
    errors = [each.error for each in result.failed_sources if each.error is not None]
    if errors:
        reason = reason_of(errors[0])
        return reason._replace(message=printable(reason.message))
    argv = (*_MIGRATE, *_options(app, places, rules))
    if result.conflict_count:
        said = "both contents are kept"
        if any(_is_asked_in_vain(row, rules) for row in result.conflicts):
            said += f", but of a body {Resolution.KEEP_SOURCE} is no choice: its key has its hash"
        return Reason(
            code="conflict",
            message=f"rows that differ from what is stored: {result.conflict_count}; {said}",
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


def _is_asked_in_vain(row: SetAside, rules: MigrationRules) -> bool:
    is_decided = rules.resolution(row.event_id, row.key.part) is not None
    return not is_decided and rules.resolution(row.event_id) is not None


def _options(app: App, places: Sequence[Path], rules: MigrationRules) -> Iterator[str]:
    """Yield the options of this command, but for what it was to decide."""
    for place in places:
        yield from ("--from", str(place))
    if app.chosen.project is not None:
        yield from ("--project", app.chosen.project)
    if rules.keep_sources:
        yield "--keep-sources"
    if rules.take_quarantined:
        yield "--take-quarantined"
