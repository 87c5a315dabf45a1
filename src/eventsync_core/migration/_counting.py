"""How often a body was refused, when several logs count the same."""

from collections.abc import Iterable

from eventsync_core.bodies import UploadFailure
from eventsync_core.legacy import Provenance


def uncounted(failure: UploadFailure, known: Iterable[Provenance]) -> int:
    """
    Return how much *failure* counts beyond what is *known* of its key and reason.

    A row of a log is the one that first failed at that time, wherever it stands: its copies
    count once, with the highest count. One that first failed at another time counts by itself.
    """
    first = failure.first_failed_at
    counted = (row.retry_count or 0 for row in known if row.queued_at == first)
    return max(0, failure.count - max(counted, default=0))
