from typing import Protocol

from eventsync_core.targets._model import Target


class TargetRegistry(Protocol):
    """Remembers every target; `TargetRegistryContract` tests each promise."""

    def register(self, target: Target, *, at: int) -> Target:
        """
        Remember *target* and return it as stored, with its deployment if one was noted.

        The same target any number of times is one row; a deployment that *target* brings
        replaces only the facts it names.
        """
        ...

    def get(self, target_id: str) -> Target:
        """
        Return that target.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def targets(self) -> list[Target]:
        """Return all targets in the order they were first registered."""
        ...

    def pause(self, target_id: str, reason: str) -> None:
        """
        Let the target rest for *reason*; an empty one ends the rest.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...
