"""Cut local-only keys out of an event's text and leave every other byte alone."""

from eventsync_core.codec._canonical import LOCAL_ONLY_KEYS
from eventsync_core.codec._documents import read_document
from eventsync_core.codec._exact import token_pattern


def without_local_keys(text: str) -> str:
    """
    Return the event *text* as it may leave the machine: without its local-only keys.

    *text* is one valid JSON object. Text that has no such key comes back as it is.
    """
    # A key may be spelt with escapes (`drain\\u005fblocked_reason`).
    if "drain_blocked_reason" not in text and "\\u00" not in text:
        return text
    kept, cut = [], False
    for member, key in _members(text):
        if key in LOCAL_ONLY_KEYS:
            cut = True
        else:
            kept.append(member)
    if not cut:
        return text
    return text[: text.index("{") + 1] + ",".join(kept) + text[text.rindex("}") :]


def member_text(text: str, name: str) -> str:
    """
    Return the text of the value that *text*, one valid JSON object, has under the key *name*.

    Of a repeated key it is the last.

    Raises:
        ValueError: It has no such key.
    """
    found = [member for member, key in _members(text) if key == name]
    if not found:
        raise ValueError(f"an object has no {name}")
    key = token_pattern().match(found[-1])
    return found[-1][key.end() if key else 0 :].partition(":")[2].strip()


def _members(text: str) -> list[tuple[str, str | None]]:
    """Return the top-level members of the object *text*, each with its decoded key."""
    found: list[tuple[str, str | None]] = []
    depth, start = 0, 0
    key: str | None = None
    for token in token_pattern().finditer(text):
        mark = token["mark"]
        if depth == 1 and mark in (",", "}"):
            if text[start : token.end() - 1].strip():
                found.append((text[start : token.end() - 1], key))
            start, key = token.end(), None
        elif depth == 1 and key is None and token["string"] is not None:
            key = str(read_document(token["string"]))
        if mark in ("{", "["):
            depth += 1
            start = token.end() if depth == 1 else start
        elif mark in ("}", "]"):
            depth -= 1
    return found
