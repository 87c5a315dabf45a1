from collections.abc import Iterator
from itertools import islice
from typing import Any

import attrs

from eventsync_core.census import Class
from eventsync_core.clock import iso_time
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.egress import Grant, GrantAct
from eventsync_core.ledger import Request
from eventsync_core.status._collect import failures, target_status
from eventsync_core.status._kept import time_or_null
from eventsync_core.status._known import back_off_document, limits_document, reset_document
from eventsync_core.status._model import Failure, StreamStatus, TargetStatus
from eventsync_core.status._wire import request_document, stream_document
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

_MOST_REQUESTS = 100


@attrs.frozen(kw_only=True)
class TargetPicture:
    """
    Everything known of one target at one time.

    `requests` are the latest of `request_count`, newest first; `failures` the newest of those
    counted as terminal_failed. Each grant stands beside how its stream is doing there; `acts`
    are the latest of the `act_count` that were done to them, newest first. `aliases` are what
    old programs called it.
    """

    at: int
    status: TargetStatus
    grants: tuple[Grant, ...]
    requests: tuple[Request, ...]
    request_count: int
    failures: tuple[Failure, ...]
    acts: tuple[GrantAct, ...]
    act_count: int
    aliases: tuple[str, ...] = ()

    @property
    def standings(self) -> Iterator[tuple[Grant, StreamStatus]]:
        """Each grant with the status of its stream."""
        return zip(self.grants, self.status.streams, strict=True)


def picture(stores: Stores, target_id: str, current: Target | None, *, at: int) -> TargetPicture:
    """
    Read from *stores* everything that is known of that target.

    Raises:
        UnknownTargetError: It was never registered.
        StoreError: The store cannot be read.
    """
    grants = tuple(stores.grants.grants(target_id))
    streams = [grant.stream for grant in grants]
    requests = [
        request
        for stream in streams
        for request in stores.ledger.requests(target_id, stream, limit=_MOST_REQUESTS)
    ]
    requests.sort(key=lambda request: request.request_id, reverse=True)
    status = target_status(stores, stores.targets.get(target_id), streams, current, at)
    return TargetPicture(
        at=at,
        status=status,
        grants=grants,
        requests=tuple(requests[:_MOST_REQUESTS]),
        request_count=sum(stores.ledger.request_count(target_id, stream) for stream in streams),
        failures=tuple(islice(failures(stores, status), MOST_ITEMS)),
        acts=tuple(stores.grants.acts(target_id, limit=MOST_ITEMS)),
        act_count=stores.grants.act_count(target_id),
        aliases=tuple(stores.past.aliases(target_id)),
    )


def picture_document(shown: TargetPicture) -> dict[str, Any]:
    """Return *shown* as JSON, without who the target is."""
    status, target = shown.status, shown.status.target
    return {
        "is_current": status.is_current,
        "aliases": list(shown.aliases[:MOST_ITEMS]),
        "aliases_count": len(shown.aliases),
        "paused": target.paused,
        "back_off": back_off_document(target, at=shown.at),
        "limits": limits_document(target.limits),
        "deployment": None if target.deployment is None else attrs.asdict(target.deployment),
        "checked_at": None if target.checked_at is None else iso_time(target.checked_at),
        "reset": reset_document(target),
        "last_delivery_at": time_or_null(status.last_delivery_at),
        "seconds_since_delivery": status.seconds_since_delivery,
        "seconds_since_progress": status.seconds_since_progress(shown.at),
        "oldest_owed_at": time_or_null(status.oldest_owed_at),
        "remaining_owed": status.remaining_owed,
        "grants": [
            {**grant_document(grant), **_standing(stream)}
            for grant, stream in islice(shown.standings, MOST_ITEMS)
        ],
        "grants_count": len(shown.grants),
        "acts": [_act(act) for act in shown.acts],
        "acts_count": shown.act_count,
        "requests": [
            {"stream": request.stream, **request_document(request)} for request in shown.requests
        ],
        "requests_count": shown.request_count,
        "terminal_failures": [_failed(failed) for failed in shown.failures],
        "terminal_failures_count": status.count(Class.TERMINAL_FAILED),
    }


def grant_document(grant: Grant) -> dict[str, Any]:
    """Return *grant* as JSON."""
    return {
        "stream": grant.stream,
        "from_position": grant.from_position,
        "from_body": grant.from_body,
        "live": grant.is_live,
        "paused": grant.paused,
        "granted_at": iso_time(grant.granted_at),
        "revoked_at": None if grant.revoked_at is None else iso_time(grant.revoked_at),
        "actor": grant.actor,
        "reason": grant.reason,
        "revoked_by": None if grant.is_live else grant.revoked_by,
        "revoked_reason": None if grant.is_live else grant.revoked_reason,
    }


def _act(act: GrantAct) -> dict[str, Any]:
    return {
        "number": act.number,
        "stream": act.stream,
        "act": act.act.value,
        "at": iso_time(act.at),
        "actor": act.actor,
        "reason": act.reason,
        "from_position": act.from_position,
        "from_body": act.from_body,
        "generation": act.generation,
    }


def _standing(status: StreamStatus) -> dict[str, Any]:
    document = stream_document(status)
    names = ("captured", "classes", "sum", "coherent", "remaining_owed", "oldest_owed_at")
    return {name: document[name] for name in names}


def _failed(failed: Failure) -> dict[str, Any]:
    return {
        "event_id": failed.event_id,
        "stream": failed.stream,
        "position": failed.position,
        "at": iso_time(failed.said.at),
        "reason": failed.said.reason,
        "category": failed.said.category,
        "request_id": failed.said.request_id,
    }
