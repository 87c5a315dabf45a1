"""Opening entries again for delivery: what `sync retry` and `sync replay` have in common."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import attrs

from eventsync_cli.choosing import target_document
from eventsync_cli.compose import App
from eventsync_cli.exits import ExitCode
from eventsync_cli.render import Result
from eventsync_cli.targeting import current_target, target_called, when_it_goes
from eventsync_core.bodies import UploadState
from eventsync_core.codec import MOST_ITEMS
from eventsync_core.desk import Account, Order, Selection, find_entries, preview, reopen, settle
from eventsync_core.errors import NotGrantedError, Reason, UnknownEventError, UnknownTargetError
from eventsync_core.journal import heads_of
from eventsync_core.ledger import Act
from eventsync_core.receivers import Outcome
from eventsync_core.stores import Stores
from eventsync_core.targets import Target
from eventsync_core.upload import BodyAccount, BodyOrder, reopen_bodies

__all__ = ["Wish", "fulfil"]

_WORDS = {Act.RETRIED: "retried", Act.DELIVERED_BEFORE: "replayed"}
_STATES: Mapping[Outcome, tuple[UploadState, ...]] = {
    Outcome.SUCCESS: (UploadState.UPLOADED,),
    Outcome.DUPLICATE: (UploadState.ALREADY_EXISTS,),
    Outcome.TERMINAL_FAILED: (UploadState.FAILED,),
    Outcome.TRANSIENT: (UploadState.QUEUED,),
}
_DELIVERED = frozenset({Outcome.SUCCESS, Outcome.DUPLICATE})
_GONE = {Act.RETRIED: "not_retryable", Act.DELIVERED_BEFORE: "not_replayable"}


@attrs.frozen(kw_only=True)
class Wish:
    """
    What the command line asks for; `target_id` None: the current target.

    `selection` None: nothing is opened, a noted reset of the target is dealt with as it is.
    """

    act: Act
    selection: Selection | None
    event_ids: tuple[str, ...] = ()
    target_id: str | None = None
    dry_run: bool = False


@attrs.frozen(kw_only=True)
class _Done:
    """
    What came of it: to which target, in which streams, and which events were not meant.

    `paused` are those of the streams that are paused there, with the reason. `bodies` is None
    where the wish is for events only.
    """

    target: Target
    streams: Sequence[str] = ()
    account: Account = attrs.field(factory=Account)
    bodies: BodyAccount | None = None
    unmatched: Sequence[str] = ()
    paused: Mapping[str, str] = attrs.field(factory=dict)


def fulfil(app: App, wish: Wish) -> Result:
    """
    Open again what is wished for, or with `dry_run` count it, and say what came of it.

    Raises:
        NotGrantedError: A stream that was asked for is not granted to the target.
        UnknownEventError: Some of the events are not stored; nothing changed.
        UnknownTargetError: There is no such target.
        StoreError: The store cannot be used; what was changed before stays so.
    """
    current = None
    if wish.target_id is None:
        app.require_usable()
        current = current_target(app)
    if wish.dry_run:
        with app.reading() as stores:
            done = _carry_out(app, stores, wish, current)
    elif not app.has_store:
        done = _carry_out(app, None, wish, current)
    else:
        with app.sending_stores() as opened:
            done = _carry_out(app, opened, wish, current)
    return _result(app, wish, done)


def _carry_out(app: App, stores: Stores | None, wish: Wish, current: Target | None) -> _Done:
    if stores is None:
        if wish.event_ids:
            raise UnknownEventError(*wish.event_ids)
        if current is None:
            raise UnknownTargetError(wish.target_id or "")
        return _Done(target=current)
    target = current or target_called(stores, wish.target_id or "")
    if wish.selection is None:
        return _settle(stores, wish, target)
    places = {
        (entry.stream, entry.position): entry.event.event_id
        for entry in find_entries(stores, wish.event_ids)
    }
    streams = _streams(app, stores, target, {stream for stream, _ in places})
    selection = wish.selection
    if places:
        selection = attrs.evolve(selection, positions=frozenset(places))
    bodies = _reopen_bodies(app, stores, wish, target, streams)
    order = Order(act=wish.act, target_id=target.target_id, selection=selection, actor="cli")
    account = Account()
    if streams and wish.dry_run:
        account = preview(stores, order, streams, clock=app.clock)
    elif streams:
        account = reopen(stores, order, streams, clock=app.clock, holder=app.holder())
    grants = stores.grants.grants(target.target_id)
    return _Done(
        target=stores.targets.get(target.target_id) if streams else target,
        streams=streams,
        account=account,
        bodies=bodies,
        unmatched=[
            event_id
            for place, event_id in places.items()
            if place not in account.found and place[0] not in account.busy
        ],
        paused={
            each.stream: each.paused for each in grants if each.stream in streams and each.paused
        },
    )


def _reopen_bodies(
    app: App, stores: Stores, wish: Wish, target: Target, streams: Sequence[str]
) -> BodyAccount | None:
    """Do with the bodies of *streams* what is wished for; None where it is for events alone."""
    chosen = wish.selection
    if chosen is None or wish.event_ids or chosen.types:
        return None
    states = {state for each in chosen.outcomes for state in _STATES.get(each, ())}
    if not states:
        return None
    order = BodyOrder(
        act=wish.act,
        target_id=target.target_id,
        actor="cli",
        states=frozenset(states),
        reason=chosen.reason,
        added_from=chosen.captured_from,
        added_until=chosen.captured_until,
    )
    if not streams:
        return BodyAccount()
    return reopen_bodies(stores, order, streams, at=app.clock(), dry_run=wish.dry_run)


def _bodies_document(wish: Wish, account: BodyAccount | None) -> dict[str, int] | None:
    if account is None:
        return None
    return {_WORDS[wish.act]: account.changed.total(), "not_granted": account.not_granted}


def _settle(stores: Stores, wish: Wish, target: Target) -> _Done:
    known = next((each for each in stores.targets.targets() if each == target), target)
    if known.reset is not None and not wish.dry_run:
        settle(stores, target.target_id)
    return _Done(target=known, account=Account(settled=known.reset is not None))


def _streams(app: App, stores: Stores, target: Target, named: set[str]) -> list[str]:
    """
    Return the streams that are meant: --project's, those of *named* events, else all granted.

    Raises:
        NotGrantedError: One of them is not granted to the target, or none is while events wait.
    """
    grants = stores.grants.grants(target.target_id)
    live = [grant.stream for grant in grants if grant.is_live]
    if app.chosen.project is not None:
        wanted = [app.stream]
    else:
        heads = [head.stream for head in heads_of(stores.journal, None)]
        wanted = sorted(named) or live or heads[:1]
    for stream in wanted:
        if stream not in live:
            error = NotGrantedError(stream, target.target_id, target.url)
            if target not in stores.targets.targets():
                # Granting the current target registers it; by its id it is not known yet.
                error.fix_argv = ("eventsync", "target", "grant", "--project", stream)
            raise error
    return wanted


def _result(app: App, wish: Wish, done: _Done) -> Result:
    word, account = _WORDS[wish.act], done.account
    states = _DELIVERED if wish.selection is None else wish.selection.outcomes
    by_state = {each.value: account.changed[each] for each in Outcome if each in states}
    busy = list(account.busy)
    document: dict[str, Any] = {
        "target": target_document(done.target),
        "streams": list(done.streams[:MOST_ITEMS]),
        "streams_count": len(done.streams),
        word: account.changed.total(),
        "by_state": by_state,
        "held": account.held,
        "not_granted": account.not_granted,
        "superseded": account.superseded,
        _GONE[wish.act]: account.without_text,
        "unmatched": list(done.unmatched[:MOST_ITEMS]),
        "unmatched_count": len(done.unmatched),
        "busy": busy[:MOST_ITEMS],
        "busy_count": len(busy),
        "bodies": _bodies_document(wish, done.bodies),
        "dry_run": wish.dry_run,
    }
    if wish.act is Act.DELIVERED_BEFORE:
        document["settled"] = account.settled
    return Result(
        document=document,
        lines=_lines(app, wish, done, by_state),
        talk=app.concerns(),
        code=ExitCode.INCOMPLETE if busy else ExitCode.OK,
        reason=_busy_reason(account) if busy else None,
    )


def _lines(app: App, wish: Wish, done: _Done, by_state: dict[str, int]) -> list[str]:
    account = done.account
    would = "would be " if wish.dry_run else ""
    counts = "  ".join(f"{name} {count}" for name, count in by_state.items())
    lines = [
        f"{done.target.url}: {would}{_WORDS[wish.act]} {account.changed.total()}  ({counts})",
        (
            f"left as they are: held {account.held}  not granted {account.not_granted}  "
            f"superseded {account.superseded}  payload gone {account.without_text}"
        ),
    ]
    if done.bodies is not None and (done.bodies.changed or done.bodies.not_granted):
        changed, left = done.bodies.changed.total(), done.bodies.not_granted
        lines.append(f"bodies: {would}{_WORDS[wish.act]} {changed}; not granted {left}")
    if (account.changed or (done.bodies and done.bodies.changed)) and not wish.dry_run:
        lines.append(f"they go {when_it_goes(app, done.target)}")
        resume = app.chosen.spelt(f"eventsync target resume {done.target.target_id}")
        lines += [
            f"stream {stream} is paused: {reason}; {resume}"
            for stream, reason in islice(done.paused.items(), MOST_ITEMS)
        ]
    if account.settled:
        lines.append(f"the reset that was noted {'would be' if wish.dry_run else 'is'} dealt with")
    elif wish.selection is None:
        lines.append("no reset was noted")
    show = app.chosen.spelt("eventsync journal show")
    lines += [
        f"{event_id}: not in a state that was asked for; {show} {event_id}"
        for event_id in done.unmatched[:MOST_ITEMS]
    ]
    return lines


def _busy_reason(account: Account) -> Reason:
    stream, busy = next(iter(account.busy.items()))
    return Reason(
        code="busy",
        message=f"process {busy.holder.pid} is at work on stream {stream}; nothing more changed",
        fix_text="run the same command again when the other process has finished",
    )
