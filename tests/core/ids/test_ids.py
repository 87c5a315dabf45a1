"""Names."""

import pytest

from eventsync_core.ids import DEFAULT_STREAM, is_event_id, one_line, stream_key, target_key
from eventsync_core.targets import Kind


@pytest.mark.parametrize(
    ("project", "named", "expected"),
    [
        ("P1", "other", "p1"),
        (" P1 ", None, "p1"),
        (None, "Named", "named"),
        ("", "named", "named"),
        ("  ", "named", "named"),
        (None, None, "default"),
        (None, " ", "default"),
    ],
)
def test_the_envelope_s_project_names_the_stream(
    project: str | None, named: str | None, expected: str
) -> None:
    """In lower case; else the caller's, else the default."""
    assert expected == stream_key(project, named)
    assert DEFAULT_STREAM == "default"


@pytest.mark.parametrize("value", [None, 1, "", "a\n", "\x00", "x" * 201, ["e1"]])
def test_what_is_no_id(value: object) -> None:
    """Only 1 to 200 printable characters name an event."""
    assert not is_event_id(value)


def test_every_part_of_a_target_counts() -> None:
    """Equal parts give equal ids; moving text from one part to the next does not."""
    parts = (Kind.STUB, "https://a", "t", "u")

    assert target_key(*parts) == target_key(*parts)
    assert (
        len(
            {
                target_key(*parts),
                target_key(Kind.EXTERNAL, *parts[1:]),
                target_key(Kind.STUB, "https://at", "", "u"),
                target_key(Kind.STUB, "https://a", "tu", ""),
                target_key(Kind.STUB, "https://a", "t", "v"),
            }
        )
        == 5
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" a\nb\x1b ", "a b"), ("abcdefg", "abcd…"), ("\x1b", ""), ("", ""), ("a\u202eb", "a b")],
)
def test_foreign_text_is_one_printable_line(text: str, expected: str) -> None:
    """Within its length, with blanks for what cannot be printed."""
    assert one_line(text, 5) == expected
