"""The program `eventsync`; also `python -m eventsync_cli`."""

import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """
    Run one command and return its exit code; never raises, never exits.

    Without *arguments*, those of the process.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if given == ["--version"]:
        from eventsync_core import __version__

        try:
            print(f"eventsync {__version__}", flush=True)  # noqa: T201 - before any import
        except OSError:
            sys.stdout = None
            return 1
        return 0
    from eventsync_cli.main import run

    return run(given)


if __name__ == "__main__":
    sys.exit(main())
