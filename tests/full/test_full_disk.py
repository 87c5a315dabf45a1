"""A disk that is really full: what gc needs does not grow with what goes."""

from pathlib import Path

import pytest

from eventsync_adapters.server import Serving
from tests.cli.bad_input import check_document
from tests.cli.conftest import home, receiver
from tests.cli.test_bad_input_full import needs_mount, on_small_disk, write_events

__all__ = ["home", "receiver"]

# SQLite notes what a page held before it changes, and the smallest act changes a dozen of them.
_ENOUGH = 131_072


@needs_mount
@pytest.mark.requirement("S13")
def test_gc_goes_on_in_small_steps(home: Path, tmp_path: Path, receiver: Serving) -> None:
    """With no room at all it says so and changes nothing; with a little, all of it goes."""
    many = write_events(tmp_path / "many.jsonl", 60)

    *_, full, verified, done, after = on_small_disk(
        home,
        [
            ["capture", str(many)],
            ["sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in"],
            ["sync", "now"],
            ["fill", "0"],
            ["sync", "gc", "--apply", "--json"],
            ["journal", "verify", "--json"],
            ["free"],
            ["fill", str(_ENOUGH)],
            ["sync", "gc", "--apply", "--json"],
            ["journal", "verify", "--json"],
        ],
    )

    check_document(full, 5, "store_full")
    assert (verified.code, verified.document["verified"]) == (0, 60)
    assert (done.code, done.document["purged"]) == (0, 60)
    assert done.document["file_bytes_after"] < done.document["file_bytes_before"]
    assert (after.code, after.document["verified"]) == (0, 60)
