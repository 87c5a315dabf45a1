import re
from functools import cache


def has_lone_surrogates(text: str) -> bool:
    """Say whether the JSON *text* has half of a surrogate pair, spelt as an escape."""
    if "\\ud" not in text and "\\uD" not in text:
        return False
    # An escaped backslash is no part of another escape.
    return _lone().search(text.replace("\\\\", "  ")) is not None


@cache
def _lone() -> re.Pattern[str]:
    high, low = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    return re.compile(f"{high}(?!{low})|(?<!{high}){low}")
