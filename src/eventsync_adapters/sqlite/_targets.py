from collections.abc import Callable
from hashlib import sha256
from typing import Any

import attrs

from eventsync_adapters.sqlite._connection import Database
from eventsync_adapters.sqlite._errors import understood
from eventsync_core.errors import UnknownTargetError
from eventsync_core.targets import (
    BackOff,
    Deployment,
    Health,
    Kind,
    Limits,
    Reset,
    Target,
    observe,
    register,
)

_COLUMNS = """
SELECT target_id, kind, url, team, user_name, paused,
       server_instance_id, deployment_id, environment_name, git_sha,
       failures, retry_at, probe_until, back_off_reason, no_connection,
       body_failures, body_retry_at, body_probe_until, body_back_off_reason,
       max_events, max_bytes, retry_least, retry_most, checked_at,
       reset_fields, reset_seen_at, previous_server_instance_id, previous_deployment_id,
       previous_environment_name, previous_git_sha
FROM targets
"""
_ALL = _COLUMNS + "ORDER BY target_no"
_ONE = _COLUMNS + "WHERE target_id = ?"
_NEW = """
INSERT INTO targets (target_no, target_id, kind, url, url_hash, team, user_name, paused,
                     first_seen_at, last_seen_at)
SELECT COALESCE(MAX(target_no), 0) + 1, ?, ?, ?, ?, ?, ?, '', ?, ? FROM targets
"""
_SEEN = "UPDATE targets SET last_seen_at = ? WHERE target_id = ?"
_PUT = """
UPDATE targets
SET paused = ?, server_instance_id = ?, deployment_id = ?, environment_name = ?, git_sha = ?,
    failures = ?, retry_at = ?, probe_until = ?, back_off_reason = ?, no_connection = ?,
    body_failures = ?, body_retry_at = ?, body_probe_until = ?, body_back_off_reason = ?,
    max_events = ?, max_bytes = ?, retry_least = ?, retry_most = ?, checked_at = ?,
    reset_fields = ?, reset_seen_at = ?, previous_server_instance_id = ?,
    previous_deployment_id = ?, previous_environment_name = ?, previous_git_sha = ?
WHERE target_id = ?
"""
_NO_LIMITS = (None, None, None, None)
_NO_RESET = ("", None, None, None, None, None)


class SqliteTargetRegistry:
    """A `TargetRegistry` in the table targets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, target: Target, *, at: int) -> Target:
        """See `TargetRegistry.register`."""
        with self._database.write():
            row = self._database.row(_ONE, (target.target_id,))
            if row is None:
                url_hash = sha256(target.url.encode()).hexdigest()
                identity = (target.target_id, target.kind.value, target.url, url_hash)
                self._database.run(_NEW, (*identity, target.team, target.user, at, at))
            else:
                self._database.run(_SEEN, (at, target.target_id))
            known = None if row is None else _target(row)
            self._put(register(known, target, at=at))
        return self.get(target.target_id)

    def get(self, target_id: str) -> Target:
        """See `TargetRegistry.get`."""
        row = self._database.row(_ONE, (target_id,))
        if row is None:
            raise UnknownTargetError(target_id)
        return _target(row)

    def targets(self) -> list[Target]:
        """See `TargetRegistry.targets`."""
        return [_target(row) for row in self._database.rows(_ALL)]

    def pause(self, target_id: str, reason: str) -> None:
        """See `TargetRegistry.pause`."""
        self._change(target_id, lambda target: attrs.evolve(target, paused=reason))

    def set_back_off(self, target_id: str, back_off: BackOff) -> None:
        """See `TargetRegistry.set_back_off`."""
        self._change(target_id, lambda target: attrs.evolve(target, back_off=back_off))

    def set_body_back_off(self, target_id: str, back_off: BackOff) -> None:
        """See `TargetRegistry.set_body_back_off`."""
        self._change(target_id, lambda target: attrs.evolve(target, body_back_off=back_off))

    def observe(self, target_id: str, health: Health | None, *, at: int) -> Target:
        """See `TargetRegistry.observe`."""
        return self._change(target_id, lambda target: observe(target, health, at=at))

    def settle_reset(self, target_id: str) -> None:
        """See `TargetRegistry.settle_reset`."""
        self._change(target_id, lambda target: attrs.evolve(target, reset=None))

    def _change(self, target_id: str, change: Callable[[Target], Target]) -> Target:
        with self._database.write():
            target = change(self.get(target_id))
            self._put(target)
        return target

    def _put(self, target: Target) -> None:
        """Write all of the row that may change."""
        limits = _NO_LIMITS if target.limits is None else attrs.astuple(target.limits)
        state = (
            target.paused,
            *attrs.astuple(target.deployment or Deployment()),
            *_back_off_columns(target.back_off),
            int(target.back_off.no_connection),
            *_back_off_columns(target.body_back_off),
            *limits,
            target.checked_at,
            *_reset_columns(target.reset),
        )
        self._database.run(_PUT, (*state, target.target_id))


def _back_off_columns(back_off: BackOff) -> tuple[Any, ...]:
    return (back_off.failures, back_off.retry_at, back_off.probe_until, back_off.reason)


def _reset_columns(reset: Reset | None) -> tuple[Any, ...]:
    if reset is None:
        return _NO_RESET
    return (",".join(reset.changed_fields), reset.seen_at, *attrs.astuple(reset.previous))


@understood
def _target(row: tuple[Any, ...]) -> Target:
    if any(isinstance(value, bytes) for value in row):
        raise TypeError("no column of a target holds bytes")
    target_id, kind, url, team, user, paused = row[:6]
    max_events, max_bytes, retry_least, retry_most, checked_at = row[19:24]
    limits = Limits(
        max_events=max_events or 0,
        max_bytes=max_bytes,
        retry_least=retry_least,
        retry_most=retry_most,
    )
    return Target(
        target_id=target_id,
        kind=Kind(kind),
        url=url,
        team=team,
        user=user,
        paused=paused,
        deployment=_deployment(row[6:10]) if any(row[6:10]) else None,
        back_off=attrs.evolve(_back_off(row[10:14]), no_connection=bool(row[14])),
        body_back_off=_back_off(row[15:19]),
        limits=None if max_events is None else limits,
        checked_at=checked_at,
        reset=_reset(row[24:]),
    )


def _back_off(columns: tuple[Any, ...]) -> BackOff:
    failures, retry_at, probe_until, reason = columns
    return BackOff(failures=failures, retry_at=retry_at, probe_until=probe_until, reason=reason)


def _deployment(facts: tuple[Any, ...]) -> Deployment:
    instance, deployment_id, environment, git_sha = facts
    return Deployment(
        server_instance_id=instance,
        deployment_id=deployment_id,
        environment_name=environment,
        git_sha=git_sha,
    )


def _reset(columns: tuple[Any, ...]) -> Reset | None:
    fields, seen_at, *previous = columns
    if not fields:
        return None
    return Reset(
        changed_fields=tuple(fields.split(",")),
        previous=_deployment(tuple(previous)),
        seen_at=seen_at,
    )
