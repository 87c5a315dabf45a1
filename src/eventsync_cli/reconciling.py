"""What a target holds, against what the ledger says of it."""

from collections.abc import Sequence

from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.render import Result
from eventsync_core.errors import Reason, UnknownTargetError
from eventsync_core.integrity import Reconciliation, reconcile

__all__ = ["compare"]

_SHOWN = 20


def compare(app: App, target_id: str) -> Result:
    """Ask the target what it holds, and compare that with the ledger."""
    with app.reading() as stores:
        if stores is None:
            raise UnknownTargetError(target_id)
        target = stores.targets.get(target_id)
        with app.reader_of(target) as reader:
            found = reconcile(stores, target_id, reader.held(), at=app.clock())
    lists = {
        "missing": (found.missing, found.missing_count),
        "unnoted": (found.unnoted, found.unnoted_count),
        "different": (found.different, found.different_count),
    }
    document: dict[str, object] = {"target_id": target_id, "agreed": found.agreed}
    for name, (ids, count) in lists.items():
        document |= {name: list(ids), f"{name}_count": count}
    counted = (
        f"{target.url}: agreed {found.agreed}  missing there {found.missing_count}  "
        f"there but not noted {found.unnoted_count}  different {found.different_count}  "
        f"not captured here {found.unknown}"
    )
    return Result(
        document={**document, "unknown": found.unknown},
        lines=[
            counted,
            *_named("missing there", found.missing),
            *_named("there but not noted", found.unnoted),
            *_named("different", found.different),
        ],
        talk=app.concerns(),
        code=ExitCode.OK if found.is_agreed else ExitCode.INCOMPLETE,
        reason=_reason(target_id, found),
    )


def _named(what: str, ids: Sequence[str]) -> list[str]:
    lines = [f"  {what}: {event_id}" for event_id in ids[:_SHOWN]]
    return [*lines, f"  {what}: and more"] if len(ids) > _SHOWN else lines


def _reason(target_id: str, found: Reconciliation) -> Reason | None:
    if found.is_agreed:
        return None
    code, message = "target_differs", "the target does not hold what the ledger says"
    if found.missing_count:
        argv = ("eventsync", "sync", "replay", "--all", "--to", target_id)
        return Reason(code=code, message=message, fix_argv=argv)
    fix = (
        "sync now offers what is not noted again, and finds it there; what was archived or purged "
        "journal import brings back first; see what it made of others"
    )
    return Reason(code=code, message=message, fix_text=fix)
