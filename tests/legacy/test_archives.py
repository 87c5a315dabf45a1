"""Real files of real releases end exactly as their manifest says."""

import json
import sys
import tarfile
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.sqlite import open_for_reading
from eventsync_core.codec import parse_event_text
from tests.legacy.conftest import Scene
from tests.legacy.moments import each_moment, watch

QUEUES = Path(__file__).parents[3] / "shared" / "legacy-queues"
pytestmark = pytest.mark.skipif(not QUEUES.exists(), reason="../shared with real queues is absent")


def _archives() -> list[Any]:
    if not QUEUES.exists():
        return []
    found: list[Any] = json.loads((QUEUES / "MANIFEST.json").read_text())["archives"]
    return [pytest.param(each, id=each["archive"]) for each in found]


def _unpack(said: Any, place: Path) -> None:
    with tarfile.open(QUEUES / said["archive"]) as archive:
        archive.extractall(place.parent, filter="data")
    (place.parent / ".spec-kitty").rename(place)


def _canonical(text: str) -> str:
    # Nothing there has a local key that counts: the manifest's form has them all.
    return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def _check_events(scene: Scene, said: Any) -> None:
    events = said["events"]
    ids = set(events["event_ids"])
    found = {name: entry for name, entry in scene.entries().items() if name in ids}
    assert set(found) == ids
    joined = "\n".join(sorted(found))
    assert sha256(joined.encode()).hexdigest() == events["sorted_event_ids_sha256"]
    lines = [
        f"{name}\t{sha256(_canonical(found[name].event.text).encode()).hexdigest()}"
        for name in sorted(found)
        if name not in events["divergent_duplicates"]
    ]
    digest = sha256("\n".join(lines).encode()).hexdigest()
    assert digest == events["id_and_canonical_payload_lines_sha256"]
    for name in events.get("delivered_and_deleted_ids_not_in_any_db", []):
        assert name not in found


def _check_conflicts(scene: Scene, said: Any) -> None:
    """Each content of a divergent event is in the journal or set aside."""
    stores = open_for_reading(scene.place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        aside: dict[str, set[str]] = {}
        for row in stores.legacy.aside():
            text = (stores.legacy.bytes_of(row.number) or b"").decode()
            digest = sha256(_canonical(text).encode()).hexdigest()
            aside.setdefault(row.event_id, set()).add(digest)
    entries = scene.entries()
    for name, facts in said["events"]["divergent_duplicates"].items():
        kept = sha256(_canonical(entries[name].event.text).encode()).hexdigest()
        assert {kept} | aside[name] == set(facts["in"].values())
        assert len({kept} | aside[name]) == facts["distinct_payloads"]
    assert set(aside) == set(said["events"]["divergent_duplicates"])


def _check_bodies(scene: Scene, said: Any) -> None:
    listed = scene.run("body", "list").document["bodies"]
    assert len(listed) == said["body_uploads"]["distinct_keys"]
    stores = open_for_reading(scene.place / "eventsync" / "eventsync.db")
    assert stores is not None
    with stores:
        logged = stores.bodies.failures()
    assert len(logged) == said["body_failure_log"]["rows_total"]
    assert sum(each.count for each in logged) == said["body_failure_log"]["failure_count_sum"]


@pytest.mark.parametrize("said", _archives())
def test_it_ends_as_its_manifest_says(scene: Scene, said: Any) -> None:
    """Events, duplicates, divergences, bodies and failures; twice in a row, and then resolved."""
    scene.place.rmdir()
    _unpack(said, scene.place)
    events, reference = said["events"], said["reference_3_2_4_migrate_queues_to_journal"]
    divergent = events["counts"]["divergent_ids"]

    first = scene.migrate().document
    queues = [each for each in first["sources"] if each["kind"] == "queue"]
    counts = Counter[str]()
    for each in queues:
        counts.update({word: each[word] for word in ("imported", "deduplicated", "conflict")})
    assert counts["imported"] == events["distinct_event_ids"] == reference["imported"]
    assert (counts["deduplicated"], counts["conflict"]) == (
        reference["deduped"],
        reference["conflict_rows"],
    )
    assert sum(each["rows"] for each in queues) == (
        events["queue_rows_total"]
        + said["body_uploads"]["rows_total"]
        + said["body_failure_log"]["rows_total"]
    )
    for _ in range(2):
        _check_events(scene, said)
        _check_conflicts(scene, said)
        _check_bodies(scene, said)
        again = scene.migrate().document
        assert (again["imported"], again["ok"]) == (0, not divergent)
    assert scene.migrate("--resolve", "keep-journal").code == 0
    _check_events(scene, said)
    last = scene.migrate().document
    assert (last["ok"], [each["rows_left"] for each in last["sources"]]) == (
        True,
        [0] * len(last["sources"]),
    )
    assert parse_event_text(next(iter(scene.entries().values())).event.text).damage is None


@pytest.mark.parametrize("said", _archives())
def test_what_came_home_is_sound(scene: Scene, said: Any) -> None:
    """Nothing that any look at it could call damage."""
    scene.place.rmdir()
    _unpack(said, scene.place)

    scene.run("sync", "migrate")

    scene.check_sound()


@pytest.mark.parametrize("said", _archives())
def test_it_does_so_killed_now_and_then(scene: Scene, said: Any, tmp_path: Path) -> None:
    """A migration that died is one that was never started, or goes on where it was."""
    _check_killed(scene, said, tmp_path, every=89)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("said", _archives())
def test_it_does_so_killed_at_every_step(scene: Scene, said: Any, tmp_path: Path) -> None:
    """As above, at each moment there is."""
    _check_killed(scene, said, tmp_path, every=1)


def _check_killed(scene: Scene, said: Any, tmp_path: Path, *, every: int) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows has no SIGKILL")
    scene.place.rmdir()
    _unpack(said, scene.place)
    words = ("sync", "migrate", "--resolve", "keep-journal")
    watch(scene.place, tmp_path / "moments", *words, every=every)
    tried = 0
    for moment in each_moment(tmp_path / "moments", scene.place):
        again = scene.run(*words)
        assert again.code == 0, (moment, again.document)
        assert {each["rows_left"] for each in again.document["sources"]} <= {0}, moment
        _check_events(scene, said)
        _check_conflicts(scene, said)
        _check_bodies(scene, said)
        tried += 1
    assert tried > 100 // every
