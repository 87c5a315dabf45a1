import os
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import attrs

from eventsync_core import __version__
from eventsync_core.authority import Claims, ResolvedTarget, resolve
from eventsync_core.errors import Reason, StoreError, reason_of
from eventsync_core.ids import Kind
from eventsync_core.policy import Mode
from eventsync_core.receivers import DeliveryReceiver, Gate
from eventsync_core.status import (
    STALL_AFTER_SECONDS,
    Foreground,
    Setting,
    Status,
    as_document,
    check,
    collect,
)
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

_INCOHERENT = 2
_MODES = {Kind.TEAMSPACE: Mode.TEAMSPACE, Kind.EXTERNAL: Mode.EXTERNAL_RECEIVER}


@attrs.frozen
class Standing:
    """
    What is stored, delivered and owed, and what does not hang together.

    `exit_code` is that of `eventsync sync status --check`: 0, or 2 with `reasons`.
    """

    status: Status
    reasons: tuple[Reason, ...]

    @property
    def exit_code(self) -> int:
        """See `eventsync sync status --check`."""
        return _INCOHERENT if self.reasons else 0

    def document(self) -> dict[str, Any]:
        """Return it as JSON; the fields are those of `eventsync sync status --json`."""
        return as_document(self.status, self.reasons, exit_code=self.exit_code)


def look(
    reading: AbstractContextManager[Stores | None],
    setting: Setting,
    *,
    at: int,
) -> Standing:
    """Read the store once; one that cannot be read is part of the answer, as unknown."""
    try:
        with reading as stores:
            status = collect(stores, setting, at=at)
    except StoreError as error:
        status = collect(None, attrs.evolve(setting, store_error=error), at=at)
    return Standing(status, check(status))


def setting_of(
    target: Target | None,
    receiver: DeliveryReceiver | None,
    authority: ResolvedTarget | None,
    *,
    mode: Mode,
    home: str,
    database_path: str,
    stall_after_seconds: int | None,
) -> Setting:
    """Return the setting around a host's store, as far as the host tells it."""
    gates = receiver.closed_gates() if receiver is not None else ()
    is_teamspace = target is not None and target.kind is Kind.TEAMSPACE and receiver is not None
    conflict = None if authority is None else authority.conflict
    return Setting(
        mode=mode if target is None else _MODES.get(target.kind, mode),
        authority=authority or resolve(Claims(), home=home),
        foreground=Foreground(
            package_version=__version__,
            executable_path=sys.executable or "",
            source_path=str(Path(__file__).parent),
            pid=os.getpid(),
        ),
        # A host's home is not searched for what old programs left.
        queue_files=None,
        database_path=database_path,
        stall_after_seconds=(
            STALL_AFTER_SECONDS if stall_after_seconds is None else stall_after_seconds
        ),
        current=target,
        gates=tuple(gate.value for gate in gates),
        auth_required=is_teamspace and Gate.SAAS_DISABLED not in gates,
        auth_present=is_teamspace and Gate.MISSING_AUTH not in gates,
        problems=() if conflict is None else (reason_of(conflict),),
    )
