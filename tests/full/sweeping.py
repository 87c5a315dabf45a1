"""A command at one limit after another: what must hold at each, and once there is room."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs

from tests.cli.conftest import Ran
from tests.full.facts import (
    Facts,
    check_examined,
    check_home,
    check_kept,
    check_told,
    facts,
    strays,
)
from tests.full.limits import Limit, file_size, forked, no_limit, pages
from tests.full.scenes import Place, Scene, Taker, page_count, use_wal

PAGE = 8_192
_OFF_PAGE = (1, 4_096, 8_191)
FIRST = ("capture", "now", "gc", "verify")
"""What every home depends on, and is tried at more limits by default."""


@attrs.define
class Sweep:
    """A scene that is ready to be run at any limit; `ended` counts how runs ended."""

    scene: Scene
    taker: Taker
    root: Path
    ready: Place
    held: set[str]
    before: Facts
    done: Facts
    at_first: int
    at_last: int
    ended: dict[int, int] = attrs.field(factory=dict)
    is_short: bool = False

    def limits(self) -> Iterator[tuple[str, Limit]]:
        """Yield every number of pages from what there is now to what is enough, and beyond."""
        for more in range(max(self.at_last, 0) + 2):
            yield f"{more} more pages", self.more(more)

    def more(self, count: int) -> Limit:
        """Return the limit of *count* pages more than there are, and for a copy in all."""
        return pages(max(self.at_first + count, 1), max(count, 1))

    def sizes(self) -> Iterator[tuple[str, Limit]]:
        """Yield every size of a file by pages, and after every seventh one between two pages."""
        for count in range(2 * (self.at_first + max(self.at_last, 0)) + 2):
            beside = _OFF_PAGE[count // 7 % len(_OFF_PAGE)]
            for size in (count * PAGE, count * PAGE + beside)[: 1 + (count % 7 == 0)]:
                yield f"files of {size} bytes", file_size(size)

    def some_limits(self) -> list[tuple[str, Limit]]:
        """Return a limit in the middle of those that can fail; of what the rest needs, three."""
        last = max(self.at_last, 0)
        counts = {0, last // 2, max(last - 1, 0)} if self.scene.name in FIRST else {last // 2}
        return [(f"{more} more pages", self.more(more)) for more in sorted(counts)]

    def try_each(self, limits: Iterable[tuple[str, Limit]]) -> None:
        """Run it at each limit."""
        for limit in limits:
            self.try_all([limit])

    def try_all(self, limits: Iterable[tuple[str, Limit]]) -> int:
        """Run it at each limit until it succeeds, and return how many failed."""
        failed = 0
        for number, (name, limit) in enumerate(limits):
            try:
                code = self.at(limit, as_json=number % 2 == 0)
            except AssertionError as error:
                error.add_note(f"{self.scene.name} with {name}")
                raise
            if code == 0 and not self.is_short:
                break
            failed += 1
        return failed

    def at(self, limit: Limit, *, as_json: bool) -> int:
        """Run it under *limit*, check what is left, run it again, and return its first exit."""
        place = fresh(self.root, self.ready)
        self.taker.held = set(self.held)
        self.taker.sent.clear()
        words = self.scene.argv(place, as_json=as_json)
        ran = forked(place.home, words, limit)
        self.is_short = bool(self.scene.short) and self.scene.short in ran.err
        self.ended[ran.code] = self.ended.get(ran.code, 0) + 1
        if ran.code != 0:
            assert ran.code in self.scene.codes, ran
            check_told(ran, words, ran.code)
        assert strays(place.root) == []
        now = facts(place.home)
        self._check_now(place, now, ran)
        self.scene.check(place, self.before, ran)
        if ran.code != 0:
            self._check_again(place)
        return ran.code

    def _check_now(self, place: Place, now: Facts, ran: Ran) -> None:
        scene = self.scene
        if scene.name != "restore":
            check_kept(self.before, now)
        if not scene.loses:
            assert self.before.texts.items() <= now.texts.items()
        news = {each.partition(":")[2] for each in now.delivered - self.before.delivered}
        assert news <= self.taker.held
        is_counted = scene.name != "mend" or ran.code == 0
        classes = check_home(place.home, now, is_sound=scene.is_sound, is_counted=is_counted)
        if now.entries and ran.code != 0:
            # What arrived and could not be noted is said to be of unknown effect.
            unnoted = set(self.taker.sent) - news
            assert classes.get("unknown_effect", 0) >= len(unnoted), (classes, unnoted)

    def _check_again(self, place: Place) -> None:
        words = self.scene.argv(place, as_json=True)
        again = forked(place.home, words, no_limit, hours=1)
        assert again.code == 0, again
        now = facts(place.home)
        assert now == self.done
        if self.scene.is_sound:
            check_examined(place.home)


def fresh(root: Path, ready: Place) -> Place:
    """Return a copy of *ready*, in place of the one before."""
    place = Place(root / "now")
    shutil.rmtree(place.root, ignore_errors=True)
    shutil.copytree(ready.root, place.root)
    return place


def made_ready(scene: Scene, taker: Taker, root: Path, *, is_wal: bool = False) -> Sweep:
    """Prepare *scene* in *root*, and run it once without a limit to know what it comes to."""
    ready = Place(root / "now")
    ready.root.mkdir(parents=True)
    taker.held = set()
    scene.prepare(ready, taker)
    if is_wal and ready.database.exists():
        use_wal(ready.database)
    kept = Place(root / "ready")
    ready.root.rename(kept.root)
    held = set(taker.held)
    taker.sent.clear()
    place = fresh(root, kept)
    before, at_first = facts(place.home), page_count(place.database)
    ran = forked(place.home, scene.argv(place, as_json=True))
    assert ran.code == 0, ran
    sizes = [page_count(place.database) - at_first]
    if scene.name in ("backup", "restore"):
        sizes.append(page_count(place.database) + 2)
    done = facts(place.home)
    return Sweep(scene, taker, root, kept, held, before, done, at_first, max(sizes))
