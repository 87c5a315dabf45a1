from collections.abc import Callable, Sequence

import attrs

from eventsync_adapters.http._compress import compress
from eventsync_adapters.http._offer import (
    GZIP,
    JSON,
    Requester,
    Told,
    is_turned_away,
    keep,
    merged,
    offer,
    require_own,
)
from eventsync_adapters.http._redact import document_without_secrets, secrets_of_headers
from eventsync_core.bodies import (
    PUSH_PATH,
    BodyUpload,
    PushVerdict,
    UploadState,
    interpret_push,
    push_body,
    require_permit,
)
from eventsync_core.codec import read_document
from eventsync_core.errors import SettingsError
from eventsync_core.receivers import (
    Batch,
    Gate,
    Next,
    Permit,
    Verdict,
    WireTransform,
    transformed,
)
from eventsync_core.targets import Limits, Target, is_header_value, merge_limits, require_safe

BATCH_PATH = "/api/v1/events/batch/"
HEALTH_PATH = "/api/v1/sync/health/"


@attrs.define
class TeamspaceReceiver:
    """
    A `DeliveryReceiver` and `BodyReceiver` for a Teamspace server.

    *token* is asked again for every request and every look at the gates; what it returns is
    kept nowhere. *forget* is called when an answer turns it away: 401 or 403. *saas_enabled*
    says whether the user allowed it at all. *wire_transform* makes of each envelope what is
    sent. Without a token that a header can carry, also where asking for it raises, nothing is
    sent; nor without such a team.

    Raises:
        TargetUrlError: The server is on another machine, and not reached by https://.
    """

    target: Target
    transport: Requester = attrs.field(repr=False)
    saas_enabled: bool = attrs.field(kw_only=True)
    token: Callable[[], str | None] = attrs.field(kw_only=True, repr=False)
    forget: Callable[[], None] = attrs.field(default=keep, kw_only=True, repr=False)
    capacity: Limits = attrs.field(factory=Limits, kw_only=True)
    wire_transform: WireTransform | None = attrs.field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        require_safe(self.target.url)

    @property
    def target_id(self) -> str:
        """See `DeliveryReceiver.target_id`."""
        return self.target.target_id

    def closed_gates(self) -> Sequence[Gate]:
        """See `DeliveryReceiver.closed_gates`: SaaS enabled, a token, a team."""
        is_open = {
            Gate.SAAS_DISABLED: self.saas_enabled,
            Gate.MISSING_AUTH: bool(self._token()),
            Gate.MISSING_TEAM: bool(self.target.team) and is_header_value(self.target.team),
        }
        return [gate for gate, opened in is_open.items() if not opened]

    def limits(self) -> Limits:
        """See `DeliveryReceiver.limits`."""
        return self.capacity

    def pack(self, batch: Batch) -> Batch:
        """See `DeliveryReceiver.pack`: compressed."""
        if batch.coded is not None:
            return batch
        made = transformed(batch, self.wire_transform)
        return attrs.evolve(made, coded=compress(made.body))

    def deliver(self, batch: Batch) -> Verdict:
        """See `DeliveryReceiver.deliver`."""
        require_own(self.target, batch)
        url, packed = self._url(BATCH_PATH), self.pack(batch)
        verdict = offer(self.transport, url, packed, self._tell, self.forget)
        self.capacity = merge_limits(self.capacity, verdict.limits)
        return verdict

    def push(self, permit: Permit, upload: BodyUpload) -> PushVerdict:
        """See `BodyReceiver.push`: not compressed."""
        require_permit(self.target_id, permit)
        token = self._token()
        if not token:
            return PushVerdict(
                state=UploadState.QUEUED,
                reason="no token is at hand",
                next=Next.WITHHELD,
                closed=Gate.MISSING_AUTH,
            )
        headers = self._headers(token)
        told = merged(JSON, headers)
        answer = self.transport.post(self._url(PUSH_PATH), push_body(upload), told)
        if is_turned_away(answer.status):
            self.forget()
        verdict = interpret_push(upload, answer)
        secrets = (*secrets_of_headers(headers), *self.transport.secrets)
        return attrs.evolve(verdict, reason=str(document_without_secrets(verdict.reason, secrets)))

    def health(self) -> object | None:
        """See `DeliveryReceiver.health`: what the server's health address answers."""
        token = self._token()
        if not token:
            return None
        headers = self._headers(token)
        answer = self.transport.get(self._url(HEALTH_PATH), headers)
        if is_turned_away(answer.status):
            self.forget()
        if answer.status != 200 or not answer.is_whole:
            return None
        secrets = (*secrets_of_headers(headers), *self.transport.secrets)
        try:
            return document_without_secrets(read_document(answer.body), secrets)
        except (ValueError, RecursionError):
            return None

    def _url(self, path: str) -> str:
        return self.target.url.rstrip("/") + path

    def _token(self) -> str:
        try:
            token = self.token() or ""
        except Exception:  # noqa: BLE001 - a host's function raises what it likes
            return ""
        return token if is_header_value(token) else ""

    def _headers(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}", "X-Team-Slug": self.target.team}

    def _tell(self) -> Told:
        token = self._token()
        if not token:
            raise SettingsError("no token is at hand", source="the token", code="secret_missing")
        headers = self._headers(token)
        return Told(merged(JSON, headers, GZIP), tuple(secrets_of_headers(headers)))
