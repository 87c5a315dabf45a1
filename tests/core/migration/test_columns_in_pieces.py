"""Rows as one JSON object, and their digests, without a second copy of what is large."""

import json
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.legacy import row_digest
from eventsync_core.migration import TableRow, _columns

_VALUES = st.one_of(st.none(), st.integers(), st.text(), st.text(min_size=20), st.binary())


@given(st.dictionaries(st.text(min_size=1), _VALUES))
def test_pieces_are_the_whole(columns: dict[str, _columns.Value]) -> None:
    """Wherever a text is cut, between any two characters."""
    plain = {name: _columns._plain(value) for name, value in columns.items()}
    row = TableRow("part", 1, [*columns.items()])

    with mock.patch.object(_columns, "_PIECE", 3):
        key, raw = row.key, row.raw

    assert raw == json.dumps(plain, separators=(",", ":")).encode()
    assert key.digest == row_digest(raw)
