"""Homes that are made ready for one command each, and what each command must keep to."""

import gzip
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from tests.cli.conftest import Ran
from tests.cli.listeners import Heard, listening
from tests.damage.damaging import spoil, unguarded
from tests.full.facts import Facts, facts, written
from tests.full.limits import DATABASE, forked
from tests.legacy import old

PROJECT = "0f8fad5b-d9cb-469f-a165-70867728950e"


@attrs.define
class Taker:
    """A receiver that takes everything: what it holds, and how often each event was sent."""

    base: Path
    url: str = ""
    held: set[str] = attrs.field(factory=set)
    sent: Counter[str] = attrs.field(factory=Counter)

    def reply(self, heard: Heard) -> tuple[int, Mapping[str, str], bytes]:
        """Say success to what is new, and duplicate to the rest."""
        ids = [each["event_id"] for each in json.loads(heard.body)["events"]]
        said = [(each, "duplicate" if each in self.held else "success") for each in ids]
        self.sent.update(ids)
        self.held.update(ids)
        results = [{"event_id": each, "status": status} for each, status in said]
        return 200, {}, json.dumps({"results": results}).encode()


@contextmanager
def taking(base: Path) -> Iterator[Taker]:
    """Listen for the length of the block; *base* is where a home to begin with may be kept."""
    taker = Taker(base)
    with listening(taker.reply) as listener:
        taker.url = listener.url
        yield taker


@attrs.frozen
class Place:
    """A folder with a home, files to read and files that are made."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def database(self) -> Path:
        return self.home / "eventsync" / DATABASE

    def run(self, *words: str) -> Ran:
        """Run a command that must do its work."""
        ran = forked(self.home, words)
        assert ran.code == 0, ran
        return ran


Check = Callable[[Place, Facts, Ran], None]


def anything(_place: Place, _before: Facts, _ran: Ran) -> None:
    """Accept what was found: all that holds for every command is checked elsewhere."""


@attrs.frozen(kw_only=True)
class Scene:
    """
    A command, the home it runs in, and what must hold wherever it ended.

    `words` may name {root}. `loses` says that texts may go. `check` looks at the place after the
    command. `codes`: how it may end short of success. `again`: the file that an archive names
    where the first one was made. `short`: what it says where it did all but the last.
    `is_sound`: nothing is damaged beforehand.
    """

    name: str
    words: str
    prepare: Callable[[Place, Taker], None]
    check: Check = anything
    codes: frozenset[int] = frozenset({5})
    again: str = ""
    short: str = ""
    loses: bool = False
    is_sound: bool = True

    def argv(self, place: Place, *, as_json: bool) -> tuple[str, ...]:
        """Return the words of the command."""
        words = self.words.format(root=place.root, project=PROJECT).split()
        if self.again and (place.root / words[-1]).exists():
            words[-1] = str(place.root / self.again)
        return (*words, "--json") if as_json else tuple(words)


def _mode(place: Place, taker: Taker) -> None:
    place.run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", taker.url)


def _nothing(place: Place, _taker: Taker) -> None:
    written(place.root / "many.jsonl", 30, prefix="m", size=300)


def _base(place: Place, taker: Taker) -> None:
    """Twenty events are delivered, one of them is held, 120 of two streams are owed."""
    if not taker.base.exists():
        made = Place(taker.base)
        made.root.mkdir()
        _make_base(made, taker)
    shutil.copytree(taker.base, place.root, dirs_exist_ok=True)
    taker.held = {f"a{n}" for n in range(20)}


def _make_base(place: Place, taker: Taker) -> None:
    first = written(place.root / "first.jsonl", 20, prefix="a", size=1_500)
    owed = written(place.root / "owed.jsonl", 100, prefix="b", size=1_500, aggregate_id="x")
    theirs = written(place.root / "theirs.jsonl", 20, prefix="p", size=1_500, project_uuid=PROJECT)
    place.run("capture", str(first))
    _mode(place, taker)
    place.run("sync", "now")
    place.run("journal", "hold", "a3", "--reason", "not yet")
    place.run("capture", str(owed))
    place.run("capture", str(theirs))
    place.run("target", "grant", "--project", PROJECT)
    written(place.root / "one.jsonl", 1, prefix="one", size=9_000)
    written(place.root / "many.jsonl", 700, prefix="m", size=200)


def _owing(place: Place, taker: Taker) -> None:
    """What is owed takes some requests."""
    _base(place, taker)
    place.run("capture", str(written(place.root / "rest.jsonl", 900, prefix="c", size=500)))


def _delivered(place: Place, taker: Taker) -> None:
    """All of it is delivered."""
    _base(place, taker)
    place.run("sync", "now")


def _with_bodies(place: Place, taker: Taker) -> None:
    """Bodies of the project that goes wait."""
    _base(place, taker)
    place.run("sync", "now", "--project", PROJECT)
    mission = place.root / "mission"
    mission.mkdir()
    body = mission / "spec.md"
    body.write_text("# spec\n" * 3_000)
    place.run(
        *("body", "add", str(body), "--root", str(mission), "--project", PROJECT, "--mission", "m"),
        *("--mission-type", "t", "--manifest-version", "1"),
    )


def _damaged(place: Place, taker: Taker) -> None:
    _base(place, taker)
    spoil(place.database, ["b3"], '{"event_id": "b3", "n": 4}')
    spoil(place.database, [f"b{n}" for n in range(5, 95)], b"\xff")


def _miscounted(place: Place, taker: Taker) -> None:
    _delivered(place, taker)
    unguarded(
        place.database,
        ("UPDATE tallies SET entries = entries + 1", ()),
        ("UPDATE streams SET kept = kept - 1, kept_bytes = 7", ()),
        ("DELETE FROM ledger WHERE position > 20 AND stream_id = 1", ()),
    )


def _queue(place: Place, taker: Taker) -> None:
    _base(place, taker)
    rows = [(f"q{n}", old.envelope(f"q{n}", t="x" * 400)) for n in range(150)]
    old.queue(place.home / "queue.db", rows)


def _archived(place: Place, taker: Taker) -> None:
    _delivered(place, taker)
    place.run("sync", "archive", str(place.root / "kept.gz"))
    with (place.root / "more.jsonl").open("wb") as more:
        more.write((place.root / "many.jsonl").read_bytes())
        more.write(gzip.decompress((place.root / "kept.gz").read_bytes()))


def _backed_up(place: Place, taker: Taker) -> None:
    _delivered(place, taker)
    place.run("journal", "backup", str(place.root / "copy.db"))
    place.run("capture", str(place.root / "one.jsonl"))
    _mode(place, taker)


def _check_counts(place: Place, before: Facts, ran: Ran) -> None:
    """What was acknowledged is stored, and nothing else is new."""
    new = len(facts(place.home).entries) - len(before.entries)
    if ran.out.startswith("{"):
        assert ran.document.get("stored", 0) == new
    if ran.code == 0:
        assert new


def _check_shrunk(place: Place, before: Facts, ran: Ran) -> None:
    """Where it succeeds, all went and the file gave the room back."""
    if ran.code == 0:
        assert facts(place.home).texts == {}
        assert page_count(place.database) * 8_192 < sum(map(len, before.texts.values())) * 5


def _check_archive(place: Place, before: Facts, ran: Ran) -> None:
    """It is whole or not there, and what went is in it."""
    now = facts(place.home)
    gone = before.texts.keys() - now.texts.keys()
    out = place.root / "out.gz"
    if not out.exists():
        assert not gone
        assert ran.code != 0
        return
    lines = gzip.decompress(out.read_bytes()).decode().splitlines()
    assert {before.texts[each] for each in gone} <= set(lines)
    if ran.code and len(gone) < len(before.texts):
        assert "another file" in ran.out + ran.err


def _check_backup(place: Place, before: Facts, ran: Ran) -> None:
    """It is whole or not there."""
    out = place.root / "out.db"
    assert out.exists() == (ran.code == 0)
    if out.exists():
        other = Place(place.root / "other")
        other.run("journal", "restore", str(out))
        assert facts(other.home) == before
        shutil.rmtree(other.root)


def _check_noted(place: Place, _before: Facts, ran: Ran) -> None:
    """The note is whole or not there."""
    note = place.home / "eventsync" / "verified.json"
    if note.exists():
        assert json.loads(note.read_bytes())["streams"]
    else:
        # The walk was not begun where not even the index of a WAL could be made.
        assert "the next walk reads all again" in ran.err or "store_full" in ran.out + ran.err


def _check_restored(place: Place, before: Facts, ran: Ran) -> None:
    """It is what stands there, or what stood there before still does."""
    now = facts(place.home)
    assert ("one0" in now.entries) == (ran.code != 0)
    aside = list((place.home / "eventsync").glob("*.before-restore-*"))
    assert len(aside) == (ran.code == 0)
    if ran.code:
        assert now == before


SCENES = {
    scene.name: scene
    for scene in (
        Scene(
            name="first", words="capture {root}/many.jsonl", prepare=_nothing, check=_check_counts
        ),
        Scene(name="capture", words="capture {root}/one.jsonl", prepare=_base, check=_check_counts),
        Scene(name="many", words="capture {root}/many.jsonl", prepare=_base, check=_check_counts),
        Scene(name="now", words="sync now", prepare=_owing),
        Scene(
            name="gc",
            words="sync gc --apply",
            prepare=_delivered,
            check=_check_shrunk,
            loses=True,
        ),
        Scene(
            name="compact",
            words="sync gc --apply --compact",
            prepare=_delivered,
            check=_check_shrunk,
            loses=True,
        ),
        Scene(
            name="verify",
            words="journal verify --incremental",
            prepare=_base,
            check=_check_noted,
            short="the next walk reads all again",
        ),
        Scene(
            name="archive",
            words="sync archive {root}/out.gz",
            prepare=_delivered,
            check=_check_archive,
            again="again.gz",
            loses=True,
        ),
        Scene(
            name="backup",
            words="journal backup {root}/out.db",
            prepare=_base,
            check=_check_backup,
        ),
        Scene(
            name="restore",
            words="journal restore {root}/copy.db --replace",
            prepare=_backed_up,
            check=_check_restored,
            loses=True,
        ),
        Scene(
            name="import",
            words="journal import {root}/more.jsonl",
            prepare=_archived,
            check=_check_counts,
        ),
        Scene(
            name="purge",
            words="journal purge --project {project}",
            prepare=_with_bodies,
            codes=frozenset({3, 5}),
            loses=True,
        ),
        Scene(name="mend", words="sync doctor --mend", prepare=_miscounted, is_sound=False),
        Scene(
            name="quarantine",
            words="journal quarantine --damaged",
            prepare=_damaged,
            is_sound=False,
        ),
        Scene(
            name="migrate",
            words="sync migrate",
            prepare=_queue,
            # A source of which no copy can be made stays for the next time.
            codes=frozenset({3, 5}),
        ),
    )
}


def use_wal(database: Path) -> None:
    """Let the database be one in WAL mode, whatever the library is."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def page_count(database: Path) -> int:
    """Return how many pages the database has; 0 where there is none."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("PRAGMA page_count").fetchone()[0])
