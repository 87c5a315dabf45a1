"""What a host calls."""

import time
from pathlib import Path

import pytest

import eventsync
from eventsync import Migration, MigrationRules, Resolution, migrate_legacy
from eventsync_core.errors import SourceError
from eventsync_core.legacy import Became, Brought, RowKey, Source
from tests.legacy.journal_era import audit, target, targets
from tests.legacy.old import envelope, queue, rows


def test_it_brings_everything_home(tmp_path: Path) -> None:
    """Any number of times; each row is told of; a dry run changes nothing."""
    queue(tmp_path / "queue.db", ["e1", "e2"])
    told = []

    planned = migrate_legacy(tmp_path, dry_run=True)
    assert [path.name for path in tmp_path.iterdir()] == ["queue.db"]
    done = migrate_legacy(
        tmp_path, on_row=lambda source, key, name, became: told.append((key.part, name, became))
    )

    assert planned.count(Became.IMPORTED) == done.count(Became.IMPORTED) == 2
    assert (planned.removed, done.removed, done.is_clean) == (2, 2, True)
    assert told == [("queue", "e1", Became.IMPORTED), ("queue", "e2", Became.IMPORTED)]
    assert migrate_legacy(tmp_path).count(Became.IMPORTED) == 0
    with eventsync.open_store(tmp_path) as store:
        assert store.stores.journal.find("e1") is not None


def test_rules_are_those_of_the_host(tmp_path: Path) -> None:
    """The stream of events without a project, and what becomes of conflicts."""
    queue(tmp_path / "queue.db", ["e1"])
    queue(tmp_path / "more" / "queue.db", [("e1", envelope("e1", other=1))])
    rules = MigrationRules(project="mine", resolve={"e1": Resolution.KEEP_BOTH})

    done = migrate_legacy(tmp_path, places=[tmp_path / "more"], rules=rules)

    assert isinstance(done, Migration)
    assert (done.is_clean, done.count(Became.RESOLVED)) == (True, 1)
    assert rows(tmp_path / "more" / "queue.db") == []
    with eventsync.open_store(tmp_path) as store:
        assert [head.stream for head in store.stores.journal.heads()] == ["mine"]


def test_it_is_quick_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    """Without files, and with files that were emptied before."""

    def fastest() -> float:
        times = []
        for _ in range(20):
            started = time.perf_counter()
            assert migrate_legacy(tmp_path).is_clean
            times.append(time.perf_counter() - started)
        return min(times)

    assert fastest() < 0.010
    assert list(tmp_path.iterdir()) == []
    for name in ("queue.db", "queues/queue-aa.db", "queues/queue-bb.db"):
        queue(tmp_path / name, [f"e{name}"])
    migrate_legacy(tmp_path)
    assert fastest() < 0.010


@pytest.mark.parametrize("error", [ValueError("x"), SourceError("x"), OSError(28, "x")])
@pytest.mark.parametrize("part", ["queue", "delivery_targets", "quarantined_conflicts"])
def test_what_goes_wrong_with_the_host_is_not_the_source(
    tmp_path: Path, error: Exception, part: str
) -> None:
    """What `on_row` raises comes through, of every kind of row; what was stored is stored."""
    queue(tmp_path / "queue.db", ["e1"])
    targets(tmp_path, [target()])
    audit(tmp_path, [("e1", b"{}")])

    def odd(source: Source, key: RowKey, name: str, became: Became | Brought) -> None:
        if key.part == part:
            raise error

    with pytest.raises(type(error)) as raised:
        migrate_legacy(tmp_path, on_row=odd)
    assert raised.value is error
    assert rows(tmp_path / "queue.db") == (["e1"] if part == "queue" else [])
    assert migrate_legacy(tmp_path).is_clean
    with eventsync.open_store(tmp_path) as store:
        assert store.stores.journal.find("e1") is not None


def test_a_home_may_be_a_text(tmp_path: Path) -> None:
    """As for `open_store`; other places too."""
    queue(tmp_path / "queue.db", ["e1"])
    queue(tmp_path / "more" / "queue.db", ["e2"])

    done = migrate_legacy(str(tmp_path), places=[str(tmp_path / "more")])

    assert done.count(Became.IMPORTED) == 2


def test_a_conflict_whose_file_is_gone_is_decided(tmp_path: Path) -> None:
    """It is on record; without a store there is nothing to decide, and none is made."""
    rules = MigrationRules(resolve={"e1": Resolution.KEEP_BOTH})
    assert migrate_legacy(tmp_path, rules=rules).not_in_conflict == {"e1"}
    assert list(tmp_path.iterdir()) == []
    queue(tmp_path / "queue.db", ["e1"])
    other = queue(tmp_path / "queue-other.db", [("e1", envelope("e1", other=1))])
    assert migrate_legacy(tmp_path, places=[other]).conflict_count == 1
    (tmp_path / "queue.db").unlink()
    other.unlink()

    done = migrate_legacy(tmp_path, rules=rules)

    assert (done.not_in_conflict, done.is_clean) == (set(), True)
