from collections.abc import Callable, Mapping, Sequence

import attrs

from eventsync_adapters.http._compress import compress
from eventsync_adapters.http._offer import (
    GZIP,
    JSON,
    Requester,
    Told,
    keep,
    merged,
    offer,
    require_own,
)
from eventsync_adapters.http._redact import secrets_of_headers
from eventsync_adapters.http._signing import read_signing_key, signature_headers
from eventsync_core.clock import Clock
from eventsync_core.errors import SettingsError
from eventsync_core.receivers import (
    CLOUDEVENTS_BATCH,
    Batch,
    BodyFormat,
    Gate,
    Verdict,
    WireTransform,
    cloudevents_body,
    transformed,
)
from eventsync_core.targets import Limits, Target, merge_limits

_CLOUDEVENTS = {"Content-Type": f"{CLOUDEVENTS_BATCH}; charset=UTF-8"}


@attrs.frozen
class Signing:
    """
    Requests are signed as Standard Webhooks says, with each of the present secrets.

    *secrets* is asked again for every request; what it returns is kept nowhere. *clock*
    tells when a request was signed.
    """

    secrets: Callable[[], Sequence[str]] = attrs.field(repr=False)
    clock: Clock


@attrs.define
class ExternalReceiver:
    """
    A `DeliveryReceiver` for an operator's own endpoint, posted to exactly as it was given.

    *headers* is asked again for every request; what it returns is kept nowhere. *forget* is
    called when an answer turns it away: 401 or 403. *signing* signs what is sent. *body_format*
    is how events stand in a body, *wire_transform* makes of each envelope what is sent. A signed
    body, and CloudEvents, leave uncompressed.
    """

    target: Target
    transport: Requester = attrs.field(repr=False)
    headers: Callable[[], Mapping[str, str]] = attrs.field(default=dict, repr=False)
    capacity: Limits = attrs.field(factory=Limits, kw_only=True)
    signing: Signing | None = attrs.field(default=None, kw_only=True)
    body_format: BodyFormat = attrs.field(default=BodyFormat.EVENTSYNC, kw_only=True)
    wire_transform: WireTransform | None = attrs.field(default=None, kw_only=True)
    forget: Callable[[], None] = attrs.field(default=keep, kw_only=True, repr=False)

    @property
    def target_id(self) -> str:
        """See `DeliveryReceiver.target_id`."""
        return self.target.target_id

    def closed_gates(self) -> Sequence[Gate]:
        """See `DeliveryReceiver.closed_gates`: an endpoint."""
        return [] if self.target.url else [Gate.ENDPOINT_MISSING]

    def limits(self) -> Limits:
        """See `DeliveryReceiver.limits`."""
        return self.capacity

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`: in its format, compressed where that is not signed."""
        if batch.coded is not None:
            return batch
        made = transformed(batch, self.wire_transform)
        if self.body_format is BodyFormat.CLOUDEVENTS:
            made = attrs.evolve(made, body=cloudevents_body(made))
        return attrs.evolve(made, coded=made.body if self._is_plain else compress(made.body))

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        require_own(self.target, batch)
        packed = self.pack(batch)
        verdict = offer(
            self.transport, self.target.url, packed, lambda: self._tell(packed), self.forget
        )
        self.capacity = merge_limits(self.capacity, verdict.limits)
        return verdict

    def health(self) -> object | None:
        """See `DeliveryReceiver.health`: nothing is known of what an endpoint answers there."""
        return None

    @property
    def _is_plain(self) -> bool:
        """The body leaves uncompressed: frameworks differ in what they hand to a verifier."""
        return self.signing is not None or self.body_format is BodyFormat.CLOUDEVENTS

    def _tell(self, packed: Batch) -> Told:
        chosen = dict(self.headers())
        secrets = tuple(secrets_of_headers(chosen))
        own: Mapping[str, str] = GZIP
        if self._is_plain:
            chosen = {
                name: value for name, value in chosen.items() if name.lower() != "content-encoding"
            }
            own = _CLOUDEVENTS if self.body_format is BodyFormat.CLOUDEVENTS else {}
        if self.signing is None:
            return Told(merged(JSON, chosen, own), secrets)
        present = tuple(self.signing.secrets())
        signature = _signature(present, packed, self.signing.clock())
        keys = (*present, *(text.removeprefix("whsec_") for text in present))
        return Told(merged(JSON, chosen, own, signature), (*secrets, *keys))


def _signature(secrets: Sequence[str], packed: Batch, at: int) -> dict[str, str]:
    if not secrets:
        raise SettingsError("no signing key is there", source="the signing keys")
    keys = [
        read_signing_key(secret, source=f"signing key {number}")
        for number, secret in enumerate(secrets, start=1)
    ]
    return signature_headers(keys, packed.coded or b"", digest=packed.digest, at=at)
