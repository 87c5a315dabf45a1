"""Small documents."""

import pytest

from eventsync_core.codec import read_document, read_unambiguous, write_document


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
    for read in (read_document, read_unambiguous):
        with pytest.raises(ValueError, match=r"."):
            read(text)


def test_a_key_that_stands_twice_says_nothing() -> None:
    """At any depth; the rest of the object stays."""
    text = '{"a":1,"b":{"x":1,"x":1,"x":2,"y":3},"a":2,"c":[{"d":4}]}'

    assert read_unambiguous(text) == {"b": {"y": 3}, "c": [{"d": 4}]}
