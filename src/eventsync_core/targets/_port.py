from typing import Protocol

from eventsync_core.targets._back_off import BackOff
from eventsync_core.targets._health import Health
from eventsync_core.targets._model import Target


class TargetRegistry(Protocol):
    """Remembers every target; `TargetRegistryContract` tests each promise."""

    def register(self, target: Target, *, at: int) -> Target:
        """
        Remember *target* and return it as stored, with its deployment if one was noted.

        The same target any number of times is one row; a deployment that *target* brings
        replaces only the facts it names, and a reset that shows in them is noted.
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

    def set_back_off(self, target_id: str, back_off: BackOff) -> None:
        """
        Remember *back_off* in place of the one before; `BackOff()` ends it.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def set_body_back_off(self, target_id: str, back_off: BackOff) -> None:
        """
        Remember what bodies heed besides `set_back_off`, in place of the one before.

        Whether no connection came about is not kept: no body is the cause of that.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def observe(self, target_id: str, health: Health | None, *, at: int) -> Target:
        """
        Remember what the target said of itself, and return it as stored.

        Facts and limits that are named replace those before. A change by which it is another
        server is noted as a reset and stays noted. None: it was asked and did not answer.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...

    def settle_reset(self, target_id: str) -> None:
        """
        Forget that the target was reset: an operator has dealt with it.

        Raises:
            UnknownTargetError: It was never registered.
        """
        ...
