"""How far each stream was found good, in a file beside the database."""

from collections.abc import Mapping
from pathlib import Path

from eventsync_adapters.files._reading import read_file
from eventsync_adapters.files.whole import whole_file
from eventsync_adapters.lost import verified_file
from eventsync_core.codec import read_document, write_document
from eventsync_core.integrity import Verified

__all__ = ["read_verified", "write_verified"]

_MOST_BYTES = 1 << 30


def read_verified(database: Path) -> dict[str, Verified]:
    """Return what is noted of the streams; nothing where that cannot be read or understood."""
    try:
        content = read_document(read_file(verified_file(database), _MOST_BYTES))
        return {
            str(stream): Verified(_position(position), bytes.fromhex(chain))
            for stream, (position, chain) in content["streams"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _position(word: object) -> int:
    if type(word) is not int or not 0 <= word < 1 << 63:
        raise ValueError("that is no position")
    return word


def write_verified(database: Path, found: Mapping[str, Verified]) -> None:
    """
    Note *found* in place of what was noted before.

    Raises:
        OutputUnusableError: It cannot be made there.
        OutputLostError: It could not be written to its end.
    """
    streams = {stream: [each.position, each.chain.hex()] for stream, each in found.items()}
    with whole_file(verified_file(database), replace=True) as file:
        file.write(write_document({"schema": 1, "streams": streams}))
