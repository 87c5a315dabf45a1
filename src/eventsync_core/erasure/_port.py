from collections.abc import Sequence
from typing import Protocol

import attrs

from eventsync_core.payloads import Deed


@attrs.frozen(kw_only=True)
class Erased:
    """
    How much of each kind there is of a stream, or was erased.

    `payloads` of its entries, `provenance` rows, rows that were `set_aside`, `bodies` with where
    they stand, refusals of bodies (`failures`), `words` that targets said of its events, to
    this program or to old ones, `reasons` of holds, and names of `aggregates`.
    """

    payloads: int = 0
    provenance: int = 0
    set_aside: int = 0
    bodies: int = 0
    failures: int = 0
    words: int = 0
    reasons: int = 0
    aggregates: int = 0


class Erasing(Protocol):
    """Lets the content of a stream go on request; `ErasingContract` tests each promise."""

    def there(self, stream: str) -> Erased:
        """
        Return what there is of *stream*, but for payloads and what was set aside.

        Provenance is its own as `eventsync_core.legacy.belongs` says, and where its bodies came
        from that name no project; refusals of bodies are, when they name its project, in whatever
        case of letters.
        """
        ...

    def erase(self, stream: str, aside: Sequence[int], deed: Deed) -> Erased:
        """
        Erase what `there` counts but for aggregates, and the rows set aside under *aside*.

        Of a body that named no project its row stays on record, without its name. It is
        overwritten, not only forgotten. Ids, types, digests, chain and outcomes stay, and
        that and for how long an entry was held. The deed is on record, even when nothing was
        left to be erased.
        """
        ...

    def erase_aggregates(self, stream: str) -> int:
        """
        Erase the names of the aggregates of entries without payload; return how many.

        An entry gets its own back with its payload.
        """
        ...
