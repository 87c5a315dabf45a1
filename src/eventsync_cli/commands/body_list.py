from typing import Any

import attrs
import click

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.render import Result, table
from eventsync_cli.targeting import current_if_any
from eventsync_core.bodies import BodyCounts, Listed, Reopening, UploadFailure, UploadState, covers
from eventsync_core.clock import SECOND, iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.stores import Stores

_PAGE = 1_000
_LAST = 253_402_300_800 * SECOND


@acting("list")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=MOST_ITEMS),
    default=50,
    show_default=True,
    help="Most bodies shown.",
)
@click.option(
    "--after",
    metavar="NUMBER",
    type=click.IntRange(min=0, max=2**62),
    default=0,
    help="Go on after this one.",
)
@click.option("--failures", "is_log", is_flag=True, help="List the failure log instead.")
def command(app: App, limit: int, after: int, *, is_log: bool) -> Result:
    """List bodies, of all streams or of --project's, and where each stands with the target."""
    current = current_if_any(app)
    target_id = "" if current is None else current.target_id
    stream = "" if app.chosen.project is None else app.stream
    bodies: list[Listed] = []
    failures: list[UploadFailure] = []
    before: dict[int, list[Reopening]] = {}
    granted: set[int] = set()
    counts, total = BodyCounts(), 0
    with app.reading() as stores:
        if stores is not None:
            counts = stores.bodies.counts(target_id)
            total = _total(stores, stream, counts)
            if is_log:
                failures = stores.bodies.failures(after=after, limit=limit + 1)
            else:
                bodies = stores.bodies.page(target_id, stream, after=after, limit=limit + 1)
                before = _before(stores, target_id, bodies[:limit])
                granted = _granted(stores, target_id, bodies[:limit])
    following = _following(bodies, failures, after, limit)
    rows = [_row(each, granted) for each in bodies[:limit]] + [
        _failure_row(e) for e in failures[:limit]
    ]
    return Result(
        document={
            "bodies": [
                {
                    **_document(each, before.get(each.body.number, [])),
                    "granted": each.body.number in granted,
                }
                for each in bodies[:limit]
            ],
            "bodies_count": total,
            "failures": [_failure_document(each) for each in failures[:limit]],
            "failures_count": counts.failure_log,
            "waiting": counts.waiting,
            "uploaded": counts.uploaded,
            "failed": counts.failed,
            "next_after": following,
        },
        lines=table(rows) or ["no body is stored" if not is_log else "no body was refused"],
        talk=(*app.concerns(), *([f"more: --after {following}"] if following else [])),
    )


def _total(stores: Stores, stream: str, counts: BodyCounts) -> int:
    if not stream:
        return counts.bodies
    total = after = 0
    while page := stores.bodies.page("", stream, after=after, limit=_PAGE):
        total += len(page)
        after = page[-1].body.number
    return total


def _before(stores: Stores, target_id: str, bodies: list[Listed]) -> dict[int, list[Reopening]]:
    """Return what was done to those that were opened again, as far as one list may hold it."""
    found: dict[int, list[Reopening]] = {}
    left = MOST_ITEMS
    for each in bodies:
        if each.standing.reopened and left:
            number = each.body.number
            found[number] = stores.bodies.reopenings(target_id, number, limit=left)
            left -= len(found[number])
    return found


def _granted(stores: Stores, target_id: str, bodies: list[Listed]) -> set[int]:
    """Return the numbers of those that may go to the target."""
    live = {each.stream: each for each in stores.grants.grants(target_id) if each.is_live}
    return {
        each.body.number
        for each in bodies
        if each.body.stream in live and covers(live[each.body.stream], each.body)
    }


def _following(
    bodies: list[Listed], failures: list[UploadFailure], after: int, limit: int
) -> int | None:
    if len(bodies) > limit:
        return bodies[limit - 1].body.number
    return after + limit if len(failures) > limit else None


def _document(listed: Listed, before: list[Reopening]) -> dict[str, Any]:
    body, standing = listed.body, listed.standing
    return {
        "number": body.number,
        "stream": body.stream,
        **attrs.asdict(body.key),
        "hash_algorithm": body.hash_algorithm,
        "size_bytes": body.size_bytes,
        "created_at": _time(body.created_at),
        "added_at": _time(body.added_at),
        "state": standing.state.value,
        "attempts": standing.attempts,
        "retry_count": standing.failures,
        "due_at": _time(standing.due_at or None),
        "last_error": standing.last_error,
        "settled_at": _time(standing.settled_at),
        "before": [
            {
                "act": each.act.value,
                "at": _time(each.at),
                "actor": each.actor,
                "state": each.state.value,
                "last_error": each.last_error,
                "settled_at": _time(each.settled_at),
            }
            for each in before
        ],
        "before_count": standing.reopened,
    }


def _failure_document(failure: UploadFailure) -> dict[str, Any]:
    return {
        **attrs.asdict(failure.key),
        "hash_algorithm": failure.hash_algorithm,
        "size_bytes": failure.size_bytes,
        "failure_reason": failure.reason,
        "failure_count": failure.count,
        "first_failed_at": _time(failure.first_failed_at),
        "last_failed_at": _time(failure.last_failed_at),
    }


def _row(listed: Listed, granted: set[int]) -> tuple[str, ...]:
    body, standing = listed.body, listed.standing
    is_kept = standing.state is UploadState.QUEUED and body.number not in granted
    return (
        str(body.number),
        f"{body.stream}:{body.key.mission_slug}/{body.key.artifact_path}",
        str(body.size_bytes),
        standing.state.value,
        standing.last_error or ("not granted" if is_kept else ""),
    )


def _failure_row(failure: UploadFailure) -> tuple[str, ...]:
    return (
        f"{failure.key.mission_slug}/{failure.key.artifact_path}",
        str(failure.size_bytes),
        str(failure.count),
        _time(failure.last_failed_at) or "",
        failure.reason,
    )


def _time(micros: int | None) -> str | None:
    """Return a time; None too for one that no calendar has, as an older queue may hold."""
    return None if micros is None or not 0 <= micros < _LAST else iso_time(micros)
