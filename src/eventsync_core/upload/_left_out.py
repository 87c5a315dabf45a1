"""Bodies that a grant from later on does not let go."""

from eventsync_core.egress import Grant
from eventsync_core.stores import Stores


def bodies_left_out(stores: Stores, grant: Grant) -> int:
    """Return how many bodies wait for the target and were added before what *grant* lets go."""
    if not grant.from_body:
        return 0
    bodies, place = stores.bodies, (grant.target_id, grant.stream)
    return bodies.waiting(*place) - bodies.waiting(*place, above=grant.from_body)


def left_out_message(stream: str, count: int) -> str:
    """Return that as one line."""
    return f"the grant of stream {stream} is from later on, bodies added before it: {count}"
