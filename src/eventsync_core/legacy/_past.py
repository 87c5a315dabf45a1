"""What old programs noted of deliveries, and what stands in the ledger because of it."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

import attrs

from eventsync_core.clock import SECOND
from eventsync_core.ids import Kind, one_line
from eventsync_core.ledger import LedgerEntry
from eventsync_core.legacy._model import RowKey
from eventsync_core.receivers import Outcome
from eventsync_core.targets import Deployment, Target, make_target

NOTED = "noted by an old program"
"""What history says where the old program left no words."""

PAST_STATUSES: Mapping[str, Outcome] = MappingProxyType(
    {
        "success": Outcome.SUCCESS,
        "duplicate": Outcome.DUPLICATE,
        "terminal_failed": Outcome.TERMINAL_FAILED,
        "failed_permanent": Outcome.TERMINAL_FAILED,
        "pending": Outcome.PENDING,
        "rejected": Outcome.REJECTED,
        "failed_transient": Outcome.TRANSIENT,
        "transient": Outcome.TRANSIENT,
    }
)
"""Words of old ledgers, and the outcomes that they are in history."""

_LONGEST = 200
_LATEST = 253_402_300_800 * SECOND
_STATUS = re.compile(r"\bHTTP(?:/[\d.]{1,3})?[ :=]{0,2}([1-5]\d\d)\b", re.IGNORECASE)
_FACT = re.compile(r"(?!eyJ|whsec_|sk_|gh[a-z]_)[\w.:/+-]{1,200}", re.ASCII)
_CLASSES = (
    (re.compile(r"time[ds]?[ -]?out", re.IGNORECASE), "timeout"),
    (re.compile(r"refused", re.IGNORECASE), "refused"),
    (re.compile(r"reset by|connection reset|broken pipe", re.IGNORECASE), "connection lost"),
    (re.compile(r"name resolution|getaddrinfo|not known", re.IGNORECASE), "no such host"),
    (re.compile(r"certificate|ssl|tls", re.IGNORECASE), "TLS"),
    (re.compile(r"unauthori[sz]ed|authenticat", re.IGNORECASE), "unauthorized"),
    (re.compile(r"forbidden|denied", re.IGNORECASE), "forbidden"),
    (re.compile(r"not found", re.IGNORECASE), "not found"),
    (re.compile(r"too large|too big", re.IGNORECASE), "too large"),
    (re.compile(r"rate limit|too many", re.IGNORECASE), "rate limit"),
    (re.compile(r"invalid|malformed|schema|validat", re.IGNORECASE), "invalid"),
    (re.compile(r"server error|unavailable", re.IGNORECASE), "server error"),
)
_OTHER = "an error whose words are not kept"


class Brought(StrEnum):
    """What became of a target or of a delivery that an old program had noted."""

    IMPORTED = "imported"
    KNOWN = "known"
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_TARGET = "unknown_target"
    UNKNOWN_STATUS = "unknown_status"
    REFUSED = "refused"


@attrs.frozen(kw_only=True)
class OldTarget:
    """A target as an old program kept it, under an id of its own: `alias`."""

    alias: str
    url: str
    team: str
    user: str
    deployment: Deployment | None = None


@attrs.frozen(kw_only=True)
class OldDelivery:
    """
    What an old program noted of one event and one target, which it calls `alias`.

    Times are in microseconds since 1970 UTC. `error` is what `read_error` returns.
    """

    key: RowKey
    event_id: str
    alias: str
    status: str
    attempts: int
    first_at: int | None = None
    last_at: int | None = None
    accepted_at: int | None = None
    completed_at: int | None = None
    http_status: int | None = None
    error: str = ""

    @property
    def outcome(self) -> Outcome | None:
        """What its word means; None: it is no word that is known."""
        return PAST_STATUSES.get(self.status)

    @property
    def at(self) -> int | None:
        """When it came to stand so, as far as that was noted."""
        return self.completed_at or self.last_at or self.accepted_at or self.first_at


@attrs.frozen(kw_only=True)
class PastDelivery:
    """An `OldDelivery` of the source at `path`, where its target and its entry are known."""

    path: str
    old: OldDelivery
    target_id: str
    stream: str
    position: int
    taken_at: int

    @property
    def outcome(self) -> Outcome:
        """What its word means."""
        return PAST_STATUSES[self.old.status]

    @property
    def at(self) -> int:
        """When history says that it was."""
        return self.taken_at if self.old.at is None else self.old.at


def settle_past(
    entry: LedgerEntry | None, past: PastDelivery, *, is_carried: bool
) -> LedgerEntry | None:
    """
    Return how *entry* stands after what an old program noted, or None: as it stood before.

    Delivered then is delivered now, unless a request from here carried it or it was delivered or
    asked for again here. What failed for good has failed, unless anything else is known here, or
    a request that *is_carried* by is on its way. Anything else changes nothing: the event stays
    owed.
    """
    outcome, before = past.outcome, entry or LedgerEntry(outcome=None)
    is_ours = before.request_id != 0 or before.round > 1
    if not outcome.is_settled or is_ours or _is_delivered(before):
        return None
    is_new = before.outcome is None and not before.attempts and not is_carried
    if not outcome.is_delivered and not is_new:
        return None
    attempts = max(past.old.attempts, before.attempts, 1)
    return LedgerEntry(outcome=outcome, attempts=attempts, seen=True)


def can_be_shown(old: OldTarget) -> bool:
    """Say whether the team and the user of *old* are short and can be printed as they are."""
    return all(len(each) <= _LONGEST and each.isprintable() for each in (old.team, old.user))


def _is_delivered(entry: LedgerEntry) -> bool:
    return entry.outcome is not None and entry.outcome.is_delivered


def recompute(old: OldTarget) -> Target:
    """
    Return the target that *old* names, by the rules that count here; its old id says nothing.

    Raises:
        TargetUrlError: Its URL can name no target.
    """
    target = make_target(Kind.TEAMSPACE, old.url, team=old.team, user=old.user)
    return attrs.evolve(target, deployment=old.deployment)


def read_status(word: str) -> str:
    """Return a word of an old ledger in its one spelling, as one short line."""
    return one_line(word.strip().lower().replace("-", "_"), 40)


def read_error(text: str) -> str:
    """
    Return of what kind an error is that an old program noted: its HTTP status, and words of ours.

    None of its own words are kept, for nobody can tell which of them are secret.
    """
    if not text.strip():
        return ""
    found = _STATUS.search(text)
    words = [] if found is None else [f"HTTP {found[1]}"]
    words += [word for pattern, word in _CLASSES if pattern.search(text)]
    return ", ".join(words) or _OTHER


def read_fact(text: str) -> str | None:
    """Return what a server says of itself if it is one short printable word, else None."""
    return text if _FACT.fullmatch(text) else None


def read_time(value: object) -> int | None:
    """Return a time in ISO 8601 (UTC where it names no zone) or in seconds since 1970, or None."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value.strip())
            zoned = found if found.tzinfo else found.replace(tzinfo=UTC)
            past = zoned - datetime(1970, 1, 1, tzinfo=UTC)
            micros = (past.days * 86_400 + past.seconds) * SECOND + past.microseconds
        elif isinstance(value, int | float):
            micros = int(value * SECOND)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return micros if 0 <= micros < _LATEST else None
