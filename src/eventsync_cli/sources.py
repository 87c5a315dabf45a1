"""Where lines come from: a file, or standard input."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from eventsync_cli.failures import UsageProblemError
from eventsync_cli.lines import Source

__all__ = ["open_source"]


def open_source(file: str, opened: ExitStack) -> Source:
    """
    Return what is read from *file*, which is closed with *opened*; `-` is standard input.

    Raises:
        UsageProblemError: It cannot be opened.
    """
    if file == "-":
        return _standard_input()
    try:
        return opened.enter_context(Path(file).open("rb"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageProblemError(
            f"{file} cannot be opened: {reason}",
            code="input_unusable",
            fix_text="name a readable file, or - for standard input",
        ) from error


def _standard_input() -> Source:
    if sys.stdin is None:
        raise UsageProblemError(
            "there is no standard input", code="input_unusable", fix_text="name a file"
        )
    return cast(Source, sys.stdin.buffer)
