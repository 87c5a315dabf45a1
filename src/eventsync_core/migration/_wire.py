from collections import Counter
from typing import Any

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import reason_of
from eventsync_core.legacy import Became, Brought, SetAside
from eventsync_core.migration._model import Migration, SourceReport

NOTE = (
    "only currently-queued rows can be imported; "
    "what was delivered and then deleted by an old program cannot be recovered"
)


def as_document(found: Migration) -> dict[str, Any]:
    """Return what a migration did, or would do, as JSON; keys are only ever added."""
    sources = found.sources
    return {
        "dry_run": found.is_preview,
        **{
            became.value: found.count(became)
            for became in (Became.IMPORTED, Became.DEDUPLICATED, Became.RESOLVED)
        },
        "held": sum(each.held for each in sources),
        "bodies": _words(sum((each.bodies for each in sources), Counter())),
        "body_failures": _words(sum((each.failures for each in sources), Counter())),
        "deliveries": _brought(sum((each.deliveries for each in sources), Counter())),
        "targets": _brought(sum((each.targets for each in sources), Counter())),
        "refused_targets": [
            {"target_id": alias or None, "reason": why} for alias, why in found.refused_targets
        ],
        "refused_targets_count": found.refused_target_count,
        "unknown_statuses": sorted(found.unknown_statuses)[:MOST_ITEMS],
        "unknown_statuses_count": len(found.unknown_statuses),
        "not_in_conflict": sorted(found.not_in_conflict)[:MOST_ITEMS],
        "not_in_conflict_count": len(found.not_in_conflict),
        "removed": found.removed,
        "quarantined": [_aside(row) for row in found.quarantined],
        "quarantined_count": found.quarantined_count,
        "conflicts": [_conflict(row, found) for row in found.conflicts],
        "conflicts_count": found.conflict_count,
        "sources": [_source(each) for each in sources[:MOST_ITEMS]],
        "sources_count": len(sources),
        "source_errors_count": len(found.failed_sources),
        "cleanup_blocked": any(each.is_blocked or each.error is not None for each in sources),
        "note": NOTE,
    }


def _words(counts: Counter[Became]) -> dict[str, int]:
    return {became.value: counts[became] for became in Became}


def _brought(counts: Counter[Brought]) -> dict[str, int]:
    return {word.value: counts[word] for word in Brought}


def _aside(row: SetAside) -> dict[str, Any]:
    return {
        "event_id": row.event_id or None,
        "source": row.path,
        "part": row.key.part,
        "row": row.key.row,
        "code": row.why.value,
        "detail": row.detail,
        "digest": row.key.digest.hex(),
        "size": row.size,
        "number": row.number or None,
    }


def _conflict(row: SetAside, found: Migration) -> dict[str, Any]:
    target = next((s.source.target for s in found.sources if s.source.path == row.path), "")
    return {
        **_aside(row),
        "source_digest": target.partition(":")[2],
        "existing_sha": row.existing.hex(),
        "incoming_sha": row.incoming.hex(),
    }


def _source(report: SourceReport) -> dict[str, Any]:
    source = report.source
    return {
        "path": source.path,
        "kind": source.kind.value,
        "target": source.target,
        "spelling": source.spelling or None,
        "rows": report.rows,
        **_words(report.counts),
        "bodies": _words(report.bodies),
        "body_failures": _words(report.failures),
        "deliveries": _brought(report.deliveries),
        "targets": _brought(report.targets),
        "held": report.held,
        "removed": report.removed,
        "rows_left": report.rows_left,
        "cleanup_blocked": report.is_blocked or report.error is not None,
        "unchanged": report.is_unchanged,
        "other_tables": dict(report.other),
        "error": None if report.error is None else reason_of(report.error).document(),
    }
