from typing import TYPE_CHECKING

import attrs

from eventsync_cli.compose._stored import Stored

if TYPE_CHECKING:
    from eventsync_adapters.sqlite import Space


@attrs.define(kw_only=True)
class Keeping(Stored):
    """A store with the room that it takes on the disk."""

    def space(self) -> "Space | None":
        """Return the size of the database, and what of it is unused; None: there is no file."""
        if not self.has_store:
            return None
        self._require_sqlite()
        from eventsync_adapters.sqlite import measure

        return measure(self.database)

    def give_back(self) -> "Space | None":
        """Return unused pages to the disk; see the sqlite adapter. None: there is no file."""
        if not self.has_store:
            return None
        self._require_sqlite()
        from eventsync_adapters.sqlite import give_back

        return give_back(self.database)

    def compact(self) -> "Space | None":
        """Write the database anew; see the sqlite adapter. None: there is no file."""
        if not self.has_store:
            return None
        self._require_sqlite()
        from eventsync_adapters.sqlite import compact

        return compact(self.database)
