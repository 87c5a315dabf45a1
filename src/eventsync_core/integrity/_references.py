from collections.abc import Callable

import attrs

from eventsync_core.codec import MOST_ITEMS
from eventsync_core.errors import StoreUnreadableError
from eventsync_core.inspection import NO_OUTCOME, Dangling, Inspection, Link

_PAGE = 2_000


@attrs.frozen(kw_only=True)
class References:
    """
    What a walk over all references found.

    `looked` were looked at; `broken` refer to nothing, of which `found` are the first;
    `unreadable` says of which the walk ended early, and why.
    """

    looked: int
    broken: int
    found: tuple[Dangling, ...] = ()
    unreadable: tuple[tuple[Link, str], ...] = ()

    @property
    def is_intact(self) -> bool:
        """Everything could be read, and refers to what is there."""
        return not self.broken and not self.unreadable

    @property
    def is_mendable(self) -> bool:
        """Something is broken, and `Inspection.mend` sets right all that was found."""
        is_told = bool(self.found) and not self.unreadable
        return is_told and all(each.is_mendable for each in self.found)

    @property
    def refuses_mending(self) -> bool:
        """`Inspection.mend` changes nothing: the ledger holds a word that is no outcome."""
        return any(each.missing == NO_OUTCOME for each in self.found)


def verify_references(
    inspection: Inspection,
    *,
    stream: str | None = None,
    page: int = _PAGE,
    progress: Callable[[int], None] | None = None,
) -> References:
    """
    Look at every reference in pages of *page*, and return those that lead nowhere.

    With *stream* only those of that stream are told. *progress* is called after each page with
    how many were looked at.
    """
    looked = broken = 0
    found: list[Dangling] = []
    unreadable: list[tuple[Link, str]] = []
    for link in Link:
        after: tuple[int | str, ...] | None = ()
        try:
            while after is not None:
                step = inspection.dangling(link, after=after, limit=page)
                after, looked = step.last, looked + step.count
                told = [each for each in step.found if stream in (None, each.stream)]
                broken += len(told)
                found += told[: MOST_ITEMS - len(found)]
                if progress is not None:
                    progress(looked)
        except StoreUnreadableError as error:
            unreadable.append((link, error.message))
    return References(
        looked=looked, broken=broken, found=tuple(found), unreadable=tuple(unreadable)
    )
