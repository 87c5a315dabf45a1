"""A call that runs in a thread of its own while the caller goes on."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

__all__ = ["alongside"]

_Result = TypeVar("_Result")
_LOOK_SECONDS = 0.2


def alongside(call: Callable[[], _Result]) -> Callable[[], _Result]:
    """
    Start *call* and return what waits for it: its result, or the exception it raised.

    Waiting can be interrupted; the call then runs on, but does not keep the process alive.
    """
    future: Future[_Result] = Future()
    threading.Thread(
        target=_run, args=(call, future), name="eventsync-request", daemon=True
    ).start()

    def answer() -> _Result:
        # The system may hand a signal to any thread, and a thread that waits without end then
        # never hears of it; on Windows it hears of none at all.
        while not wait((future,), timeout=_LOOK_SECONDS).done:
            pass
        return future.result()

    return answer


def _run(call: Callable[[], _Result], future: "Future[_Result]") -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
        future.set_exception(error)
    else:
        future.set_result(result)
