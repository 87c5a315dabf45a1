"""One line for how a target stands: delivered, owed, stuck."""

import os
import sys
from collections.abc import Sequence

from eventsync_core.census import Class
from eventsync_core.status import TargetStatus

__all__ = ["STUCK", "bar", "painted", "shares", "width_of_output"]

STUCK = (Class.REJECTED, Class.UNKNOWN_EFFECT, Class.IN_BACKOFF)
_SIGNS = "#-!"
_STYLES = {"#": "green", "-": "yellow", "!": "red"}
_INDENT = "    "
_MOST = 40
_LEAST = 10
_ELSE = 80


def shares(counts: Sequence[int], cells: int) -> list[int]:
    """
    Return how many of so many *cells* each of *counts* gets; together all, if there is anything.

    What is there gets at least one, however little it is; *cells* are at least as many as counts.
    """
    total = sum(counts)
    if not total:
        return [0] * len(counts)
    found = [max(count * cells // total, 1) if count else 0 for count in counts]
    # The largest one gets what rounding left over, or gives what the least of them took.
    found[counts.index(max(counts))] += cells - sum(found)
    return found


def bar(status: TargetStatus, width: int) -> str:
    """
    Return what the target has been delivered, is owed and what of it is stuck, as one line.

    At most *width* wide, from 20 on; empty where there is none of the three.
    """
    stuck = sum(status.count(name) for name in STUCK)
    counts = (status.count(Class.DELIVERED), status.remaining_owed - stuck, stuck)
    if not sum(counts):
        return ""
    cells = max(min(width - len(_INDENT) - 2, _MOST), _LEAST)
    parts = zip(_SIGNS, shares(counts, cells), strict=True)
    return f"{_INDENT}[{''.join(sign * share for sign, share in parts)}]"


def width_of_output() -> int:
    """Return how many columns the terminal has that stdout is; 80 where it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _ELSE
    except (AttributeError, OSError, ValueError):
        return _ELSE


def painted(line: str, *, no_color: bool) -> str:
    """Return a bar in colours where stdout is a terminal that has some; else as it is."""
    if no_color or not line or not sys.stdout.isatty():
        return line
    from rich.console import Console
    from rich.text import Text

    console = Console(no_color=no_color)
    if console.legacy_windows or console.color_system is None:
        return line
    text = Text(line)
    for sign, style in _STYLES.items():
        text.highlight_regex(f"[{sign}]+", style)
    with console.capture() as captured:
        console.print(text, end="", soft_wrap=True)
    return captured.get()
