import attrs

from eventsync_core.egress._model import Grant, GrantVerb
from eventsync_core.errors import GrantDamagedError
from eventsync_core.ids import DEFAULT_STREAM


def unrecorded(grant: Grant) -> Grant:
    """Return the grant as it stands where its acts on record do not say the same."""
    why = "it is not what was done to it by record: the database is damaged"
    return attrs.evolve(grant, paused=why, is_on_record=False)


def off_record(target_id: str, stream: str) -> GrantDamagedError:
    """Return what is said of such a grant, with the command that ends it."""
    argv: tuple[str, ...] = ("eventsync", "target", "revoke", target_id)
    if stream != DEFAULT_STREAM:
        argv += ("--project", stream)
    return GrantDamagedError(stream, argv)


def _check_on_record(grant: Grant) -> None:
    if not grant.is_on_record:
        raise off_record(grant.target_id, grant.stream)


def change_grant(before: Grant | None, asked: Grant) -> Grant:
    """
    Return the grant that holds after *asked* for one where *before* stood.

    A live one is only ever widened and keeps its date, actor and reason; a revoked one is
    renewed as asked. The generation grows when anything changed. A pause ends.

    Raises:
        GrantDamagedError: What stood there is not on record.
    """
    if before is None:
        return asked
    _check_on_record(before)
    if not before.is_live:
        return attrs.evolve(asked, generation=before.generation + 1)
    from_position = min(before.from_position, asked.from_position)
    from_body = min(before.from_body, asked.from_body)
    if (from_position, from_body) == _bounds(before) and not before.paused:
        return before
    return attrs.evolve(
        before,
        from_position=from_position,
        from_body=from_body,
        generation=before.generation + 1,
        paused="",
    )


def _bounds(grant: Grant) -> tuple[int, int]:
    return grant.from_position, grant.from_body


def end_grant(before: Grant, *, actor: str, reason: str, at: int) -> Grant:
    """Return *before* as *actor* ended it for *reason*; one that is over stays as it ended."""
    if not before.is_live:
        return before
    return attrs.evolve(
        before,
        revoked_at=at,
        revoked_by=actor,
        revoked_reason=reason,
        generation=before.generation + 1,
    )


def rest_grant(before: Grant, why: str) -> Grant:
    """
    Return *before* resting for *why*, going on where that is empty; unchanged if it does.

    Raises:
        GrantDamagedError: It is to go on, but rests because it is not on record.
    """
    if before.paused == why or (why and not before.is_on_record):
        return before
    _check_on_record(before)
    return attrs.evolve(before, paused=why, generation=before.generation + 1)


def verbs_between(before: Grant | None, after: Grant) -> tuple[GrantVerb, ...]:
    """Return what was done to the grant that made *before* what it is *after*, in order."""
    if before is None or (after.is_live and not before.is_live):
        return (GrantVerb.GRANTED,)
    found = []
    if after.from_position < before.from_position or after.from_body < before.from_body:
        found.append(GrantVerb.WIDENED)
    if before.is_live and not after.is_live:
        found.append(GrantVerb.REVOKED)
    if after.paused != before.paused:
        found.append(GrantVerb.PAUSED if after.paused else GrantVerb.RESUMED)
    return tuple(found)
