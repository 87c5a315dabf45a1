"""Small documents."""

import pytest

from eventsync_core.codec import read_document, write_document


def test_a_document_is_compact_ascii_in_its_given_order() -> None:
    """No spaces, no characters beyond ASCII, keys as they came."""
    assert write_document({"b": "ü", "a": [1, None]}) == '{"b":"\\u00fc","a":[1,null]}'


def test_what_json_cannot_say_is_not_written() -> None:
    """NaN is no JSON."""
    with pytest.raises(ValueError, match="JSON"):
        write_document(float("nan"))


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, "9" * 5_000])
def test_what_cannot_be_read_is_a_value_error(text: str | bytes) -> None:
    """Broken, not UTF-8, too deep or too long a number: one kind of error."""
    with pytest.raises(ValueError, match=r"."):
        read_document(text)
