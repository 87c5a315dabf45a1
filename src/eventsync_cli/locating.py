"""What helps, for the home that was named on the command line."""

from eventsync_cli.options import Chosen
from eventsync_core.errors import Reason

__all__ = ["here", "located"]


def here(argv: tuple[str, ...], options: Chosen) -> tuple[str, ...]:
    """
    Return the command *argv* for the home that was named on this command line.

    One that names its home already stays as it is.
    """
    if not argv or options.home is None or "--home" in argv:
        return argv
    return (argv[0], "--home", options.home, *argv[1:])


def located(reason: Reason, options: Chosen) -> Reason:
    """Return *reason* with its fix for the home that was named on this command line."""
    argv, text = here(reason.fix_argv, options), options.spelt(reason.fix_text)
    return reason._replace(fix_argv=argv, fix_text=text)
