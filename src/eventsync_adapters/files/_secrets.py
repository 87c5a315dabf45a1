from collections.abc import Callable
from pathlib import Path

from eventsync_adapters.files._environment import variable
from eventsync_adapters.files._found import Found, read_found
from eventsync_adapters.files._reading import read_file
from eventsync_core.errors import SettingsError

_KINDS_NAMED = "env:NAME, file:PATH, cmd:PROGRAM or keyring:SERVICE/USER"

_KINDS = ("env", "file", "cmd", "keyring")
_LONGEST = 64 * 1024
_TOO_LONG = "holds more than 64 KiB"


def is_reference(text: str) -> bool:
    """Say whether *text* is spelt like a reference, `env:…`, `file:…`, `cmd:…`, `keyring:…`."""
    kind, _, rest = text.strip().partition(":")
    if kind in ("cmd", "keyring"):
        return not rest.startswith("//")
    return kind in _KINDS and "://" not in text


def check_reference(text: str, *, source: str) -> str:
    """
    Return *text* as it may stand in a file.

    That is `env:NAME`, `file:PATH`, `cmd:PROGRAM ARG…` or `keyring:SERVICE/USER`. The words of
    a command are told apart as a POSIX shell does; the user is what follows the last slash.

    Raises:
        SettingsError: Anything else, which may be a secret and is therefore not repeated;
            code `secret_not_a_reference`.
    """
    kind, mark, rest = text.strip().partition(":")
    rest = rest.strip()
    if kind not in _KINDS or not mark or not rest or not rest.isprintable():
        raise _no_reference(f"must name a secret as {_KINDS_NAMED}, not hold it", source)
    if kind == "cmd" and not _program_words(rest):
        raise _no_reference("names no program after cmd:, or a quote in it is not closed", source)
    if kind == "keyring" and not all(_service_and_user(rest)):
        raise _no_reference("must name an entry of a keyring as keyring:SERVICE/USER", source)
    return f"{kind}:{rest}"


def _program_words(command: str) -> list[str]:
    """Return the program that *command* names and its arguments; nothing if it names none."""
    import shlex  # noqa: PLC0415

    try:
        words = shlex.split(command)
    except ValueError:
        return []
    return words if words and words[0] else []


def _service_and_user(rest: str) -> tuple[str, str]:
    service, _, user = rest.rpartition("/")
    return service.strip(), user.strip()


def resolve_secret(
    reference: str, *, source: str, lookup: Callable[[str], str | None] = variable
) -> str:
    """
    Return what *reference* stands for now, without white space around it.

    A program is run without a shell, input or terminal, and has 30 seconds, as a keyring has.

    Raises:
        SettingsError: It leads to nothing, or to more than one line of text; code
            `secret_missing`, naming the reference only.
    """
    return known_secret(reference, find_secret(reference, lookup, source=source), source=source)


def known_secret(reference: str, found: Found, *, source: str) -> str:
    """
    Return the secret that was *found*.

    Raises:
        SettingsError: There is none; code `secret_missing`, naming the reference only.
    """
    if not found.why:
        return found.text
    message = f"{source}: {reference.strip()} {found.why}"
    error = SettingsError(message, source=source, code="secret_missing")
    error.fix_text = found.fix or error.fix_text
    raise error


def find_secret(
    reference: str, lookup: Callable[[str], str | None] = variable, *, source: str
) -> Found:
    """Look once for what *reference* stands for; no exception says more than it names."""
    kind, _, rest = check_reference(reference, source=source).partition(":")
    if kind == "env":
        return read_found(
            (lookup(rest) or "").encode(errors="surrogatepass"), "is not set or empty"
        )
    if kind == "file":
        return _read(rest)
    # A capture reads the configuration too, and needs neither threads nor processes.
    from eventsync_adapters.files import _asking  # noqa: PLC0415

    if kind == "cmd":
        return _asking.ask_program(_program_words(rest))
    return _asking.ask_keyring(*_service_and_user(rest))


def is_at_hand(reference: str, *, source: str, fits: Callable[[str], bool] = bool) -> bool:
    """
    Say whether *reference* leads to a secret, as far as can be told without asking anyone.

    Variables and files are looked at, and what they hold has to be one that *fits*. No program is
    run and no keyring opened, for they may want something of a person: the program has to be
    there, and the keyring library.
    """
    kind, _, rest = check_reference(reference, source=source).partition(":")
    if kind == "cmd":
        import shutil  # noqa: PLC0415

        return shutil.which(_program_words(rest)[0]) is not None
    if kind == "keyring":
        from importlib.util import find_spec  # noqa: PLC0415

        return find_spec("keyring") is not None
    found = find_secret(reference, source=source)
    return not found.why and fits(found.text)


def _read(place: str) -> Found:
    try:
        raw = read_file(Path(place).expanduser(), _LONGEST)
    except RuntimeError:
        return Found(why="is in the folder of nobody known here")
    except OSError as error:
        return Found(why=f"cannot be read: {error.strerror}")
    return read_found(raw, "is empty") if len(raw) <= _LONGEST else Found(why=_TOO_LONG)


def _no_reference(message: str, source: str) -> SettingsError:
    return SettingsError(f"{source} {message}", source=source, code="secret_not_a_reference")
