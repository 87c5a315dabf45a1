"""Positions as text: `1-240,243`."""

from collections.abc import Iterable, Iterator


def spans(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield first and last of each run of consecutive *positions*, in the order given."""
    first = last = None
    for position in positions:
        if last is not None and position == last + 1:
            last = position
            continue
        if first is not None and last is not None:
            yield first, last
        first = last = position
    if first is not None and last is not None:
        yield first, last


def write_ranges(positions: Iterable[int]) -> str:
    """Return *positions* as text, keeping their order."""
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in spans(positions)
    )


def read_ranges(text: str) -> list[int]:
    """Return the positions in *text*, as `write_ranges` wrote it."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def in_ranges(text: str, position: int) -> bool:
    """Say whether *position* is among those in *text*, as `write_ranges` wrote it."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if int(first) <= position <= int(last or first):
            return True
    return False
