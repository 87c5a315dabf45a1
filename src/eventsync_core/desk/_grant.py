from eventsync_core.egress import Grant
from eventsync_core.ids import given_words
from eventsync_core.stores import Stores
from eventsync_core.targets import Target


def grant(
    stores: Stores,
    target: Target,
    stream: str,
    *,
    from_now: bool,
    actor: str,
    reason: str,
    at: int,
) -> Grant:
    """
    Permit *stream* to go to *target*, in one unit of work, and return the grant that holds.

    From the start, or with *from_now* only what is captured, and what bodies are added, later; a
    live grant is widened, never narrowed. The target is registered, and a pause of it or of the
    grant ends. *actor* and *reason* are kept as one printable line each.
    """
    with stores.atomic():
        wake(stores, target, at=at)
        return stores.grants.grant(
            target.target_id,
            stream,
            from_position=head_of(stores, stream) if from_now else 0,
            actor=given_words(actor),
            reason=given_words(reason),
            at=at,
            from_body=stores.bodies.head() if from_now else 0,
        )


def wake(stores: Stores, target: Target, *, at: int) -> None:
    """Register *target*, and end its pause."""
    stored = stores.targets.register(target, at=at)
    if stored.paused:
        stores.targets.pause(target.target_id, "")


def head_of(stores: Stores, stream: str) -> int:
    """Return the last position of *stream*; 0 for one that does not exist yet."""
    return next((head.position for head in stores.journal.heads() if head.stream == stream), 0)
