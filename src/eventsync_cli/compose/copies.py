"""Copies of the whole store: made, looked into, and put where it stood."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from eventsync_cli.compose._stored import Stored
from eventsync_core.clock import iso_time
from eventsync_core.errors import BackupDamagedError, StoreError, StoreUnreadableError
from eventsync_core.restoring import Settled
from eventsync_core.stores import Stores

if TYPE_CHECKING:
    from eventsync_adapters.files.revoked import Revocation

__all__ = [
    "Copy",
    "Found",
    "Prepared",
    "backing_up",
    "heeded",
    "left_copies",
    "looking_into",
    "preparing",
    "present",
    "standing",
]

_PUT_ASIDE = ".before-restore-"


@attrs.frozen
class Found:
    """The stores at a place, None: none are there; or `unknown`, why nobody can tell."""

    stores: Stores | None = None
    unknown: str = ""


@attrs.frozen
class Copy:
    """A copy of a store in a file."""

    place: Path

    @property
    def bytes(self) -> int:
        """How large it is."""
        return self.place.stat().st_size

    def flaw(self) -> str:
        """Return what the database engine finds wrong with it; empty: nothing."""
        from eventsync_adapters.sqlite import flaw_of

        return flaw_of(self.place)

    @contextmanager
    def reading(self) -> Iterator[Stores]:
        """
        Open it for reading for the length of the block.

        Raises:
            StoreError: It cannot be read.
        """
        from eventsync_adapters.sqlite import open_for_reading

        opened = open_for_reading(self.place)
        if opened is None:
            raise StoreUnreadableError(f"{self.place} holds no store")
        with opened:
            yield opened


@attrs.frozen
class Prepared(Copy):
    """A copy that is about to stand where the store of a home stands."""

    @contextmanager
    def writing(self) -> Iterator[Stores]:
        """Open it for writing for the length of the block."""
        from eventsync_adapters.sqlite import open_stores

        with open_stores(self.place) as opened:
            yield opened

    def put(
        self, app: Stored, settle: Callable[[Stores, Found], Settled]
    ) -> tuple[Copy | None, Settled]:
        """
        Let it be the store of *app*; return a copy of what was there, and what *settle* returned.

        While nobody else can change anything, *settle* is told of it and of what was there.

        Raises:
            StoreError: It cannot be put there; where a copy of what was there stays, either may
                be in place, else all is as it was.
        """
        from eventsync_adapters.sqlite import put_in_place

        aside, done = _aside(app), Settled()

        def settled() -> None:
            nonlocal done
            # What is locked by us is read in its copy.
            place = aside if aside.exists() else app.database
            with self.writing() as stores, standing(place) as before:
                done = settle(stores, before)

        put_in_place(self.place, app.database, aside, settle=settled)
        return (Copy(aside) if aside.exists() else None), done


@contextmanager
def backing_up(app: Stored, path: Path, *, replace: bool) -> Iterator[Copy]:
    """
    Copy the store of *app*, which gets the name *path* at the end of the block.

    Grants that were ended by a file are ended in it.

    Raises:
        OutputUnusableError: It cannot be made there.
        StoreError: The store is gone, or cannot be copied.
    """
    from eventsync_adapters.files.placed import placed_file
    from eventsync_adapters.sqlite import copy_store

    app.check_outside(path)
    with placed_file(path, replace=replace) as place:
        # Before and after: a writer may note one in the store while it is copied.
        pending = {each.path: each for each in app.revocations().pending()}
        copy_store(app.database, place)
        pending |= {each.path: each for each in app.revocations().pending()}
        _end_grants(place, list(pending.values()))
        yield Copy(place)


def heeded(app: Stored, stores: Stores) -> Stores:
    """Return *stores* as they are where grants were ended by the files of *app*."""
    from eventsync_adapters.files.heeding import heeding

    return heeding(stores, app.revocations())


def looking_into(file: Path) -> Copy:
    """
    Return the backup *file*.

    Raises:
        BackupDamagedError: It is no store that can be read.
    """
    copy = Copy(file)
    try:
        with copy.reading():
            return copy
    except StoreUnreadableError as error:
        raise BackupDamagedError(f"{file} is no backup: {error.message}") from error


@contextmanager
def preparing(app: Stored, file: Path) -> Iterator[Prepared]:
    """
    Copy the backup *file* beside the database of *app*; what is not put there by the end goes.

    Raises:
        StoreError: It cannot be copied there.
    """
    from eventsync_adapters import machine
    from eventsync_adapters.files.placed import scratch_file
    from eventsync_adapters.sqlite import copy_store, not_made

    try:
        machine.make_private_folder(app.database.parent)
    except OSError as error:
        raise not_made(app.database, error) from error
    with scratch_file(app.database, partial(not_made, app.database)) as place:
        copy_store(file, place)
        _end_grants(place, app.revocations().pending())
        yield Prepared(place)


@contextmanager
def present(app: Stored) -> Iterator[Found]:
    """
    Open the store of *app* for reading for the length of the block, if it is there and can be read.

    Raises:
        SettingsError: The store is no file.
    """
    app.require_file()
    with standing(app.database) as found:
        yield found


@contextmanager
def standing(place: Path) -> Iterator[Found]:
    """Open what is at *place* for reading for the length of the block, if it can be read."""
    from eventsync_adapters.sqlite import open_for_reading

    opened, unknown = None, ""
    try:
        opened = open_for_reading(place)
    except StoreError as error:
        unknown = error.message
    with nullcontext() if opened is None else closing(opened):
        yield Found(opened, unknown)


def _end_grants(place: Path, pending: Collection["Revocation"]) -> None:
    from eventsync_adapters.sqlite import open_stores

    if not pending:
        return
    with open_stores(place) as stores, stores.atomic():
        for each in sorted(pending, key=lambda each: each.at):
            stores.grants.revoke(
                each.target_id, each.stream, actor=each.actor, reason=each.reason, at=each.at
            )


def left_copies(app: Stored) -> tuple[str, ...]:
    """
    Name the files beside the database that may hold what it held once.

    They were put aside by a restore, or a kill left them unfinished; no command deletes them.
    """
    from eventsync_adapters.files.whole import UNFINISHED

    database = Path(os.path.realpath(app.database))
    begins = (UNFINISHED, f"{database.name}{_PUT_ASIDE}")
    with suppress(OSError):
        return tuple(
            sorted(str(each) for each in database.parent.iterdir() if each.name.startswith(begins))
        )
    return ()


def _aside(app: Stored) -> Path:
    """Return a name beside the database that nothing has."""
    stamp = "".join(each for each in iso_time(app.clock()) if each.isalnum())
    place = Path(os.path.realpath(app.database))
    return place.with_name(f"{place.name}{_PUT_ASIDE}{stamp}")
