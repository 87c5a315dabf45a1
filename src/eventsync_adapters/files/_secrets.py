from collections.abc import Callable
from pathlib import Path

from eventsync_adapters.files._environment import variable
from eventsync_core.errors import SettingsError

_KINDS = ("env", "file")
_LONGEST = 64 * 1024


def is_reference(text: str) -> bool:
    """Say whether *text* is spelt like a reference, `env:…` or `file:…`."""
    return text.strip().partition(":")[0] in _KINDS and "://" not in text


def check_reference(text: str, *, source: str) -> str:
    """
    Return *text* as it may stand in a file: `env:NAME` or `file:PATH`.

    Raises:
        SettingsError: Anything else, which may be a secret and is therefore not repeated;
            code `secret_not_a_reference`.
    """
    kind, mark, rest = text.strip().partition(":")
    if kind not in _KINDS or not mark or not rest.strip() or not rest.isprintable():
        raise SettingsError(
            f"{source} must name a secret as env:NAME or file:PATH, not hold it",
            source=source,
            code="secret_not_a_reference",
        )
    return f"{kind}:{rest.strip()}"


def resolve_secret(
    reference: str, *, source: str, lookup: Callable[[str], str | None] = variable
) -> str:
    """
    Return what *reference* stands for now, without white space around it.

    Raises:
        SettingsError: It leads to nothing; code `secret_missing`, naming the reference only.
    """
    kind, _, rest = check_reference(reference, source=source).partition(":")
    value = (lookup(rest) or "").strip() if kind == "env" else _read(Path(rest), source)
    if not value:
        raise _missing(f"{kind}:{rest} is not set or empty", source)
    if not value.isprintable():
        raise _missing(f"{kind}:{rest} holds more than one line of text", source)
    return value


def _read(path: Path, source: str) -> str:
    try:
        with path.expanduser().open("rb") as file:
            return file.read(_LONGEST).decode("utf-8").strip()
    except RuntimeError:
        raise _missing(f"file:{path} is in the folder of nobody known here", source) from None
    except OSError as error:
        raise _missing(f"file:{path} cannot be read: {error.strerror}", source) from None
    except ValueError:
        raise _missing(f"file:{path} is not text", source) from None


def _missing(message: str, source: str) -> SettingsError:
    return SettingsError(f"{source}: {message}", source=source, code="secret_missing")
