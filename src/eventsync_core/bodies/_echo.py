"""What a server says of a body may quote it; what is kept of it does not."""

import re

from eventsync_core.codec import write_document

_SHORTEST = 4
_RUN = 12
_BLANKS = re.compile(r"(?:\s|\\[nrt])+")
_CUT = "***"


def without_content(said: str, content: str) -> str:
    """
    Return *said* with what it quotes of *content* cut out, white space and case aside.

    A quote is twelve characters in a row, or all of a shorter content. Escapes as in JSON
    count as what they stand for, or as they are spelt.
    """
    flat = _flat(content)
    spelt = _flat(write_document(content)[1:-1])
    whole = min(len(flat), _RUN)
    if whole < _SHORTEST:
        return said
    text = _BLANKS.sub(" ", said)
    seen = text.lower()
    if len(seen) != len(text):
        seen = text
    kept, at = "", 0
    while at < len(text):
        end = at + whole
        piece = seen[at:end]
        source = next((each for each in (flat, spelt) if len(piece) == whole and piece in each), "")
        if not source:
            kept, at = kept + text[at], at + 1
            continue
        while end < len(text) and seen[at + 1 : end + 1][-whole:] in source:
            end += 1
        kept, at = kept + _CUT, end
    return kept


def _flat(text: str) -> str:
    return _BLANKS.sub(" ", text).strip().lower()
