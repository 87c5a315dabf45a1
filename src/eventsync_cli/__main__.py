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
        except BrokenPipeError:
            sys.stdout = None
        except OSError as error:
            # The interpreter would flush it once more.
            sys.stdout = None
            sys.stderr.write(f"eventsync: the output cannot be written: {error.strerror}\n")
            return 5
        return 0
    from eventsync_cli.main import run

    return run(given)


if __name__ == "__main__":
    sys.exit(main())
