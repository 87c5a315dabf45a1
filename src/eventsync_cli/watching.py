"""Looking again and again, until somebody has seen enough."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from eventsync_cli.streaming import write_stream
from eventsync_core.clock import Clock, iso_time
from eventsync_core.errors import OutputLostError

__all__ = ["screen", "watch"]

Paint = Callable[[Sequence[str]], None]


def watch(
    picture: Callable[[], Sequence[str]],
    paint: Paint,
    *,
    seconds: float,
    sleep: Callable[[float], None],
) -> Sequence[str]:
    """
    Paint what *picture* returns, and again after so many *seconds*; return the last one.

    An interrupt ends it, and so does a reader that went away.

    Raises:
        OutputLostError: It cannot be written for another reason.
    """
    shown: Sequence[str] = ()
    try:
        while True:
            shown = picture()
            paint(shown)
            sleep(seconds)
    except KeyboardInterrupt:
        return shown
    except OutputLostError as error:
        if isinstance(error.__cause__, ConnectionError):
            return shown
        raise


@contextmanager
def screen(clock: Clock, *, no_color: bool) -> Iterator[Paint]:
    """
    Yield what paints: over what was there on a terminal, else below it with the time.

    A terminal is as it was afterwards.
    """
    if not sys.stdout.isatty():
        yield lambda lines: write_stream("\n".join((iso_time(clock()), *lines, "\n")))
        return
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(no_color=no_color)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        yield lambda lines: live.update(Text.from_ansi("\n".join(lines)), refresh=True)
