"""A migration that dies at any moment loses nothing."""

from collections.abc import Callable
from pathlib import Path

from tests.legacy.conftest import Scene
from tests.legacy.moments import each_moment, watch


def nothing_is_lost(
    scene: Scene,
    into: Path,
    *words: str,
    every: int,
    texts: Callable[[Path], object],
    whole: Callable[[Path], object],
) -> None:
    """
    Check that a home that died holds all *texts*, and ends by *words* as one that never died.

    *whole* is what is compared at the end.
    """
    watch(scene.place, into, *words, every=every)
    expected, complete = whole(scene.place), texts(scene.place)
    tried = 0
    for moment in each_moment(into, scene.place):
        assert texts(scene.place) == complete, f"killed at {moment}"
        again = scene.run(*words)
        assert again.code == 0, again.document
        assert whole(scene.place) == expected, f"killed at {moment}"
        tried += 1
    assert tried > 100 // every
