import attrs


@attrs.frozen
class Found:
    """What a look for a secret found: its text, or why there is none and what may help."""

    text: str = attrs.field(default="", repr=False)
    why: str = ""
    fix: str = ""


def read_found(raw: bytes, empty: str) -> Found:
    """Return the one line of text in *raw*, without white space around it; *empty* without any."""
    try:
        text = raw.decode("utf-8").strip()
    except ValueError:
        return Found(why="is not text")
    if not text:
        return Found(why=empty)
    if not text.isprintable():
        return Found(why="holds more than one line of text")
    return Found(text)
