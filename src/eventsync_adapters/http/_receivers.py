from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import attrs

from eventsync_adapters.http._compress import compress
from eventsync_adapters.http._redact import without_secrets
from eventsync_core.codec import read_document
from eventsync_core.errors import EventSyncError
from eventsync_core.receivers import Answer, Batch, Gate, Limits, Verdict, interpret
from eventsync_core.targets import Target, merge_limits

BATCH_PATH = "/api/v1/events/batch/"
HEALTH_PATH = "/api/v1/sync/health/"

_JSON = {"Content-Type": "application/json"}
_GZIP = {"Content-Encoding": "gzip"}


class Requester(Protocol):
    """What a receiver needs of `Transport`."""

    def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """See `Transport.post`."""
        ...

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """See `Transport.get`."""
        ...


@attrs.define
class TeamspaceReceiver:
    """
    A `DeliveryReceiver` for a Teamspace server.

    *token* is asked again for every request and every look at the gates; what it returns is
    kept nowhere. *saas_enabled* says whether the user allowed it at all.
    """

    target: Target
    transport: Requester = attrs.field(repr=False)
    saas_enabled: bool = attrs.field(kw_only=True)
    token: Callable[[], str | None] = attrs.field(kw_only=True, repr=False)
    capacity: Limits = attrs.field(factory=Limits, kw_only=True)

    @property
    def target_id(self) -> str:
        """See `DeliveryReceiver.target_id`."""
        return self.target.target_id

    def closed_gates(self) -> Sequence[Gate]:
        """See `DeliveryReceiver.closed_gates`: SaaS enabled, a token, a team."""
        is_open = {
            Gate.SAAS_DISABLED: self.saas_enabled,
            Gate.MISSING_AUTH: bool(self.token()),
            Gate.MISSING_TEAM: bool(self.target.team),
        }
        return [gate for gate, opened in is_open.items() if not opened]

    def limits(self) -> Limits:
        """See `DeliveryReceiver.limits`."""
        return self.capacity

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`: compressed."""
        return _packed(batch)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        url = self.target.url.rstrip("/") + BATCH_PATH
        verdict = _post(self.target, batch, self.transport, url, self._headers)
        self.capacity = merge_limits(self.capacity, verdict.limits)
        return verdict

    def health(self) -> object | None:
        """See `DeliveryReceiver.health`: what the server's health address answers."""
        sent = self._headers()
        answer = self.transport.get(self.target.url.rstrip("/") + HEALTH_PATH, sent)
        if answer.status != 200 or not answer.is_whole:
            return None
        try:
            found: object = read_document(without_secrets(answer, sent).body)
        except ValueError:
            return None
        return found

    def _headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.token() or ''}", "X-Team-Slug": self.target.team}


@attrs.define
class ExternalReceiver:
    """
    A `DeliveryReceiver` for an operator's own endpoint, posted to exactly as it was given.

    *headers* is asked again for every request; what it returns is kept nowhere.
    """

    target: Target
    transport: Requester = attrs.field(repr=False)
    headers: Callable[[], Mapping[str, str]] = attrs.field(default=dict, repr=False)
    capacity: Limits = attrs.field(factory=Limits, kw_only=True)

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
        """See `DeliveryReceiver.pack`: compressed."""
        return _packed(batch)

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        verdict = _post(self.target, batch, self.transport, self.target.url, self.headers)
        self.capacity = merge_limits(self.capacity, verdict.limits)
        return verdict

    def health(self) -> object | None:
        """See `DeliveryReceiver.health`: nothing is known of what an endpoint answers there."""
        return None


def _packed(batch: Batch) -> Batch:
    if batch.coded is not None:
        return batch
    return attrs.evolve(batch, coded=compress(batch.body))


def _post(
    target: Target,
    batch: Batch,
    transport: Requester,
    url: str,
    headers: Callable[[], Mapping[str, str]],
) -> Verdict:
    if batch.permit.target_id != target.target_id:
        raise ValueError("the batch was minted for another target")
    try:
        sent = headers()
    except EventSyncError as error:
        return interpret(batch.event_ids, Answer(fault=error.message, reached=False))
    content = _packed(batch).coded or b""
    answer = transport.post(url, content, _merged(_JSON, sent, _GZIP))
    return interpret(batch.event_ids, without_secrets(answer, sent))


def _merged(*layers: Mapping[str, str]) -> dict[str, str]:
    """Return all headers; of one name in any spelling, the value of the last that has it."""
    found: dict[str, tuple[str, str]] = {}
    for layer in layers:
        found.update({name.lower(): (name, value) for name, value in layer.items()})
    return dict(found.values())
