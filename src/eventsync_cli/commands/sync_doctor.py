import shlex
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.examining import facts_of, leases, look
from eventsync_cli.exits import ExitCode
from eventsync_cli.failures import explain
from eventsync_cli.locating import located
from eventsync_cli.looking import look as standing
from eventsync_cli.render import Result, listing
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.diagnosis import Facts, Finding, Lookup, Severity, diagnose
from eventsync_core.errors import EventSyncError, Reason, StoreError
from eventsync_core.inspection import Mended


@attrs.define(kw_only=True)
class _Seen:
    """What a look at the home brought."""

    facts: Facts
    lookup: Lookup | None = None
    leases: Sequence[dict[str, object]] = ()
    unreadable: EventSyncError | None = None


@acting("doctor")
@click.option(
    "--journal-mode",
    type=click.Choice(["wal", "truncate"]),
    help="Change how the database protects its writes.",
)
@click.option("--mend", is_flag=True, help="Set right what can be told from the rest.")
@click.option("--thorough", is_flag=True, help="Read everything, however long it takes.")
def command(app: App, journal_mode: str | None, *, mend: bool, thorough: bool) -> Result:
    """Examine the home, or change the journal mode, or mend what can be mended."""
    if journal_mode is not None:
        _change(app, journal_mode)
    mended = _mend(app) if mend else None
    seen = _look(app, thorough=thorough)
    found = diagnose(seen.facts, seen.lookup, seen.unreadable)
    is_act = journal_mode is not None or mended is not None
    return attrs.evolve(_result(app, seen, found, mended), is_act=is_act)


def _change(app: App, mode: str) -> None:
    app.check_journal_mode(mode)
    if not app.has_store:
        with app.stores():
            pass
    app.set_journal_mode(mode)


def _mend(app: App) -> tuple[int, Mended]:
    """Set right what can be; return how many files were loose, and what was in the store."""
    private = app.make_private()
    if not app.has_store:
        return private, Mended()
    with app.stores() as stores:
        return private, stores.inspection.mend(at=app.clock())


def _look(app: App, *, thorough: bool) -> _Seen:
    try:
        with app.reading() as stores:
            if stores is None:
                return _Seen(facts=facts_of(app, None))
            lookup = look(app, stores, thorough=thorough)
            held = list(leases(app, stores))
            # What cannot be told by `sync status` is wrong, whatever else was found.
            error = standing(app).setting.store_error
            return _Seen(facts=facts_of(app, stores), lookup=lookup, leases=held, unreadable=error)
    except StoreError as error:
        return _Seen(facts=facts_of(app, None), unreadable=error)


def _result(
    app: App, seen: _Seen, found: Sequence[Finding], mended: tuple[int, Mended] | None
) -> Result:
    facts, storage = seen.facts, app.storage
    counts = Counter(finding.severity for finding in found)
    errors = [each for each in found if each.severity is Severity.ERROR]
    document: dict[str, Any] = {
        "sqlite_version": facts.sqlite_version,
        "is_exposed": facts.is_exposed,
        "journal_mode": facts.journal_mode,
        "journal_mode_configured": facts.configured_mode,
        "path": facts.path,
        "file_bytes": storage.file_bytes if storage else None,
        "wal_bytes": facts.wal_bytes,
        "free_bytes": facts.free_bytes,
        "disk_kind": facts.disk_kind or None,
        "leases": list(seen.leases)[:MOST_ITEMS],
        "leases_count": len(seen.leases),
        "daemon": {"state": "absent"},
        "mended": None if mended is None else _mended(mended),
        "findings": [_document(app, each) for each in found[:MOST_ITEMS]],
        "findings_count": len(found),
        "errors": counts[Severity.ERROR],
        "warnings": counts[Severity.WARNING],
    }
    code = ExitCode.OK
    if errors:
        code = ExitCode.STORE if seen.unreadable is None else explain(seen.unreadable)[1]
    return Result(
        document=document,
        lines=[*_lines(app, seen, mended), *_findings(app, found)],
        talk=app.concerns(),
        code=code,
        reason=errors[0].reason if errors else None,
    )


def _mended(mended: tuple[int, Mended]) -> dict[str, int]:
    private, found = mended
    return {"files": private, "counters": found.counters, "owed": found.owed, "rows": found.rows}


def _reason(app: App, finding: Finding) -> Reason:
    return located(finding.reason, app.chosen)


def _document(app: App, finding: Finding) -> dict[str, Any]:
    return {"severity": finding.severity, **_reason(app, finding).document()}


def _lines(app: App, seen: _Seen, mended: tuple[int, Mended] | None) -> list[str]:
    facts, storage = seen.facts, app.storage
    pairs = [
        ("SQLite version", facts.sqlite_version),
        ("Exposed in WAL mode", "yes" if facts.is_exposed else "no"),
        ("Database", facts.path),
        ("Journal mode", _mode(facts) or _lacking(seen)),
        ("Size in bytes", str(storage.file_bytes) if storage else _lacking(seen)),
        ("Disk", facts.disk_kind or "<not told>"),
        ("Free in bytes", "<not told>" if facts.free_bytes is None else str(facts.free_bytes)),
        ("Sending now", ", ".join(_senders(seen)) or "nobody"),
        ("Daemon", "absent"),
    ]
    if mended is not None:
        said = ", ".join(f"{name} {count}" for name, count in _mended(mended).items())
        pairs.append(("Mended", said))
    return list(listing(pairs))


def _mode(facts: Facts) -> str | None:
    if facts.journal_mode == facts.configured_mode:
        return facts.journal_mode
    return f"{facts.journal_mode} (configured: {facts.configured_mode})"


def _lacking(seen: _Seen) -> str:
    return "<no database yet>" if seen.unreadable is None else "<cannot be read>"


def _senders(seen: _Seen) -> list[str]:
    return [f"process {each['pid']}" for each in seen.leases if each["is_live"]]


def _findings(app: App, found: Sequence[Finding]) -> list[str]:
    lines = []
    for finding in found:
        reason = _reason(app, finding)
        lines.append(f"{finding.severity}: {reason.message} [{reason.code}]")
        fix = shlex.join(reason.fix_argv) or reason.fix_text
        if fix:
            lines.append(f"  fix: {fix}")
    return lines or ["nothing is wrong"]
