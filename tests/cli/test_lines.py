"""Lines are cut alike however they come."""

from hypothesis import given
from hypothesis import strategies as st

from eventsync_cli.lines import Splitter

_PIECES = st.lists(st.text("a \n\r", max_size=6).map(str.encode), max_size=8)


@given(_PIECES)
def test_pieces_make_no_difference(pieces: list[bytes]) -> None:
    """Blank lines are left out and counted."""
    splitter = Splitter()

    found = [line for piece in pieces for line in splitter.feed(piece)] + splitter.end()

    lines = enumerate(b"".join(pieces).split(b"\n"), 1)
    assert found == [(number, line.removesuffix(b"\r")) for number, line in lines if line.strip()]


def test_very_many_blank_lines_are_only_counted() -> None:
    """A hundred mebibytes of them take no longer than to read it."""
    splitter = Splitter()
    piece = b"\n" * (1 << 20)

    assert [line for _ in range(100) for line in splitter.feed(piece)] == []
    assert splitter.feed(b"x\n") == [(100 * (1 << 20) + 1, b"x")]
