"""What a migration did, or would do, in lines for a person."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from eventsync_cli.options import Chosen
from eventsync_core.ids import one_line, printable
from eventsync_core.legacy import Became, Brought, SetAside
from eventsync_core.migration import Migration, SourceReport

__all__ = ["migration_lines"]

_MOST_LINES = 20
_LONGEST = 60
_SHOW = "eventsync journal quarantine"
_DONE = (Became.IMPORTED, Became.DEDUPLICATED, Became.RESOLVED)


def migration_lines(result: Migration, note: str, options: Chosen) -> list[str]:
    """Return all that is to be said, in characters that can be printed."""
    would = "would be " if result.is_preview else ""
    lines = [would + _headline(result)]
    lines += [_line(each, would) for each in result.sources]
    lines += _targets(result)
    lines += _conflicts(result, options)
    lines += _quarantined(result, options)
    return [printable(line) for line in (*lines, f"note: {note}")]


def _headline(result: Migration) -> str:
    counts = "  ".join(f"{became.value} {result.count(became)}" for became in _DONE)
    sources = result.sources
    more: dict[str, Counter[Became] | Counter[Brought]] = {
        "bodies": sum((each.bodies for each in sources), Counter()),
        "body failures": sum((each.failures for each in sources), Counter()),
        "targets": sum((each.targets for each in sources), Counter()),
        "deliveries": sum((each.deliveries for each in sources), Counter()),
    }
    parts = [f"events: {counts}"]
    parts += [f"{name}: {_words(found)}" for name, found in more.items() if found.total()]
    parts.append(
        f"conflicts {result.conflict_count}  quarantined {result.quarantined_count}  "
        f"source errors {len(result.failed_sources)}"
    )
    return "; ".join(parts)


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
    """Return the names of tables with their rows."""
    names = list(tables)[:_MOST_LINES]
    more = f" and {len(tables) - len(names)} more" if len(tables) > len(names) else ""
    return ", ".join(f"{one_line(name, _LONGEST)} {tables[name]}" for name in names) + more


def _targets(result: Migration) -> Iterator[str]:
    for alias, why in result.refused_targets[:_MOST_LINES]:
        yield f"no target: {alias or 'one without a name'}: {why}"
    yield from _more("no target", result.refused_target_count, "--json names more")
    for word in sorted(result.unknown_statuses)[:_MOST_LINES]:
        yield f"no outcome: {word!r}, which an old ledger says"
    yield from _more("no outcome", len(result.unknown_statuses), "--json names more")


def _conflicts(result: Migration, options: Chosen) -> Iterator[str]:
    show = options.spelt(_SHOW)
    for row in result.conflicts[:_MOST_LINES]:
        yield (
            f"conflict: {row.event_id} in {row.path} differs from what is stored"
            f"{_number(row, show)}"
        )
    yield from _more("conflict", result.conflict_count, show)
    if result.conflicts and not result.is_preview:
        yield f"both contents: {options.spelt('eventsync journal show ID')}, and {show} NUMBER"


def _quarantined(result: Migration, options: Chosen) -> Iterator[str]:
    show = options.spelt(_SHOW)
    for row in result.quarantined[:_MOST_LINES]:
        where = f"{row.path} {row.key.part} {row.key.row}"
        yield f"quarantined: {where}: {row.detail} [{row.why}]{_number(row, show)}"
    yield from _more("quarantined", result.quarantined_count, show)


def _number(row: SetAside, show: str) -> str:
    """Return how to see a row; one that is not on record cannot be seen."""
    return f"; {show} {row.number}" if row.number else ""


def _more(what: str, count: int, where: str) -> Sequence[str]:
    more = count - _MOST_LINES
    return [f"{what}: and {more} more; {where}"] if more > 0 else []
