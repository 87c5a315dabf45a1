"""Programs and keyrings that are asked for secrets; neither may keep a delivery waiting long."""

import threading
from collections.abc import Callable, Sequence
from subprocess import Popen, TimeoutExpired
from typing import TypeVar

from eventsync_adapters import machine
from eventsync_adapters.files._found import Found, read_found

_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.2
_LONGEST = 64 * 1024
_NO_LIBRARY = "pip install 'eventsync[keyring]'"

_Answer = TypeVar("_Answer")


def ask_program(words: Sequence[str], *, seconds: float = _PATIENCE_SECONDS) -> Found:
    """
    Return the line that a program prints; *words* are its name and arguments.

    It runs without a shell, input or terminal; what it says on stderr is dropped. After
    *seconds*, or too much output, it is ended with what it started.
    """
    end = machine.monotonic() + seconds
    try:
        process = machine.start_alone(words)
    except OSError as error:
        return Found(why=f"cannot be started: {error.strerror or type(error).__name__}")
    try:
        printed = _within(seconds, lambda: _output(process))
        if printed is not None and len(printed) > _LONGEST:
            return Found(why="printed more than 64 KiB")
        if printed is None or not _has_ended(process, end):
            return Found(why=f"took longer than {seconds:g} s")
    finally:
        machine.end_alone(process)
    if process.returncode:
        return Found(why=_ending(process.returncode))
    return read_found(printed, "printed nothing")


def ask_keyring(service: str, user: str, *, seconds: float = _PATIENCE_SECONDS) -> Found:
    """
    Return the password of *user* for *service* in the keyring of this machine.

    Its library is loaded for this only. One that waits for a person is left alone after
    *seconds*.
    """
    try:
        import keyring  # noqa: PLC0415
    except ImportError:
        return Found(why="needs a library that is not installed here", fix=_NO_LIBRARY)

    def look() -> Found:
        try:
            password = keyring.get_password(service, user)
        except Exception as error:  # noqa: BLE001 - each backend raises what it likes
            # Its text is the backend's, and may quote anything.
            return Found(why=f"cannot be had from the keyring: {type(error).__name__}")
        raw = (password or "").encode(errors="surrogatepass")
        return read_found(raw, "is not in the keyring, or empty")

    return _within(seconds, look) or Found(why=f"took longer than {seconds:g} s")


def _within(seconds: float, call: Callable[[], _Answer]) -> _Answer | None:
    """Return what *call* returns; None after *seconds*, when it runs on and nobody waits."""
    answers: list[_Answer] = []
    thread = threading.Thread(
        target=lambda: answers.append(call()), name="eventsync-secret", daemon=True
    )
    end = machine.monotonic() + seconds
    thread.start()
    # In short steps: a signal may reach another thread, and is heard of between them.
    while thread.is_alive() and (left := end - machine.monotonic()) > 0:
        thread.join(min(left, _LOOK_SECONDS))
    return answers[0] if answers else None


def _output(process: "Popen[bytes]") -> bytes:
    if process.stdout is None:
        return b""
    with process.stdout as pipe:
        return pipe.read(_LONGEST + 1)


def _has_ended(process: "Popen[bytes]", end: float) -> bool:
    try:
        process.wait(max(end - machine.monotonic(), 0))
    except TimeoutExpired:
        return False
    return True


def _ending(code: int) -> str:
    return f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
