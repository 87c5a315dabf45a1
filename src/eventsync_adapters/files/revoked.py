"""Grants that were ended by a file, so that a busy database cannot prevent it."""

import os
import secrets
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path

import attrs

from eventsync_adapters import machine
from eventsync_core.codec import read_document, write_document
from eventsync_core.egress import Grant, Grants
from eventsync_core.errors import StoreNotWritableError
from eventsync_core.journal import Journal
from eventsync_core.ledger import Backlog, Desk, Holds, Leases, Ledger, Superseding
from eventsync_core.policy import Audit
from eventsync_core.stores import Stores
from eventsync_core.targets import TargetRegistry

__all__ = ["GrantedStores", "Revocation", "Revocations", "RevokedGrants", "heeding"]


@attrs.frozen
class Revocation:
    """One file: the grant it ends, and when it was written (microseconds since 1970 UTC)."""

    path: Path
    target_id: str
    stream: str
    at: int


@attrs.frozen
class Revocations:
    """
    Grants that were ended by a file in *folder*, so that a busy database cannot prevent it.

    Every revocation is a file of its own: folding one in never takes a later one away.
    """

    folder: Path

    def add(self, target_id: str, stream: str, *, at: int) -> Revocation:
        """
        End the grant of *stream* to the target at once, durably.

        Raises:
            StoreNotWritableError: The file cannot be written.
        """
        content = {"target_id": target_id, "stream": stream, "at": at}
        path = self.folder / f"{_prefix(target_id, stream)}.{secrets.token_hex(8)}"
        try:
            machine.make_private_folder(path.parent)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(write_document(content).encode())
                file.flush()
                os.fsync(file.fileno())
            machine.sync_folder(path.parent)
        except OSError as error:
            raise StoreNotWritableError(f"{path} cannot be written: {error.strerror}") from error
        return Revocation(path, target_id, stream, at)

    def remove(self, revocation: Revocation) -> None:
        """Forget this one, which the database knows by now."""
        with suppress(OSError):
            revocation.path.unlink()

    def is_revoked(self, target_id: str, stream: str) -> bool:
        """Say whether such a file stands there, or cannot be looked for."""
        wanted = _prefix(target_id, stream)
        try:
            with os.scandir(self.folder) as found:
                return any(entry.name.startswith(wanted) for entry in found)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            # What cannot be looked at may stand there.
            return True

    def pending(self) -> list[Revocation]:
        """Return every revocation that stands in a file, for the next writer to fold in."""
        found = []
        with suppress(OSError):
            for path in sorted(self.folder.iterdir()):
                with suppress(OSError, ValueError, KeyError, TypeError):
                    content = read_document(path.read_bytes())
                    names = str(content["target_id"]), str(content["stream"])
                    found.append(Revocation(path, *names, int(content["at"])))
        return found


def _prefix(target_id: str, stream: str) -> str:
    return sha256(f"{target_id}\0{stream}".encode()).hexdigest()[:32]


@attrs.frozen
class RevokedGrants:
    """`Grants` that also look into the folder of revocations before they permit anything."""

    inner: Grants
    revocations: Revocations

    def grant(
        self, target_id: str, stream: str, *, from_position: int, actor: str, reason: str, at: int
    ) -> Grant:
        """See `Grants.grant`."""
        return self.inner.grant(
            target_id, stream, from_position=from_position, actor=actor, reason=reason, at=at
        )

    def revoke(self, target_id: str, stream: str, *, at: int) -> None:
        """See `Grants.revoke`."""
        self.inner.revoke(target_id, stream, at=at)

    def pause(self, target_id: str, stream: str, reason: str) -> None:
        """See `Grants.pause`."""
        self.inner.pause(target_id, stream, reason)

    def resume(self, target_id: str, stream: str) -> None:
        """See `Grants.resume`."""
        self.inner.resume(target_id, stream)

    def get(self, target_id: str, stream: str) -> Grant | None:
        """See `Grants.get`; a grant with a revocation file is revoked."""
        return self._seen(self.inner.get(target_id, stream))

    def grants(self, target_id: str) -> list[Grant]:
        """See `Grants.grants`."""
        return [self._seen(grant) or grant for grant in self.inner.grants(target_id)]

    def _seen(self, grant: Grant | None) -> Grant | None:
        if grant is None or not grant.is_live:
            return grant
        if not self.revocations.is_revoked(grant.target_id, grant.stream):
            return grant
        pair = (grant.target_id, grant.stream)
        times = [
            each.at for each in self.revocations.pending() if (each.target_id, each.stream) == pair
        ]
        at = min(times, default=grant.granted_at)
        return attrs.evolve(grant, revoked_at=at, generation=grant.generation + 1)


@attrs.define
class GrantedStores:
    """`Stores` whose grants also heed revocations that stand in files."""

    _inner: Stores
    grants: Grants

    @property
    def journal(self) -> Journal:
        """See `Stores`."""
        return self._inner.journal

    @property
    def ledger(self) -> Ledger:
        """See `Stores`."""
        return self._inner.ledger

    @property
    def leases(self) -> Leases:
        """See `Stores`."""
        return self._inner.leases

    @property
    def backlog(self) -> Backlog:
        """See `Stores`."""
        return self._inner.backlog

    @property
    def desk(self) -> Desk:
        """See `Stores`."""
        return self._inner.desk

    @property
    def holds(self) -> Holds:
        """See `Stores`."""
        return self._inner.holds

    @property
    def superseding(self) -> Superseding:
        """See `Stores`."""
        return self._inner.superseding

    @property
    def audit(self) -> Audit:
        """See `Stores`."""
        return self._inner.audit

    @property
    def targets(self) -> TargetRegistry:
        """See `Stores`."""
        return self._inner.targets

    @property
    def is_durable(self) -> bool:
        """See `Stores.is_durable`."""
        return self._inner.is_durable

    def atomic(self) -> AbstractContextManager[None]:
        """See `Stores.atomic`."""
        return self._inner.atomic()


def heeding(stores: Stores, revocations: Revocations) -> Stores:
    """Return *stores* with grants that heed *revocations*, those in files folded in first."""
    for each in revocations.pending():
        stores.grants.revoke(each.target_id, each.stream, at=each.at)
        revocations.remove(each)
    return GrantedStores(stores, RevokedGrants(stores.grants, revocations))
