from eventsync_core.lines import History
from eventsync_core.stores import Stores

_ACTOR = "journal import"


def take_history(stores: Stores, history: History, *, is_new: bool, at: int) -> None:
    """
    Take over what became of an event that is stored: what targets said, and that it was held.

    What is known here already stays as it is; only an event that *is_new* is held. A target
    that is not known gets to be.
    """
    entry = stores.journal.find(history.event_id)
    if entry is None:
        return
    known = {target.target_id for target in stores.targets.targets()}
    for told in history.told:
        target = told.target
        if told.row is None or not told.row.is_settled:
            continue
        if target.target_id not in known:
            stores.targets.register(target, at=at)
        stores.desk.adopt(
            target.target_id, entry.stream, entry.position, told.row, told.said, at=at
        )
    if is_new and history.held is not None and entry.event.hold is None:
        positions = [entry.position]
        stores.holds.hold(entry.stream, positions, reason=history.held, actor=_ACTOR, at=at)
