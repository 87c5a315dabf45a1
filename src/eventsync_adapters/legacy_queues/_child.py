"""
Copy a database with its journals; run as a process of its own, with nothing but the library.

Closing a file drops all locks that the process holds on it, so no process that may use SQLite
opens the file of a database otherwise. Words: the source, and the folder for the copy. Prints
`ok` and a fingerprint, or a word for what stood in the way and a line about it.
"""

import contextlib
import io
import os
import stat
import sys
import time
from collections.abc import Iterator

PARTS = ("", "-journal", "-wal")
PENDING = 0x40000000
SHARED_FIRST, SHARED_SIZE = PENDING + 2, 510
TRIES, PAUSE = 20, 0.05
# A file that changes twice within one tick of its clock looks as if it had changed once.
TICK_NANOS = 25_000_000
PIECE = 1 << 20
# A pipe or a device would be waited for without it.
OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class NotAFileError(Exception):
    """A part of the database is something else than a file."""


class NoRoomError(Exception):
    """The copy cannot be written."""


def opened(source: str, part: str = "") -> io.FileIO:
    """Open a part of the database, if it is a file."""
    # Opening a device may do something.
    if not stat.S_ISREG(os.stat(source + part).st_mode):
        raise NotAFileError(part)
    file = io.FileIO(os.open(source + part, OPEN), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotAFileError(part)
    return file


def fingerprint(path: str) -> str:
    """Return what the parts of the database at *path* look like; none of them is opened."""
    found = []
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            info = os.stat(path + part)
            found.append(
                f"{part or '-db'}:{info.st_dev}:{info.st_ino}:{info.st_size}:{info.st_mtime_ns}"
            )
    return " ".join(found)


def is_fresh(path: str) -> bool:
    """Say whether a part changed so shortly ago that another change might not be seen."""
    now = time.time_ns()
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            if 0 <= now - os.stat(path + part).st_mtime_ns < TICK_NANOS:
                return True
    return False


def lock(descriptor: int) -> bool:
    """Take the lock that SQLite's readers hold, which keeps writers from the file; say if so."""
    try:
        import fcntl
    except ImportError:
        return True
    for _ in range(TRIES):
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, PENDING)
            fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
            fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, PENDING)
        except (BlockingIOError, PermissionError):
            with contextlib.suppress(OSError):
                fcntl.lockf(descriptor, fcntl.LOCK_UN, 1, PENDING)
            time.sleep(PAUSE)
            continue
        except OSError:
            # This file system has no locks; what the parts look like has to do.
            return True
        return True
    return False


def copy(old: io.FileIO, target: str) -> None:
    """Copy one file from its beginning."""
    old.seek(0)
    with writing():
        new = io.FileIO(os.open(target, NEW, 0o600), "wb")
    with new:
        while piece := old.read(PIECE):
            view = memoryview(piece)
            with writing():
                while view:
                    view = view[new.write(view) :]


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Tell what goes wrong with the copy from what goes wrong with the source."""
    try:
        yield
    except OSError as error:
        raise NoRoomError(error.strerror or type(error).__name__) from error


def attempt(held: io.FileIO, source: str, folder: str) -> str:
    """Copy all parts; return the fingerprint, or nothing if they changed meanwhile."""
    before = fingerprint(source)
    if is_fresh(source):
        time.sleep(TICK_NANOS / 1e9)
        return ""
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, "copy.db" + part))
        with contextlib.suppress(FileNotFoundError):
            if not part:
                # Opened once more and closed, it would lose its lock.
                copy(held, os.path.join(folder, "copy.db"))
                continue
            with opened(source, part) as beside:
                copy(beside, os.path.join(folder, "copy.db" + part))
    return before if fingerprint(source) == before else ""


def main(source: str, folder: str) -> str:
    """Copy the database at *source* into *folder* and say how that went."""
    try:
        with opened(source) as held:
            if not lock(held.fileno()):
                return "locked another process holds it"
            for _ in range(TRIES):
                found = attempt(held, source, folder)
                if found:
                    return f"ok {found}"
            return "changing it is written to all the time"
    except FileNotFoundError:
        return "gone it is not there any more"
    except NotAFileError as error:
        return f"odd {f'its {error}' if str(error) else 'it'} is no file"
    except NoRoomError as error:
        return f"room {error}"
    except OSError as error:
        return f"failed {error.strerror or type(error).__name__}"


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1], sys.argv[2]))
