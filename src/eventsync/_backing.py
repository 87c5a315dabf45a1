from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from eventsync_core.clock import Clock
from eventsync_core.errors import StoreError

if TYPE_CHECKING:
    from eventsync_adapters.files.revoked import Revocations
    from eventsync_core.egress import GrantAct
    from eventsync_core.stores import Stores


@attrs.frozen
class HomeBacking:
    """A home folder: one SQLite file, and revocations that stand in files beside it."""

    home: Path
    clock: Clock
    durability: str
    busy_seconds: float

    @property
    def database(self) -> Path:
        """Where the database is, or would be."""
        return self.home / "eventsync" / "eventsync.db"

    @property
    def database_bytes(self) -> int:
        """How large the database is; 0 where there is none that can be looked at."""
        try:
            return self.database.stat().st_size
        except OSError:
            return 0

    def writing(self) -> "AbstractContextManager[Stores]":
        """Open the database, made if it is missing."""
        from eventsync_adapters.sqlite import open_stores

        return open_stores(
            self.database,
            durability=self.durability,
            busy_seconds=self.busy_seconds,
            clock=self.clock,
        )

    def heeding(self, stores: "Stores") -> "Stores":
        """Return *stores* with grants that heed the revocations in files; these are folded in."""
        from eventsync_adapters.files.heeding import fold_in, heeding

        revocations = self._revocations()
        fold_in(stores, revocations, revocations.pending())
        return heeding(stores, revocations)

    @contextmanager
    def reading(self, opened: "Stores | None") -> "Iterator[Stores | None]":
        """Open the database without changing anything; None: there is none. Use *opened* if set."""
        from eventsync_adapters.files.heeding import heeding
        from eventsync_adapters.sqlite import open_for_reading

        with ExitStack() as stack:
            found = opened
            if found is None:
                fresh = open_for_reading(self.database, busy_seconds=self.busy_seconds)
                found = None if fresh is None else stack.enter_context(fresh)
            yield None if found is None else heeding(found, self._revocations())

    def revoke(
        self,
        writing: "Callable[[], Stores]",
        target_id: str,
        stream: str,
        *,
        actor: str,
        reason: str,
        at: int,
    ) -> None:
        """Write a file first, then the database; either is enough. Earlier files come first."""
        from eventsync_adapters.files.heeding import fold_in

        folder, failed = self._revocations(), None
        waiting = folder.pending()
        if not self.database_bytes and any(
            (each.target_id, each.stream) == (target_id, stream) for each in waiting
        ):
            return
        try:
            waiting.append(folder.add(target_id, stream, actor=actor, reason=reason, at=at))
        except StoreError as error:
            failed = error
        if not self.database_bytes:
            if failed is not None:
                raise failed
            return
        try:
            stores = writing()
            # In a unit the file alone holds at once, whatever becomes of the unit.
            fold_in(stores, folder, waiting)
            if failed is not None:
                stores.grants.revoke(target_id, stream, actor=actor, reason=reason, at=at)
                if stores.is_in_unit:
                    raise failed
        except StoreError:
            if failed is not None:
                raise

    def _revocations(self) -> "Revocations":
        from eventsync_adapters.files.revoked import Revocations

        return Revocations.of(self.database)


@attrs.define
class MemoryBacking:
    """Nothing but an object; a revocation holds whatever becomes of its unit of work."""

    home = ""
    database = ""
    database_bytes = 0
    _stores: "Stores | None" = None
    _revoked: "list[tuple[str, GrantAct]]" = attrs.field(factory=list)

    def writing(self) -> "AbstractContextManager[Stores]":
        """Return the one store."""
        if self._stores is None:
            from eventsync_core.stores import MemoryStores

            self._stores = MemoryStores()
        return nullcontext(self._stores)

    def heeding(self, stores: "Stores") -> "Stores":
        """Return *stores*, in which a revocation is done again whose unit of work failed."""
        done: list[tuple[str, GrantAct]] = []
        for target_id, act in self._revoked:
            count = stores.grants.act_count(target_id)
            grant = stores.grants.get(target_id, act.stream)
            if act in stores.grants.acts(target_id, limit=count):
                done.append((target_id, act))
            elif grant is not None and grant.is_live:
                said = {"actor": act.actor, "reason": act.reason}
                stores.grants.revoke(target_id, act.stream, **said, at=act.at)
                done += [(target_id, newest) for newest in stores.grants.acts(target_id, limit=1)]
        # The unit that this stands in may fail too.
        self._revoked = done if stores.is_in_unit else []
        return stores

    def reading(self, opened: "Stores | None") -> "AbstractContextManager[Stores | None]":
        """Return the one store, if it is there."""
        return nullcontext(None if opened is None else self.heeding(opened))

    def revoke(
        self,
        writing: "Callable[[], Stores]",
        target_id: str,
        stream: str,
        *,
        actor: str,
        reason: str,
        at: int,
    ) -> None:
        """End the grant."""
        stores = writing()
        grant = stores.grants.get(target_id, stream)
        stores.grants.revoke(target_id, stream, actor=actor, reason=reason, at=at)
        if stores.is_in_unit and grant is not None and grant.is_live:
            self._revoked += [(target_id, act) for act in stores.grants.acts(target_id, limit=1)]
