"""What of a document may be shown to somebody who helps: words of ours, numbers and times."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

__all__ = ["Redaction"]

# Only we write what stands under these keys, from a closed set each.
_OURS = frozenset(
    {
        "active_queue_scope_status",
        "answer",
        "breaker",
        "code",
        "external_format",
        "gate",
        "gates",
        "journal_mode",
        "kind",
        "mode",
        "name",
        "on_discard",
        "override_mode",
        "package_version",
        "persistence",
        "severity",
        "source",
        "sqlite_version",
        "state",
        "status",
        "validate",
    }
)
_NAMES = frozenset(
    {"project", "stream", "team", "team_or_user", "team_slug", "user", "user_email", "user_id"}
)
_WORD = re.compile(r"[A-Za-z0-9_.:+\[\] -]{1,64}")
_KEY = re.compile(r"[a-z][a-z0-9_]{0,50}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")
_URL = re.compile(r"(https?)://([^/?#\\]*)(.*)", re.DOTALL)
_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,260}")
_POSITIONS = re.compile(r"[0-9,-]{1,2000}")
_ADDRESSES = ("url", "endpoint", "proxy")
_LONGEST_NAME = 200


@attrs.frozen
class Redaction:
    """
    Shows of a document only what cannot be a payload, a secret or a name.

    Everything else becomes what *hashed* returns for it, so that equal texts stay equal. Of a URL
    scheme, host and port are shown, and of a command its *words*, but none that follows an option:
    that may be a name. With *with_names* projects, teams and users are shown too.
    """

    hashed: Callable[[str], str]
    with_names: bool = False
    words: frozenset[str] = frozenset()

    def show(self, value: Any, key: str = "") -> Any:
        """Return what of *value*, which stands under *key*, may be shown."""
        if isinstance(value, Mapping):
            return {
                self._key(str(name)): self.show(each, _below(key, str(name)))
                for name, each in value.items()
            }
        if isinstance(value, Sequence) and not isinstance(value, str | bytes):
            if key == "argv":
                return self._command([str(each) for each in value])
            return [self.show(each, key) for each in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        return self._text(str(value), key)

    def _key(self, name: str) -> str:
        return name if _KEY.fullmatch(name) else self.hashed(name)

    def _command(self, argv: Sequence[str]) -> list[str]:
        return [
            word if word in self.words and not before.startswith("-") else self._text(word, "")
            for before, word in zip(("", *argv), argv, strict=False)
        ]

    def _text(self, text: str, key: str) -> str:
        if not text or _TIME.fullmatch(text) or (key in _OURS and _WORD.fullmatch(text)):
            return text
        if self.with_names and key in _NAMES:
            return text[:_LONGEST_NAME]
        if key == "positions" and _POSITIONS.fullmatch(text):
            return text
        url = _URL.fullmatch(text) if key.endswith(_ADDRESSES) else None
        return self.hashed(text) if url is None else self._url(*url.groups())

    def _url(self, scheme: str, place: str, rest: str) -> str:
        host = place.rpartition("@")[2]
        shown = host if _HOST.fullmatch(host) else self.hashed(host)
        more = f"/{self.hashed(rest)}" if rest.strip("/") else ""
        return f"{scheme}://{shown}{more}"


def _below(key: str, name: str) -> str:
    """Return under which key it stands; of what tells where a value is from, all is ours."""
    return "source" if key == "source" or name.endswith("provenance") else name
