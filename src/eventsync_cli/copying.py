"""Whether a copy of a store holds together, before anyone relies on it."""

from collections.abc import Sequence

import attrs

from eventsync_cli.compose import App
from eventsync_cli.compose.copies import Copy
from eventsync_cli.render import Progress, counted
from eventsync_core.errors import OF_ODD_VALUES, BackupDamagedError, StoreUnreadableError
from eventsync_core.inspection import Link
from eventsync_core.integrity import verify
from eventsync_core.journal import Head, heads_of
from eventsync_core.stores import Stores

__all__ = ["Checked", "checked"]


@attrs.frozen
class Checked:
    """How much a copy holds, None: not known; and what does not hold together; empty: all does."""

    events: int | None = None
    streams: int | None = None
    flaw: str = ""

    @property
    def said(self) -> str:
        """How much it is, in words."""
        known = self.events is not None
        return counted(self.events or 0, "event") if known else "an unknown number of events"

    @property
    def verdict(self) -> str:
        """What it may be relied on for, in words."""
        return f"damaged: {self.flaw}" if self.flaw else "verified"


def checked(
    app: App,
    copy: Copy,
    stores: Stores,
    *,
    called: str,
    damaged: bool,
    fix: str = BackupDamagedError.fix_text,
) -> Checked:
    """
    Return what *copy* holds, all of it read and compared with what was noted, up to a flaw.

    Raises:
        BackupDamagedError: It does not hold together, and *damaged* ones are not wanted; it is
            spoken of as *called*, and *fix* helps.
    """
    found = Checked(flaw=copy.flaw())
    try:
        heads = heads_of(stores.journal, None)
        count = sum(max(head.position, 0) for head in heads)
        found = Checked(count, len(heads), found.flaw)
        flaw = found.flaw or _verified(app, stores, heads) or _lost(stores) or _strange(stores)
        found = attrs.evolve(found, flaw=flaw)
    except StoreUnreadableError as error:
        found = attrs.evolve(found, flaw=found.flaw or error.message)
    except OF_ODD_VALUES:
        found = attrs.evolve(found, flaw=found.flaw or "it holds what eventsync never writes")
    # The copy goes, or gets another name.
    found = attrs.evolve(found, flaw=found.flaw.replace(str(copy.place), called))
    if found.flaw and not damaged:
        refusal = BackupDamagedError(f"{called} does not hold together: {found.flaw}")
        refusal.fix_text = fix
        raise refusal
    return found


def _lost(stores: Stores) -> str:
    """Return the first entry whose stream is not there; empty: none is."""
    after: tuple[int | str, ...] | None = ()
    while after is not None:
        looked = stores.inspection.dangling(Link.ENTRY, after=after)
        for each in looked.found:
            return each.message
        after = looked.last
    return ""


def _strange(stores: Stores) -> str:
    """Return the first part of the schema that is not as it was made; empty: all is."""
    # What is in the tables was looked at.
    for name in stores.inspection.check(seconds=0).schema:
        return f"{name} is a table, index or trigger that was not made so"
    return ""


def _verified(app: App, stores: Stores, heads: Sequence[Head]) -> str:
    """Return the first thing that does not hold in the streams of *heads*; empty: all does."""
    done, total = 0, sum(head.position for head in heads)
    with Progress("verifying", app.clock, total=total, no_color=app.no_color) as bar:
        for head in heads:
            found = verify(stores.journal, head.stream, head=head)
            if not found.is_intact:
                return f"stream {head.stream}, position {found.first_bad}: {found.reason}"
            done += head.position
            bar.reach(done)
    return ""
