from hashlib import sha256
from typing import Any

from eventsync_adapters.sqlite._connection import Database
from eventsync_core.errors import UnknownTargetError
from eventsync_core.targets import Deployment, Kind, Target, merge

_COLUMNS = """
SELECT target_id, kind, url, team, user_name, paused, server_instance_id, deployment_id,
       environment_name, git_sha
FROM targets
"""
_ALL = _COLUMNS + "ORDER BY target_no"
_ONE = _COLUMNS + "WHERE target_id = ?"
_NEW = """
INSERT INTO targets (target_no, target_id, kind, url, url_hash, team, user_name, paused,
                     first_seen_at, last_seen_at)
SELECT COALESCE(MAX(target_no), 0) + 1, ?, ?, ?, ?, ?, ?, '', ?, ? FROM targets
"""
_SEEN = """
UPDATE targets SET last_seen_at = ?, server_instance_id = ?, deployment_id = ?,
                   environment_name = ?, git_sha = ?
WHERE target_id = ?
"""
_PAUSE = "UPDATE targets SET paused = ? WHERE target_id = ?"


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
            known = None if row is None else _target(row).deployment
            facts = merge(known, target.deployment) or Deployment()
            self._database.run(
                _SEEN,
                (
                    at,
                    facts.server_instance_id,
                    facts.deployment_id,
                    facts.environment_name,
                    facts.git_sha,
                    target.target_id,
                ),
            )
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
        with self._database.write():
            if not self._database.run(_PAUSE, (reason, target_id)):
                raise UnknownTargetError(target_id)


def _target(row: tuple[Any, ...]) -> Target:
    target_id, kind, url, team, user, paused, *facts = row
    instance, deployment_id, environment, git_sha = facts
    deployment = Deployment(
        server_instance_id=instance,
        deployment_id=deployment_id,
        environment_name=environment,
        git_sha=git_sha,
    )
    return Target(
        target_id=target_id,
        kind=Kind(kind),
        url=url,
        team=team,
        user=user,
        paused=paused,
        deployment=deployment if any(facts) else None,
    )
