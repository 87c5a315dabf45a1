"""Any number of runs, over any state of old files and stores, killed at any step."""

import json
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from eventsync_adapters.sqlite import open_stores
from eventsync_core.events import read_event
from eventsync_core.integrity import verify
from eventsync_core.legacy import Became
from eventsync_core.migration import (
    BODIES,
    FAILURES,
    Migration,
    MigrationRules,
    TableRow,
    as_document,
    migrate,
    preview,
)
from eventsync_core.migration._body_rows import judge_body
from eventsync_core.stores import MemoryStores, Stores
from eventsync_core.testing import ManualClock, run_until_crash
from tests.core.migration.olden import (
    DyingStores,
    Mortal,
    OldFile,
    body_columns,
    event_text,
    failure_columns,
)
from tests.effort import examples

_NAMES = st.sampled_from(["e1", "e2", "e3"])
_FILES = st.integers(0, 2)
_VARIANTS = st.integers(0, 2)
_WORDS = st.sampled_from([None, None, "keep-journal", "keep-source", "keep-both"])


class Durable(MemoryStores):
    """What is in memory counts as safe here, so that files are emptied."""

    @property
    def is_durable(self) -> bool:
        return True


class AnyState(RuleBasedStateMachine):
    """Drive migrations, old programs and live captures; nothing is lost, nothing counts twice."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = ExitStack()
        self.stores = self.opened()
        self.mortal = Mortal()
        self.files = [OldFile(name, self.mortal) for name in "abc"]
        self.clock = ManualClock()
        self.contents: set[bytes] = set()
        self.counted: dict[tuple[str, int], int] = {}
        self.times = 0

    def opened(self) -> Stores:
        """Return the stores that everything comes to."""
        return Durable()

    @initialize(name=_NAMES, variant=_VARIANTS)
    def capture_first(self, name: str, variant: int) -> None:
        """Something may be there before any migration."""
        self.capture(name, variant)

    @rule(name=_NAMES, variant=_VARIANTS)
    def capture(self, name: str, variant: int) -> None:
        """Capture an event live, unless its id is known."""
        if self.stores.journal.find(name) is None:
            event = read_event(event_text(name, variant))
            self.stores.journal.append("live", [event], at=1)
            self.contents.add(event.canonical_digest)

    @rule(place=_FILES, name=_NAMES, variant=_VARIANTS, blocked=st.booleans(), late=st.booleans())
    def queue(self, place: int, name: str, variant: int, *, blocked: bool, late: bool) -> None:
        """An old program queues an event, before a run or in the middle of it."""
        text = event_text(name, variant, is_blocked=blocked)
        self._add(place, "queue", {"data": text, "beside": "{}" if blocked else ""}, late=late)

    @rule(place=_FILES, variant=_VARIANTS, late=st.booleans())
    def spoil(self, place: int, variant: int, *, late: bool) -> None:
        """An old program queues what is no event."""
        self._add(place, "queue", {"data": f"nonsense {variant}"}, late=late)

    @rule(place=_FILES, path=st.sampled_from("ab"), variant=_VARIANTS, late=st.booleans())
    def queue_body(self, place: int, path: str, variant: int, *, late: bool) -> None:
        """An old program queues a body."""
        self._add(place, BODIES, body_columns(path, f"{variant}"), late=late)

    @rule(place=_FILES, reason=st.sampled_from("rs"))
    def fail(self, place: int, reason: str) -> None:
        """An old program counts a refusal, in its row or in a new one."""
        there = self.files[place].parts[FAILURES]
        for number, row in there.items():
            if row["failure_reason"] == reason:
                first, count = row["first_failed_at"], row["failure_count"] + 1
                there[number] = failure_columns(reason, first, count)
                break
        else:
            self.times += 1
            first, count = self.times, 1
            self.files[place].add(FAILURES, failure_columns(reason, first, count))
        before = self.counted.get((reason, first), 0)
        self.counted[reason, first] = max(before, count)

    @rule(place=_FILES, other=_FILES)
    def copy(self, place: int, other: int) -> None:
        """Somebody copies all rows of one file into another."""
        assume(place != other)
        for part, there in self.files[place].parts.items():
            for row in list(there.values())[:3]:
                self.files[other].add(part, row)

    @rule(place=_FILES, name=_NAMES, variant=_VARIANTS)
    def rewrite(self, place: int, name: str, variant: int) -> None:
        """An old program puts another event in the place of one, which is then its own loss."""
        there = self.files[place].parts["queue"]
        if there:
            there[min(there)] = {"data": event_text(name, variant)}
            self.contents = self._found() & self.contents
            self.contents |= _contents("queue", there[min(there)])

    @rule(
        keep=st.booleans(),
        take=st.booleans(),
        word=_WORDS,
        left=st.none() | st.integers(1, 120),
        after=st.booleans(),
    )
    def run(
        self, *, keep: bool, take: bool, word: str | None, left: int | None, after: bool
    ) -> None:
        """Migrate, to the end or not."""
        rules: dict[str, Any] = {
            "keep_sources": keep,
            "take_quarantined": take,
            "resolve_all": word,
        }
        self.mortal.left, self.mortal.is_after = left, after
        stores = cast("Stores", DyingStores(self.stores, self.mortal))
        run_until_crash(lambda: self._migrate(stores, rules))
        self.mortal.left = None

    @rule(keep=st.booleans(), take=st.booleans(), word=_WORDS)
    def run_as_foreseen(self, *, keep: bool, take: bool, word: str | None) -> None:
        """A preview says what the act then does."""
        for each in self.files:
            each.late.clear()
        rules: dict[str, Any] = {
            "keep_sources": keep,
            "take_quarantined": take,
            "resolve_all": word,
        }
        planned = preview(self.stores, self.files, MigrationRules(**rules), clock=self.clock)
        done = self._migrate(self.stores, rules)
        assert _comparable(planned) == _comparable(done)
        assert self.contents <= self._stored()

    def _migrate(self, stores: Stores, rules: dict[str, Any]) -> Migration:
        return migrate(stores, self.files, MigrationRules(**rules), clock=self.clock)

    def _add(self, place: int, part: str, row: dict[str, Any], *, late: bool) -> None:
        file = self.files[place]

        def act() -> None:
            self.contents.update(_contents(part, row))
            file.add(part, row)

        if late:
            file.late.append(act)
        else:
            act()

    def _found(self) -> set[bytes]:
        """Return every content that the stores or the files hold."""
        found = self._stored()
        for file in self.files:
            for part in ("queue", BODIES):
                for row in file.parts[part].values():
                    found |= _contents(part, row)
        return found

    def _stored(self) -> set[bytes]:
        """Return every content that the stores hold."""
        found: set[bytes] = set()
        for head in self.stores.journal.heads():
            found |= {
                entry.event.canonical_digest for entry in self.stores.journal.entries(head.stream)
            }
        for aside in self.stores.legacy.aside():
            raw = (self.stores.legacy.bytes_of(aside.number) or b"").decode()
            row = {"data": raw} if aside.key.part == "queue" else json.loads(raw)
            found |= _contents(aside.key.part, row)
        for path in "ab":
            key = judge_body(TableRow(BODIES, 1, [*body_columns(path, "").items()])).upload
            assert key is not None
            upload = self.stores.bodies.get(key.key)
            if upload is not None:
                found.add(f"{path} {upload.content}".encode())
        return found

    def _logged(self) -> dict[str, int]:
        return {each.reason: each.count for each in self.stores.bodies.failures()}

    def _true(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for (reason, _), count in self.counted.items():
            found[reason] = found.get(reason, 0) + count
        return found

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every content is in the journal, set aside, or still in a file."""
        assert self.contents <= self._found()

    @invariant()
    def nothing_counts_twice(self) -> None:
        """No refusal, and no event."""
        true = self._true()
        assert all(count <= true[reason] for reason, count in self._logged().items())
        names = [
            entry.event.event_id
            for head in self.stores.journal.heads()
            for entry in self.stores.journal.entries(head.stream)
        ]
        assert len(names) == len(set(names))

    def everything(self) -> tuple[Any, ...]:
        """Return all that a migration may change."""
        legacy = self.stores.legacy
        heads = self.stores.journal.heads()
        return (
            [self.stores.journal.entries(head.stream) for head in heads],
            legacy.aside(),
            [sorted(map(repr, legacy.provenance(name))) for name in ("e1", "e2", "e3")],
            self.stores.bodies.page(),
            self.stores.bodies.failures(),
            [file.fingerprint() for file in self.files],
        )

    def teardown(self) -> None:
        """With kept files all is stored; then one run empties them, and one changes nothing."""
        with self.closing:
            for file in self.files:
                while file.late:
                    file.late.pop()()
            self._migrate(self.stores, {"keep_sources": True})
            assert self.contents <= self._stored()
            rules = {"resolve_all": "keep-both", "take_quarantined": True}
            done = self._migrate(self.stores, rules)
            assert done.is_clean
            assert [file.parts for file in self.files] == 3 * [
                {"queue": {}, BODIES: {}, FAILURES: {}}
            ]
            self.nothing_is_lost()
            assert self._logged() == self._true()
            for head in self.stores.journal.heads():
                assert verify(self.stores.journal, head.stream).is_intact
            before = self.everything()
            again = self._migrate(self.stores, rules)
            assert (again.removed, again.count(Became.IMPORTED)) == (0, 0)
            assert self.everything() == before


class AnyStateOnDisk(AnyState):
    """The same with SQLite."""

    def opened(self) -> Stores:
        """Return stores on disk."""
        place = Path(self.closing.enter_context(tempfile.TemporaryDirectory()))
        return self.closing.enter_context(open_stores(place / "x.db"))


def _contents(part: str, row: Any) -> set[bytes]:
    """Return what may not be lost of a row."""
    if part == FAILURES:
        return set()
    if part == BODIES:
        return {f"{row['artifact_path']} {row['content_body']}".encode()}
    if row["data"].startswith("nonsense"):
        return {row["data"].encode()}
    return {read_event(row["data"]).canonical_digest}


def _comparable(done: Migration) -> Any:
    document = as_document(done)
    del document["dry_run"]
    for name in ("conflicts", "quarantined"):
        document[name] = sorted(
            repr({key: value for key, value in each.items() if key != "number"})
            for each in document[name]
        )
    return document


TestAnyState = AnyState.TestCase
TestAnyState.settings = settings(max_examples=examples(60), stateful_step_count=25, deadline=None)
TestAnyStateOnDisk = AnyStateOnDisk.TestCase
TestAnyStateOnDisk.settings = settings(
    max_examples=examples(8), stateful_step_count=20, deadline=None
)
