"""A call that runs in a thread of its own while the caller goes on."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["alongside"]

_Result = TypeVar("_Result")


def alongside(call: Callable[[], _Result]) -> Callable[[], _Result]:
    """
    Start *call* and return what waits for it: its result, or the exception it raised.

    Waiting can be interrupted; the call then runs on, but does not keep the process alive.
    """
    future: Future[_Result] = Future()
    threading.Thread(
        target=_run, args=(call, future), name="eventsync-request", daemon=True
    ).start()
    return future.result


def _run(call: Callable[[], _Result], future: "Future[_Result]") -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
        future.set_exception(error)
    else:
        future.set_result(result)
