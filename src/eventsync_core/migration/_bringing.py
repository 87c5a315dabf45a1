"""Old targets become targets, and what was noted of deliveries to them history."""

from collections.abc import Callable, Mapping, Sequence

import attrs

from eventsync_core.clock import Clock
from eventsync_core.errors import TargetUrlError
from eventsync_core.legacy import (
    Became,
    Brought,
    OldDelivery,
    OldTarget,
    PastDelivery,
    RowKey,
    Stored,
    can_be_shown,
    recompute,
)
from eventsync_core.migration._body_rows import BodyRow
from eventsync_core.migration._model import Migration, SourceReport
from eventsync_core.migration._past_rows import read_delivery, read_target
from eventsync_core.stores import Stores
from eventsync_core.targets import Target

Told = list[tuple[RowKey, str, Became | Brought]]
"""Of rows their stable keys, and what became of them."""

OnRows = Callable[[SourceReport, Sequence[BodyRow]], Told]
"""Deals with rows of a source, and counts them in its report."""

_NO_TARGET = "it has no id, or no URL"
_NO_WORDS = "its team or its user is too long, or holds what cannot be printed"


@attrs.define
class Bringing:
    """
    Decides over old targets and deliveries, and with a preview no more than that.

    Deliveries come after the targets that they lead to.
    """

    stores: Stores | None
    result: Migration
    clock: Clock
    imported: Mapping[str, bytes]
    _targets: dict[str, Target | None] = attrs.field(factory=dict)
    _called: set[tuple[str, str]] = attrs.field(factory=set)

    def targets(self, report: SourceReport, rows: Sequence[BodyRow]) -> Told:
        """Register the targets in *rows* that are new, with what they were called."""
        told: Told = []
        for row in rows:
            old = read_target(row)
            word = self._refuse("", _NO_TARGET) if old is None else self._target(old)
            report.targets[word] += 1
            told.append((row.key, "" if old is None else old.alias, word))
        return told

    def _target(self, old: OldTarget) -> Brought:
        self._targets[old.alias] = None
        if not can_be_shown(old):
            return self._refuse(old.alias, _NO_WORDS)
        try:
            target = recompute(old)
        except TargetUrlError as error:
            return self._refuse(old.alias, error.message)
        self._targets[old.alias] = target
        name = (target.target_id, old.alias)
        if self.stores is None or self.result.is_preview:
            called = [] if self.stores is None else self.stores.past.called(old.alias)
            is_new = target.target_id not in called and name not in self._called
            self._called.add(name)
        else:
            known = {each.target_id for each in self.stores.targets.targets()}
            if target.target_id not in known:
                # What was known then must not count as news of a server that is known now.
                self.stores.targets.register(target, at=self.clock())
            is_new = self.stores.past.call(*name, at=self.clock())
        return Brought.IMPORTED if is_new else Brought.KNOWN

    def _refuse(self, alias: str, why: str) -> Brought:
        self.result.refuse_target(alias, why)
        return Brought.REFUSED

    def deliveries(self, report: SourceReport, rows: Sequence[BodyRow]) -> Told:
        """Bring the deliveries in *rows* whose event and target are known."""
        found = [read_delivery(row) for row in rows]
        stored: Mapping[str, Stored] = {}
        known: set[RowKey] = set()
        if self.stores is not None:
            stored = self.stores.legacy.stored(list({each.event_id for each in found}))
            known = self.stores.past.known(report.source.path, [each.key for each in found])
        told: Told = []
        new: list[PastDelivery] = []
        for each in found:
            word = self._judge(each, stored, known)
            if word is Brought.IMPORTED:
                known.add(each.key)
                new += self._past(report, each, stored)
            elif word is Brought.UNKNOWN_STATUS:
                self.result.unknown_statuses.add(each.status)
            report.deliveries[word] += 1
            told.append((each.key, f"{each.event_id} {each.alias}", word))
        if self.stores is not None and not self.result.is_preview:
            self.stores.past.bring(new)
        return told

    def _judge(self, old: OldDelivery, stored: Mapping[str, Stored], known: set[RowKey]) -> Brought:
        if old.key in known:
            return Brought.KNOWN
        if old.event_id not in stored and old.event_id not in self.imported:
            return Brought.UNKNOWN_EVENT
        if old.alias not in self._targets:
            return Brought.UNKNOWN_TARGET
        if self._targets[old.alias] is None:
            return Brought.REFUSED
        return Brought.UNKNOWN_STATUS if old.outcome is None else Brought.IMPORTED

    def _past(
        self, report: SourceReport, old: OldDelivery, stored: Mapping[str, Stored]
    ) -> list[PastDelivery]:
        entry, target = stored.get(old.event_id), self._targets[old.alias]
        if entry is None or target is None:
            return []
        past = PastDelivery(
            path=report.source.path,
            old=old,
            target_id=target.target_id,
            stream=entry.stream,
            position=entry.position,
            taken_at=self.clock(),
        )
        return [past]
