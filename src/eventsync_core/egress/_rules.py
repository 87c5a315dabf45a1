import attrs

from eventsync_core.egress._model import Grant


def change_grant(before: Grant | None, asked: Grant) -> Grant:
    """
    Return the grant that holds after *asked* for one where *before* stood.

    A live one is only ever widened and keeps its date, actor and reason; a revoked one is
    renewed as asked. The generation grows when anything changed. A pause ends.
    """
    if before is None:
        return asked
    if not before.is_live:
        return attrs.evolve(asked, generation=before.generation + 1)
    if asked.from_position >= before.from_position and not before.paused:
        return before
    return attrs.evolve(
        before,
        from_position=min(before.from_position, asked.from_position),
        generation=before.generation + 1,
        paused="",
    )
