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
    Source,
    Stored,
    can_be_shown,
    recompute,
)
from eventsync_core.migration._columns import TableRow
from eventsync_core.migration._model import Migration, SourceReport
from eventsync_core.migration._past_rows import read_delivery, read_target
from eventsync_core.stores import Stores

Told = list[tuple[RowKey, str, Became | Brought]]
"""Of rows their stable keys, and what became of them."""

OnRows = Callable[[SourceReport, Sequence[TableRow]], Told]
"""Deals with rows of a source, and counts them in its report."""

_NO_TARGET = "it has no id, or no URL"
_NO_WORDS = "its team or its user is too long, or holds what cannot be printed"
_AMBIGUOUS = (
    "its id names several targets: nobody can tell to which of them something was delivered"
)


@attrs.define
class Foreseen:
    """What a preview would have stored by now, of all records together."""

    names: dict[str, set[str]] = attrs.field(factory=dict)
    deliveries: set[tuple[str, str, bytes]] = attrs.field(factory=set)


@attrs.define
class Bringing:
    """
    Decides over the targets and deliveries of one place, and with a preview no more than that.

    Deliveries come after the targets that they lead to.
    """

    stores: Stores | None
    result: Migration
    clock: Clock
    imported: Mapping[str, bytes]
    foreseen: Foreseen
    _targets: dict[str, str | None] = attrs.field(factory=dict)
    _elsewhere: dict[str, str | None] = attrs.field(factory=dict)
    _early: set[bytes] = attrs.field(factory=set)

    def targets(self, report: SourceReport, rows: Sequence[TableRow]) -> Told:
        """Register the targets in *rows* that are new, with what they were called."""
        told: Told = []
        known = self._known_targets()
        for row in rows:
            old = read_target(row)
            word = self._refuse("", _NO_TARGET) if old is None else self._target(old, known)
            report.targets[word] += 1
            told.append((row.key, "" if old is None else old.alias, word))
        return told

    def _known_targets(self) -> set[str]:
        if self.stores is None or self.result.is_preview:
            return set()
        return {each.target_id for each in self.stores.targets.targets()}

    def _target(self, old: OldTarget, known: set[str]) -> Brought:
        is_again = old.alias in self._targets
        before = self._targets.get(old.alias)
        self._targets[old.alias] = None
        if not can_be_shown(old):
            return self._refuse(old.alias, _NO_WORDS)
        try:
            target = recompute(old)
        except TargetUrlError as error:
            return self._refuse(old.alias, error.message)
        target_id = target.target_id
        if is_again and before != target_id:
            self.result.refuse_target(old.alias, _AMBIGUOUS)
        else:
            self._targets[old.alias] = target_id
        if self.stores is None or self.result.is_preview:
            is_new = target_id not in self._called(old.alias)
            self.foreseen.names.setdefault(old.alias, set()).add(target_id)
        else:
            if target_id not in known:
                # What was known then must not count as news of a server that is known now.
                self.stores.targets.register(target, at=self.clock())
                known.add(target_id)
            is_new = self.stores.past.call(target_id, old.alias, at=self.clock())
        return Brought.IMPORTED if is_new else Brought.KNOWN

    def _refuse(self, alias: str, why: str) -> Brought:
        self.result.refuse_target(alias, why)
        return Brought.REFUSED

    def _called(self, alias: str) -> set[str]:
        """Return what is, or would be, called so."""
        stored = [] if self.stores is None else self.stores.past.called(alias)
        return self.foreseen.names.get(alias, set()).union(stored)

    def early(self, source: Source, found: Sequence[OldDelivery]) -> None:
        """Bring those of *found* that can be, as events that they lead to are stored just now."""
        if self.stores is None or not found:
            return
        stored = self.stores.legacy.stored(list({each.event_id for each in found}))
        meant = [each for each in found if self._word(each, stored) is Brought.IMPORTED]
        new = self.stores.past.news(self._past(source, meant, stored))
        self.stores.past.bring(new)
        self._early.update(each.old.key.digest for each in new)

    def deliveries(self, report: SourceReport, rows: Sequence[TableRow]) -> Told:
        """Bring the deliveries in *rows* whose event and target are known."""
        found = [read_delivery(row) for row in rows]
        stored: Mapping[str, Stored] = {}
        if self.stores is not None:
            stored = self.stores.legacy.stored(list({each.event_id for each in found}))
        words = [self._word(each, stored) for each in found]
        meant = [each for each, word in zip(found, words, strict=True) if word is Brought.IMPORTED]
        past = self._past(report.source, meant, stored)
        new = [] if self.stores is None else self.stores.past.news(past)
        news = {each.old.key for each in new}
        known = {each.old.key for each in past} - news
        told: Told = []
        for each, judged in zip(found, words, strict=True):
            word = self._final(each, judged, known)
            report.deliveries[word] += 1
            told.append((each.key, f"{each.event_id} {each.alias}", word))
        if self.stores is not None and not self.result.is_preview:
            self.stores.past.bring(new)
        return told

    def _final(self, old: OldDelivery, word: Brought, known: set[RowKey]) -> Brought:
        """Return what became of a delivery, which may have been brought early or before."""
        if word is Brought.UNKNOWN_STATUS:
            self.result.unknown_statuses.add(old.status)
        if word is not Brought.IMPORTED:
            return word
        if old.key.digest in self._early:
            self._early.remove(old.key.digest)
            return word
        content = (self._meant(old.alias) or "", old.event_id, old.key.digest)
        if old.key in known or content in self.foreseen.deliveries:
            return Brought.KNOWN
        if self.stores is None or self.result.is_preview:
            self.foreseen.deliveries.add(content)
        return word

    def _word(self, old: OldDelivery, stored: Mapping[str, Stored]) -> Brought:
        """Return what becomes of a delivery if it was not brought before."""
        if old.event_id not in stored and old.event_id not in self.imported:
            return Brought.UNKNOWN_EVENT
        if self._meant(old.alias) is None:
            is_refused = old.alias in self._targets
            return Brought.REFUSED if is_refused else Brought.UNKNOWN_TARGET
        return Brought.UNKNOWN_STATUS if old.outcome is None else Brought.IMPORTED

    def _meant(self, alias: str) -> str | None:
        """Return the id of the target that *alias* names here, or if nothing does, anywhere."""
        if alias in self._targets:
            return self._targets[alias]
        if alias not in self._elsewhere:
            called = self._called(alias)
            self._elsewhere[alias] = called.pop() if len(called) == 1 else None
        return self._elsewhere[alias]

    def _past(
        self, source: Source, found: Sequence[OldDelivery], stored: Mapping[str, Stored]
    ) -> list[PastDelivery]:
        """Return those of *found* whose events are stored, as they are put on record."""
        return [
            PastDelivery(
                path=source.path,
                old=old,
                target_id=self._meant(old.alias) or "",
                stream=stored[old.event_id].stream,
                position=stored[old.event_id].position,
                taken_at=self.clock(),
            )
            for old in found
            if old.event_id in stored
        ]
