from collections.abc import Collection, Iterator

from eventsync_core.clock import MINUTE, iso_time
from eventsync_core.diagnosis._model import Facts, Finding, Gone, Lookup, Severity
from eventsync_core.errors import EventSyncError, Reason, StoreNotWritableError, reason_of
from eventsync_core.inspection import LOST_HOLD, Dangling, Link
from eventsync_core.integrity import (
    COPIES_LEFT,
    GOOD_COPY,
    HOLDS_MENDED,
    MEND,
    TEXTS_MENDED,
    References,
)

MOST_WAL_BYTES = 64 * 1024 * 1024
_LEAST_FREE_BYTES = 100 * 1024 * 1024
_TIGHT_FREE_BYTES = 10 * 1024 * 1024
_SLACK = 5 * MINUTE
_NAMED = 3
_TRUNCATE = ("eventsync", "sync", "doctor", "--journal-mode", "truncate")
_THOROUGH = ("eventsync", "sync", "doctor", "--thorough")
_QUARANTINE = ("eventsync", "journal", "quarantine", "--damaged")
_NOW = ("eventsync", "sync", "now")
_MIGRATE = ("eventsync", "sync", "migrate")


def diagnose(
    facts: Facts, lookup: Lookup | None, unreadable: EventSyncError | None = None
) -> list[Finding]:
    """
    Return what is wrong, the worst first.

    *lookup* is None where there is no store, or where it is *unreadable*.
    """
    found = [*_of_surroundings(facts), *_of_storage(facts)]
    if unreadable is not None and lookup is not None:
        # It can be looked into, but `sync status` cannot be made of it, and names this command.
        found.append(_error(unreadable.code, unreadable.message, *_stored_anew(lookup)))
    elif unreadable is not None:
        found.append(Finding(Severity.ERROR, reason_of(unreadable)))
    elif not facts.is_writable:
        message = f"{facts.path} cannot be written: nothing new can be stored"
        found.append(_error("store_not_writable", message, StoreNotWritableError.fix_text))
    if lookup is not None:
        found += [*_of_damage(lookup), *_of_content(lookup)]
    order = list(Severity)
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _error(code: str, message: str, fix: str = "", argv: tuple[str, ...] = ()) -> Finding:
    return Finding(Severity.ERROR, Reason(code, message, fix, argv))


def _warning(code: str, message: str, fix: str = "", argv: tuple[str, ...] = ()) -> Finding:
    return Finding(Severity.WARNING, Reason(code, message, fix, argv))


def _info(code: str, message: str, fix: str = "", argv: tuple[str, ...] = ()) -> Finding:
    return Finding(Severity.INFO, Reason(code, message, fix, argv))


def _of_surroundings(facts: Facts) -> Iterator[Finding]:
    for error in facts.problems:
        yield Finding(Severity.WARNING, reason_of(error))
    if facts.loose:
        names = _some(facts.loose)
        yield _warning("permissions_open", f"others may read {names}", argv=MEND)
    if facts.free_bytes is not None and facts.free_bytes < _LEAST_FREE_BYTES:
        message = f"{facts.free_bytes} bytes are left on the disk of {facts.path}"
        fix = "free some disk space there"
        is_tight = facts.free_bytes < _TIGHT_FREE_BYTES
        yield (_error if is_tight else _warning)("disk_space_low", message, fix)
    for path, said in facts.legacy[:_NAMED]:
        yield _warning("legacy_waiting", f"{path} of an old program holds {said}", argv=_MIGRATE)


def _of_storage(facts: Facts) -> Iterator[Finding]:
    is_wal = facts.journal_mode == "wal"
    if is_wal and facts.is_exposed:
        message = f"SQLite {facts.sqlite_version} can damage a database in WAL mode"
        yield _warning("wal_exposed", message, argv=_TRUNCATE)
    if not facts.is_local:
        message = f"{facts.path} does not lie on a local disk ({facts.disk_kind})"
        if is_wal:
            yield _error("wal_not_local", f"{message}; WAL is not safe there", argv=_TRUNCATE)
        else:
            fix = (
                "locks may not hold there; eventsync journal backup FILE, then eventsync --home DIR"
                " journal restore FILE, with a home on a local disk"
            )
            yield _warning("disk_not_local", message, fix)
    if facts.wal_bytes > MOST_WAL_BYTES:
        message = f"{facts.wal_bytes} bytes wait beside the database to be taken into it"
        fix = "let the programs that have it open end; the last one takes them in"
        yield _warning("wal_large", message, fix)
    if facts.pending:
        message = f"the database is from an older eventsync; to come: {_some(facts.pending)}"
        yield _info("schema_older", message, "the next command that writes brings it up to date")
    if facts.copies:
        message = f"what was stored once is still in {_some(facts.copies)}"
        yield _info("copies_left", message, COPIES_LEFT)


def _of_damage(lookup: Lookup) -> Iterator[Finding]:
    if lookup.flaws:
        said = f"SQLite says: {_some(lookup.flaws)}"
        yield _error("database_damaged", said, *_stored_anew(lookup))
    if lookup.schema:
        message = f"tables, indexes or triggers that were not made so: {_some(lookup.schema)}"
        yield _error("schema_differs", message, GOOD_COPY)
    if not lookup.is_checked:
        yield _info("not_checked", "to check the whole file takes longer", argv=_THOROUGH)
    broken = [each for each in lookup.sampled if not each.is_intact]
    if broken:
        argv = _QUARANTINE if lookup.loose_damage else ()
        where = _some([f"{each.stream}:{each.first_bad} ({each.reason})" for each in broken])
        message = f"what is stored does not hold together at {where}"
        yield _error("journal_damaged", message, TEXTS_MENDED, argv)
    if lookup.references is not None:
        yield from _of_references(lookup.references, {each.stream for each in lookup.off_record})
    for each in lookup.off_record:
        yield _error("grant_damaged", each.message, argv=each.fix_argv)
    miscounts = [each.message for each in lookup.miscounts if each.is_mendable]
    if miscounts:
        fix, mend = _set_right(lookup.references)
        yield _error("counters_differ", _some(miscounts), fix, mend)
    yield from _of_lost_holds(lookup)


def _stored_anew(lookup: Lookup) -> tuple[str, tuple[str, ...]]:
    """Return what helps where the storage holds what it should not."""
    return _set_right(lookup.references) if lookup.is_mendable else (GOOD_COPY, ())


def _set_right(references: References | None) -> tuple[str, tuple[str, ...]]:
    """Return what helps where `Inspection.mend` would, in words and as a command."""
    is_refused = references is not None and references.refuses_mending
    return (GOOD_COPY, ()) if is_refused else ("", MEND)


def _of_lost_holds(lookup: Lookup) -> Iterator[Finding]:
    found = () if lookup.references is None else lookup.references.found
    said = [each.message for each in found if each.missing == LOST_HOLD]
    said += [each.message for each in lookup.miscounts if not each.is_mendable]
    if said:
        message = f"something seems to have been held that is not: {_some(said)}"
        yield _error("holds_lost", message, HOLDS_MENDED)


def _of_references(references: References, off_record: Collection[str]) -> Iterator[Finding]:
    """Yield what does not fit; lost holds and grants that are *off_record* are told elsewhere."""
    told = [each for each in references.found if _is_grant(each) and each.stream in off_record]
    mendable = [each for each in references.found if each.is_mendable]
    passed = [each for each in mendable if each.link is Link.PASSED]
    others = [each for each in mendable if each.link is not Link.PASSED]
    told += [each for each in references.found if each.missing == LOST_HOLD]
    fix, mend = _set_right(references)
    lost = [each for each in references.found if each not in mendable + told]
    if passed:
        message = f"{len(passed)} events were left behind without a word in the ledger: "
        message += _some([each.where for each in passed])
        yield _error("events_left_behind", message, fix, mend)
    if others:
        message = f"{len(others)} rows do not fit the ledger: "
        message += _some([each.message for each in others])
        yield _error("due_differs", message, fix, mend)
    if lost or references.unreadable:
        said = [each.message for each in lost]
        said += [f"{link} cannot be read: {why}" for link, why in references.unreadable]
        count = references.broken - len(mendable) - len(told)
        message = f"{count} references lead nowhere: {_some(said)}"
        yield _error("references_broken", message, GOOD_COPY)


def _is_grant(found: Dangling) -> bool:
    return (found.link, found.missing) == (Link.GRANT, "grant_act")


def _of_content(lookup: Lookup) -> Iterator[Finding]:
    for target_id, url in lookup.ungranted[:_NAMED]:
        argv = ("eventsync", "target", "grant", target_id)
        yield _info("target_without_grant", f"nothing may go to {url}", argv=argv)
    for each in lookup.gone[:_NAMED]:
        yield _of_gone(each)
    if lookup.newest_at > lookup.at + _SLACK:
        message = (
            f"something was stored at {iso_time(lookup.newest_at)}, and now is "
            f"{iso_time(lookup.at)}"
        )
        yield _warning("clock_behind", message, "set this machine's clock; nothing is lost")


def _of_gone(gone: Gone) -> Finding:
    message = f"process {gone.pid} ended while it was sending stream {gone.stream} to {gone.url}"
    if gone.carried:
        message += f"; whether {gone.carried} events arrived is not known"
    if gone.is_current and gone.carried:
        return _info("sender_gone", message, argv=_NOW)
    return _info("sender_gone", message, "the next drain that sends to it takes over")


def _some(said: "tuple[str, ...] | list[str]") -> str:
    more = len(said) - _NAMED
    return ", ".join(said[:_NAMED]) + (f" and {more} more" if more > 0 else "")
