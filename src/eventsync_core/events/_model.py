from enum import StrEnum

import attrs

_LONGEST_NAME = 200


class Hold(StrEnum):
    """Why an entry may not be offered to anyone yet; an operator releases it."""

    INVALID = "invalid"
    LOCAL_ONLY = "local_only"
    OPERATOR = "operator"
    QUARANTINED = "quarantined"


@attrs.frozen
class Event:
    """
    One fact, exactly as it was handed in.

    `text` is the envelope and is never re-encoded; `digest` is the SHA-256 of its UTF-8
    bytes, `canonical_digest` that of its canonical form. `event_type`, `aggregate` and
    `project` are read from the envelope and may be absent; `project` chooses the stream at
    capture and is not kept beside the text. `hold` is set, with `hold_reason`
    in words, when the event may not be offered.
    """

    event_id: str
    text: str
    digest: bytes
    canonical_digest: bytes
    size: int
    event_type: str | None = None
    aggregate: str | None = None
    project: str | None = attrs.field(default=None, eq=False)
    hold: Hold | None = None
    hold_reason: str | None = None


def _is_name(_: object, attribute: "attrs.Attribute[str]", value: object) -> None:
    if not (isinstance(value, str) and len(value) <= _LONGEST_NAME and value.isprintable()):
        raise ValueError(
            f"{attribute.name} is not printable text of at most {_LONGEST_NAME} characters"
        )


@attrs.frozen(kw_only=True)
class Producer:
    """
    Who made an event, as far as the host says; kept with the entry, never asked for delivery.

    Each part is printable text of at most 200 characters; what is not said is empty.

    Raises:
        ValueError: A part is anything else.
    """

    user: str = attrs.field(default="", validator=_is_name)
    team: str = attrs.field(default="", validator=_is_name)
    installation: str = attrs.field(default="", validator=_is_name)
