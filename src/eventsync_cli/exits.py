"""What the exit codes mean; each code has one meaning."""

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """How a command ended."""

    OK = 0
    """Done, coherent, caught up."""

    BUG = 1
    """An unexpected error."""

    INCOHERENT = 2
    """`sync status --check` found something that does not hang together."""

    INCOMPLETE = 3
    """It ran, but work is left."""

    REFUSED = 4
    """Refused by a gate, a missing grant, a conflict, a policy or the configuration."""

    STORE = 5
    """The store is busy, full, not writable, newer or unreadable; or the output was lost."""

    USAGE = 64
    """The command line cannot be understood."""
