"""A migration of the journal era dies by SIGKILL."""

import sys
from pathlib import Path

import pytest

from eventsync_adapters.sqlite import open_for_reading
from eventsync_core.integrity import verify
from tests.legacy.conftest import Scene
from tests.legacy.dying import nothing_is_lost
from tests.legacy.journal_era import audit, delivery, journal, ledger, stored, target, targets
from tests.legacy.old import rows

_LOST = stored("e1", payload={"n": 2})
_EVENTS = ("e1", "e2", "e3")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


def _prepare(place: Path) -> None:
    journal(place, _EVENTS)
    old = target()
    targets(place, [old])
    statuses = ("success", "terminal_failed", "pending")
    found = zip(_EVENTS, statuses, strict=True)
    ledger(place, [delivery(name, old["target_id"], status) for name, status in found])
    audit(place, [("e1", _LOST)])


def _texts(place: Path) -> set[str]:
    """Return every text of an event that the store or the old journal holds."""
    path = place / "event_journal" / "journal-local.db"
    found = {text.decode() for text in rows(path, "SELECT payload FROM event_journal")}
    stores = open_for_reading(place / "eventsync" / "eventsync.db")
    if stores is None:
        return found
    with stores:
        for head in stores.journal.heads():
            found |= {entry.event.text for entry in stores.journal.entries(head.stream)}
            assert verify(stores.journal, head.stream).is_intact
    return found


def _everything(place: Path) -> tuple[object, ...]:
    """Return all that a whole migration leaves behind, apart from times and the place."""
    stores = open_for_reading(place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        (known,) = stores.targets.targets()
        entries = [stores.journal.find(name) for name in _EVENTS]
        standing = [
            (
                each.event.text,
                stores.ledger.entry(known.target_id, each.stream, each.position),
                [
                    (i.outcome, i.reason, i.at)
                    for i in stores.ledger.history(each.stream, each.position)
                ],
                [(p.old, p.target_id) for p in stores.past.of(each.stream, each.position)],
            )
            for each in entries
            if each is not None
        ]
        aside = [(row.key, row.why, row.resolution) for row in stores.legacy.aside()]
        tally = stores.backlog.tally(known.target_id, "unassigned", at=0)
        assert tally.is_coherent
        names = stores.past.aliases(known.target_id)
    left = rows(place / "event_journal" / "journal-local.db", "SELECT COUNT(*) FROM event_journal")
    return standing, aside, names, tally.classes(), left


def test_killed_now_and_then(scene: Scene, tmp_path: Path) -> None:
    """Nothing is lost or counted twice, and the next run ends as one that was never killed."""
    _check(scene, tmp_path, every=83)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_killed_at_every_step(scene: Scene, tmp_path: Path) -> None:
    """As above, at each moment there is."""
    _check(scene, tmp_path, every=1)


def _check(scene: Scene, tmp_path: Path, *, every: int) -> None:
    _prepare(scene.place)
    assert _texts(scene.place) == {stored(name).decode() for name in _EVENTS}
    words = ("sync", "migrate")
    nothing_is_lost(
        scene, tmp_path / "moments", *words, every=every, texts=_texts, whole=_everything
    )
