from collections.abc import Callable

import attrs

from eventsync_adapters.files._found import Found
from eventsync_adapters.files._secrets import (
    check_reference,
    find_secret,
    is_at_hand,
    known_secret,
    resolve_secret,
)
from eventsync_core.errors import SettingsError

HELD_SECONDS = 30.0

_SLOW = ("cmd", "keyring")


@attrs.define
class HeldSecrets:
    """
    What references stand for while one command runs, in memory only.

    Variables and files are looked at each time. A program or keyring is asked, and its answer,
    or that it gave none, holds for 30 seconds by *monotonic* or until `forget`.
    """

    monotonic: Callable[[], float] = attrs.field(repr=False)
    _held: dict[str, tuple[float, Found]] = attrs.field(factory=dict, init=False, repr=False)

    def resolve(self, reference: str, *, source: str) -> str:
        """
        Return what *reference* stands for, as `resolve_secret` does.

        Raises:
            SettingsError: It leads to nothing; code `secret_missing`, naming the reference only.
        """
        name = check_reference(reference, source=source)
        if name.partition(":")[0] not in _SLOW:
            return resolve_secret(name, source=source)
        return known_secret(name, self._found(name, source), source=source)

    def at_hand(self, reference: str, *, source: str) -> str | None:
        """
        Return the secret without asking anyone; None where a program or keyring holds it.

        Raises:
            SettingsError: It leads to nothing, or there is no such program or keyring library;
                code `secret_missing`, naming the reference only.
        """
        name = check_reference(reference, source=source)
        if name.partition(":")[0] not in _SLOW:
            return resolve_secret(name, source=source)
        if not is_at_hand(name, source=source):
            raise SettingsError(
                f"{source}: {name} names a program or keyring that is not installed here",
                source=source,
                code="secret_missing",
            )
        return None

    def forget(self) -> None:
        """Ask again the next time: an answer said that what is held is not, or no longer, right."""
        self._held.clear()

    def _found(self, name: str, source: str) -> Found:
        at, found = self._held.get(name, (0.0, None))
        if found is None or not 0 <= self.monotonic() - at < HELD_SECONDS:
            found = find_secret(name, source=source)
            # From now on, not from the question: the answer may have taken as long.
            self._held[name] = (self.monotonic(), found)
        return found
