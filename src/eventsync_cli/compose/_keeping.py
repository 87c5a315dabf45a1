from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from eventsync_cli.compose._stored import Stored

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from eventsync_adapters.files.zipped import ZippedFile
    from eventsync_adapters.sqlite import Space


@attrs.define(kw_only=True)
class Keeping(Stored):
    """A store with the room that it takes on the disk."""

    def zipped_file(self, path: Path) -> "AbstractContextManager[ZippedFile]":
        """
        Make the compressed file *path*, which is not there yet and is none of the home's own.

        Raises:
            OutputUnusableError: It cannot be made there; nothing was written.
        """
        from eventsync_adapters.files.zipped import zipped_file

        self.check_outside(path)
        return zipped_file(path)

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
