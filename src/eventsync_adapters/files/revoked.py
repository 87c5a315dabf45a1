"""Grants that were ended by a file, so that a busy database cannot prevent it."""

import os
import secrets
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Self

import attrs

from eventsync_adapters import machine
from eventsync_core.codec import read_document, write_document
from eventsync_core.egress import Grant, GrantAct, Grants, end_grant
from eventsync_core.errors import StoreNotWritableError

__all__ = ["Revocation", "Revocations", "RevokedGrants"]

_UNFINISHED = "new."


@attrs.frozen
class Revocation:
    """
    One file: the grant it ends, who ended it, why, and when (microseconds since 1970 UTC).

    `actor` and `reason` are empty where an older program wrote it.
    """

    path: Path
    target_id: str
    stream: str
    at: int
    actor: str = ""
    reason: str = ""


@attrs.frozen
class Revocations:
    """
    Grants that were ended by a file in *folder*, so that a busy database cannot prevent it.

    Every revocation is a file of its own: folding one in never takes a later one away.
    """

    folder: Path

    @classmethod
    def of(cls, database: Path) -> Self:
        """
        Return those of the database at that path, however it is reached, and of no other.

        They stand beside the file: in `revoked` for an `eventsync.db`, else in a folder that has
        its name too.
        """
        # SQLite follows links as well, so that the same file may be known by several names.
        place = Path(os.path.realpath(database))
        name = "revoked" if place.name == "eventsync.db" else f"{place.name}.revoked"
        return cls(place.with_name(name))

    def add(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> Revocation:
        """
        End the grant of *stream* to the target at once, durably.

        Raises:
            StoreNotWritableError: The file cannot be written; nothing of it counts.
        """
        content = {
            "target_id": target_id,
            "stream": stream,
            "at": at,
            "actor": actor,
            "reason": reason,
        }
        path = self.folder / f"{_prefix(target_id, stream)}.{secrets.token_hex(8)}"
        # Under its own name it counts, and half of a file can never be folded in.
        unfinished = path.with_name(f"{_UNFINISHED}{path.name}")
        try:
            machine.make_private_folder(path.parent)
            handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(handle, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(write_document(content).encode())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            machine.sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            raise StoreNotWritableError(f"{path} cannot be written: {error.strerror}") from error
        return Revocation(path, target_id, stream, at, actor, reason)

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
                if path.name.startswith(_UNFINISHED):
                    continue
                with suppress(OSError, ValueError, KeyError, TypeError):
                    content = read_document(path.read_bytes())
                    names = str(content["target_id"]), str(content["stream"])
                    who = str(content.get("actor", "")), str(content.get("reason", ""))
                    # One that is damaged ends what its name says, and is never folded in.
                    if path.name.startswith(_prefix(*names)):
                        found.append(Revocation(path, *names, int(content["at"]), *who))
        return found


def _prefix(target_id: str, stream: str) -> str:
    return sha256(f"{target_id}\0{stream}".encode()).hexdigest()[:32]


@attrs.frozen
class RevokedGrants:
    """`Grants` that also look into the folder of revocations before they permit anything."""

    inner: Grants
    revocations: Revocations

    def grant(
        self,
        target_id: str,
        stream: str,
        *,
        from_position: int,
        actor: str,
        reason: str,
        at: int,
        from_body: int = 0,
    ) -> Grant:
        """See `Grants.grant`."""
        granted = self.inner.grant(
            target_id,
            stream,
            from_position=from_position,
            actor=actor,
            reason=reason,
            at=at,
            from_body=from_body,
        )
        if self.revocations.is_revoked(target_id, stream):
            # It was not folded in: it cannot be read or removed, or a unit of work is open.
            error = StoreNotWritableError(
                f"a revocation in {self.revocations.folder} ends this grant, and stays there"
            )
            error.fix_text = "grant it outside of a unit of work, or remove the file there"
            raise error
        return granted

    def revoke(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """See `Grants.revoke`."""
        self.inner.revoke(target_id, stream, actor=actor, reason=reason, at=at)

    def pause(self, target_id: str, stream: str, reason: str, *, actor: str, at: int) -> None:
        """See `Grants.pause`."""
        self.inner.pause(target_id, stream, reason, actor=actor, at=at)

    def resume(self, target_id: str, stream: str, *, actor: str, reason: str, at: int) -> None:
        """See `Grants.resume`."""
        self.inner.resume(target_id, stream, actor=actor, reason=reason, at=at)

    def get(self, target_id: str, stream: str) -> Grant | None:
        """See `Grants.get`; a grant with a revocation file is revoked."""
        return self._seen(self.inner.get(target_id, stream))

    def grants(self, target_id: str) -> list[Grant]:
        """See `Grants.grants`."""
        return [self._seen(grant) or grant for grant in self.inner.grants(target_id)]

    def acts(self, target_id: str, *, limit: int = 1000) -> list[GrantAct]:
        """See `Grants.acts`; a revocation is among them once it is folded in."""
        return self.inner.acts(target_id, limit=limit)

    def act_count(self, target_id: str) -> int:
        """See `Grants.act_count`."""
        return self.inner.act_count(target_id)

    def _seen(self, grant: Grant | None) -> Grant | None:
        if grant is None or not grant.is_live:
            return grant
        if not self.revocations.is_revoked(grant.target_id, grant.stream):
            return grant
        pair = (grant.target_id, grant.stream)
        said = [
            each for each in self.revocations.pending() if (each.target_id, each.stream) == pair
        ]
        first = min(said, key=lambda each: each.at, default=None)
        if first is None:
            return end_grant(grant, actor="", reason="", at=grant.granted_at)
        return end_grant(grant, actor=first.actor, reason=first.reason, at=first.at)
