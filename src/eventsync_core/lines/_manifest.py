from hashlib import sha256

import attrs

from eventsync_core.codec import write_document
from eventsync_core.errors import NotJsonError
from eventsync_core.ledger import read_ranges, write_ranges
from eventsync_core.lines._lines import MANIFEST_KEY

_VERSION = 1


@attrs.frozen(kw_only=True)
class Manifest:
    """Which events follow in an archive: their stream, their positions, and their digests."""

    stream: str
    positions: tuple[int, ...]
    digests: tuple[str, ...]


@attrs.frozen(kw_only=True)
class Sealed:
    """The end of an archive: how many events it holds, and the SHA-256 of all before this line."""

    events: int
    digest: str


class Seal:
    """Follows the lines of an archive, as they are written or read; `sealed` is its end."""

    def __init__(self) -> None:
        self.events = 0
        self._digest = sha256()

    def add(self, line: str, *, is_event: bool) -> None:
        """Add a line, without its line feed."""
        self.events += is_event
        self._digest.update(line.encode() + b"\n")

    @property
    def sealed(self) -> Sealed:
        """The end that belongs behind all lines so far."""
        return Sealed(events=self.events, digest=self._digest.hexdigest())


def manifest_line(manifest: Manifest | Sealed) -> str:
    """Return *manifest* as a line of an archive, with its line feed."""
    content: dict[str, object]
    if isinstance(manifest, Sealed):
        content = {"end": True, "events": manifest.events, "digest": manifest.digest}
    else:
        content = {
            "stream": manifest.stream,
            "positions": write_ranges(manifest.positions),
            "digests": list(manifest.digests),
        }
    return write_document({MANIFEST_KEY: {"version": _VERSION, **content}}) + "\n"


def read_manifest(content: object) -> Manifest | Sealed:
    """
    Return what a line holds under `MANIFEST_KEY`.

    Raises:
        NotJsonError: It is none, or that of a newer program.
    """
    if not isinstance(content, dict) or content.get("version") != _VERSION:
        raise NotJsonError("the manifest is none that this program knows")
    try:
        return _read(content)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotJsonError("the manifest cannot be understood") from error


def _read(content: dict[str, object]) -> Manifest | Sealed:
    if content.get("end") is True:
        return Sealed(events=int(str(content["events"])), digest=str(content["digest"]))
    digests = content["digests"]
    ranges = str(content["positions"])
    if not isinstance(digests, list) or not _is_of(ranges, len(digests)):
        raise ValueError
    positions = tuple(read_ranges(ranges))
    return Manifest(
        stream=str(content["stream"]),
        positions=positions,
        digests=tuple(str(digest) for digest in digests),
    )


def _is_of(ranges: str, count: int) -> bool:
    """Say whether *ranges* rise and hold so many positions; they may be absurdly wide."""
    total = before = 0
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if not before < low <= high:
            return False
        total, before = total + high - low + 1, high
    return total == count
