from typing import Any

from eventsync_cli.acting import acting
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.render import Progress, Result
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import Reason
from eventsync_core.integrity import Verification, verify
from eventsync_core.stores import Stores


@acting("verify")
def command(app: App) -> Result:
    """Check digests, chain and gapless positions of every stream, or of --project's."""
    with app.reading() as stores:
        found = [] if stores is None else _verify(app, stores)
    broken = [each for each in found if not each.is_intact]
    return Result(
        document={
            "verified": sum(each.good for each in found),
            "streams": [_document(each) for each in found[:MOST_ITEMS]],
            "streams_count": len(found),
            "broken_count": len(broken),
        },
        lines=[_line(each) for each in found] or ["nothing is stored"],
        talk=app.concerns(),
        code=ExitCode.STORE if broken else ExitCode.OK,
        reason=_reason(broken),
    )


def _verify(app: App, stores: Stores) -> list[Verification]:
    heads = [head for head in stores.journal.heads() if head.position]
    if app.chosen.project is not None:
        heads = [head for head in heads if head.stream == app.stream]
    found: list[Verification] = []
    total = sum(head.position for head in heads)
    with Progress("verifying", app.clock, total=total, no_color=app.no_color) as bar:
        done = 0
        for head in heads:
            before = done

            def reach(position: int, before: int = before) -> None:
                bar.reach(before + position)

            found.append(verify(stores.journal, head.stream, progress=reach))
            done += head.position
    return found


def _document(found: Verification) -> dict[str, Any]:
    return {
        "stream": found.stream,
        "head": found.head,
        "intact": found.is_intact,
        "good": found.good,
        "bad": found.bad,
        "first_bad": found.first_bad,
        "flaw": found.flaw,
        "reason": found.reason or None,
    }


def _line(found: Verification) -> str:
    if found.is_intact:
        return f"stream {found.stream}: {found.good} entries, intact"
    return (
        f"stream {found.stream}: {found.good} of {found.head} entries good; "
        f"position {found.first_bad}: {found.reason} [{found.flaw}]"
    )


def _reason(broken: list[Verification]) -> Reason | None:
    if not broken:
        return None
    names = ", ".join(each.stream for each in broken[:5])
    return Reason(
        code="journal_damaged",
        message=f"what is stored does not hold together in: {names}",
        fix_text="keep the file as it is, and put a good copy in its place",
    )
