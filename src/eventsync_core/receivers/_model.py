from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from hashlib import sha256

import attrs


class Outcome(StrEnum):
    """What came of offering an event; `success` and `duplicate` both mean delivered."""

    SUCCESS = "success"
    DUPLICATE = "duplicate"
    PENDING = "pending"
    REJECTED = "rejected"
    TRANSIENT = "transient"
    UNKNOWN_EFFECT = "unknown_effect"
    TERMINAL_FAILED = "terminal_failed"

    @property
    def is_delivered(self) -> bool:
        """The target acknowledged this very event."""
        return self in (Outcome.SUCCESS, Outcome.DUPLICATE)

    @property
    def is_settled(self) -> bool:
        """No further attempt in this round."""
        return self.is_delivered or self is Outcome.TERMINAL_FAILED

    @property
    def makes_wait(self) -> bool:
        """Later events of the same aggregate wait behind this one."""
        return self in (Outcome.TRANSIENT, Outcome.UNKNOWN_EFFECT)


class Effect(StrEnum):
    """What an attempt may have done at the target."""

    NONE = "none"
    UNKNOWN = "unknown"
    ANSWERED = "answered"


class Gate(StrEnum):
    """Why nothing may be sent now; computed when asked, written to no row."""

    SAAS_DISABLED = "saas_disabled"
    MISSING_AUTH = "missing_auth"
    MISSING_TEAM = "missing_team"
    ENDPOINT_MISSING = "endpoint_missing"
    NO_GRANT = "no_grant"
    STORE_LOCKED = "store_locked"
    NETWORK_UNAVAILABLE = "network_unavailable"


@attrs.frozen
class Permit:
    """
    Leave to send one stream to one target, as of one generation of its grant.

    Only `eventsync_core.egress.permit` makes one.
    """

    target_id: str
    stream: str
    generation: int


def plain_body(texts: Sequence[str]) -> bytes:
    """Return the request body that holds *texts* as they are (docs/batch-contract.md)."""
    return ('{"events":[' + ",".join(texts) + "]}").encode()


def _plain(batch: "Batch") -> bytes:
    return plain_body(batch.texts)


@attrs.frozen
class Batch:
    """
    Events of one stream on their way to one target.

    `event_ids` and `texts` are parallel, the texts as captured. `body` is the uncompressed
    request body, `coded` is what leaves, compressed where the receiver
    compresses; None until a receiver has packed it.
    """

    permit: Permit
    event_ids: tuple[str, ...]
    texts: tuple[str, ...]
    body: bytes = attrs.field(default=attrs.Factory(_plain, takes_self=True), repr=False)
    coded: bytes | None = attrs.field(default=None, repr=False)

    @cached_property
    def digest(self) -> bytes:
        """The SHA-256 of `body`."""
        return sha256(self.body).digest()
