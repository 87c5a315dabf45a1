"""What stands instead of an adapter."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

import attrs

from eventsync_core.bodies import BodyUpload
from eventsync_core.receivers import Gate, Permit

__all__ = ["NoBodies", "NoNetwork"]


class NoNetwork:
    """Stands in for the network where only gates are asked for."""

    secrets = ()

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> NoReturn:
        raise RuntimeError(f"{len(content)} bytes were not posted to {url} ({len(headers)})")

    def get(self, url: str, headers: Mapping[str, str]) -> NoReturn:
        raise RuntimeError(f"{url} was not asked ({len(headers)})")


@attrs.frozen
class NoBodies:
    """Stands in for the body endpoint of a target that has none: its gate is always closed."""

    target_id: str

    def closed_gates(self) -> Sequence[Gate]:
        """See `BodyReceiver.closed_gates`."""
        return (Gate.ENDPOINT_MISSING,)

    def push(self, permit: Permit, upload: BodyUpload) -> NoReturn:
        raise RuntimeError(f"{upload.key.artifact_path} was not sent to {permit.target_id}")
