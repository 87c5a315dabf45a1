"""What differs between Linux, macOS and Windows: file modes, syncing, processes, the clock."""

import contextlib
import errno
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from subprocess import Popen

    from eventsync_core.ledger import Holder

__all__ = [
    "boot_name",
    "chance",
    "create_private_file",
    "dangling",
    "disk_kind",
    "end_alone",
    "free_bytes",
    "give_name",
    "is_alive",
    "is_local_disk",
    "is_private",
    "make_private",
    "make_private_folder",
    "may_write",
    "monotonic",
    "now",
    "open_new_file",
    "sleep",
    "start_alone",
    "sync_folder",
    "this_process",
    "try_to_hold",
    "wants_full_fsync",
]

_REMOTE_DISKS = ("nfs", "cifs", "smb", "9p", "afs", "fuse.sshfs", "webdav", "ceph", "gluster")
_CLOCK_SLACK_MICROS = 1_500_000
_DYING_SECONDS = 1.0


def now() -> int:
    """Return the time in microseconds since 1970 UTC."""
    return time.time_ns() // 1_000


def monotonic() -> float:
    """Return seconds that only ever grow, for measuring how long something took."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Wait that long; an interrupt ends it."""
    time.sleep(seconds)


def chance() -> float:
    """Return a number from 0 up to 1, as likely as any other."""
    return int.from_bytes(os.urandom(7)) / (1 << 56)


def make_private_folder(path: Path) -> None:
    """Make *path* and what is missing above it, for this user only, safe from power loss."""
    if path.is_dir():
        return
    make_private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def create_private_file(path: Path) -> None:
    """Create *path* empty, readable by this user only; an existing file is left alone."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        sync_folder(path.parent)


def open_new_file(path: Path) -> int:
    """Create *path*, which must not be there, for this user only; return its descriptor."""
    binary = getattr(os, "O_BINARY", 0)
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | binary, 0o600)


def give_name(unfinished: Path, path: Path, *, replace: bool) -> None:
    """
    Rename *unfinished* to *path* in one step; with *replace* instead of what is there.

    Raises:
        FileExistsError: *path* is there and is not to be replaced.
    """
    if replace:
        unfinished.replace(path)
        return
    if sys.platform == "win32":
        unfinished.rename(path)
        return
    try:
        # A rename would silently replace what has come there in the meantime.
        os.link(unfinished, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems know no second name for a file.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        unfinished.rename(path)
        return
    with contextlib.suppress(OSError):
        unfinished.unlink()


def try_to_hold(descriptor: int) -> bool | None:
    """
    Hold an open file until it is closed or the process ends; say whether nobody else holds it.

    None: that cannot be told of this file.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def sync_folder(path: Path) -> None:
    """Bring the names in folder *path* to the disk; Windows does so by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Some network and FUSE file systems cannot sync a folder.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def wants_full_fsync() -> bool:
    """Say whether plain fsync stops at the drive's cache, as it does on macOS."""
    return sys.platform == "darwin"


def is_local_disk(path: Path) -> bool:
    """Say whether *path* lies on a disk of this machine, as far as the mount table tells."""
    return not disk_kind(path).startswith(_REMOTE_DISKS)


def disk_kind(path: Path) -> str:
    """Return the kind of file system that *path* lies on; empty where it cannot be told."""
    import psutil

    # Before Python 3.13 `Path.resolve` raises RuntimeError for a link that leads to itself.
    place = Path(os.path.realpath(path))
    best, kind = -1, ""
    for part in psutil.disk_partitions(all=True):
        mount = Path(part.mountpoint)
        if place.is_relative_to(mount) and len(mount.parts) > best:
            best, kind = len(mount.parts), part.fstype.lower()
    return kind


def dangling(path: Path) -> Path | None:
    """Return the link on the way to *path* whose end is not there, if there is one."""
    for each in (path, *path.parents):
        with contextlib.suppress(OSError):
            if each.is_symlink() and not each.exists():
                return each
    return None


def free_bytes(path: Path) -> int | None:
    """Return how much this user can still write to the disk of *path*; None: it is not told."""
    import psutil

    try:
        return int(psutil.disk_usage(str(path)).free)
    except OSError:
        return None


def is_private(path: Path) -> bool:
    """Say whether only this user may read *path*, or it is not there; Windows sees to it."""
    try:
        return sys.platform == "win32" or not path.stat().st_mode & 0o077
    except OSError:
        return True


def may_write(path: Path) -> bool:
    """Say whether this user may write *path*, or make it where it is not there; nothing is made."""
    if os.path.exists(path):  # noqa: PTH110 - of what may not be looked at it raises nothing
        return os.access(path, os.W_OK)
    return os.access(path.parent, os.W_OK | os.X_OK)


def make_private(path: Path) -> None:
    """Let only this user read *path*, which is there."""
    path.chmod(path.stat().st_mode & ~0o077)


def boot_name() -> str:
    """
    Return a name for this machine's current boot, within which a process number means one process.

    On Linux it differs between containers, which share the boot but not the numbers.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        import psutil

        return f"{os.uname().nodename if hasattr(os, 'uname') else ''}@{int(psutil.boot_time())}"


def this_process() -> "Holder":
    """Name this process so that a later one with its number is not taken for it."""
    from eventsync_core.ledger import Holder

    started = _started_at(os.getpid())
    return Holder(pid=os.getpid(), started_at=started or 0, boot=boot_name())


def is_alive(holder: "Holder") -> bool | None:
    """Say whether the process that *holder* names still runs; None: another boot or machine."""
    from eventsync_core.ledger import is_same_boot

    if not is_same_boot(holder.boot, boot_name()):
        return None
    try:
        started = _started_at(holder.pid)
    except PermissionError:
        return None
    return started is not None and abs(started - holder.started_at) <= _slack()


def _started_at(pid: int) -> int | None:
    """Return when process *pid* started, in units that no clock change moves; None: it ended."""
    if sys.platform != "linux":
        return _started_by_clock(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        _make_sure_it_ended(pid)
        return None
    # The name in brackets may hold anything; behind it come the state and 19 more fields.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _make_sure_it_ended(pid: int) -> None:
    """
    Ask the kernel about *pid*: /proc can be mounted so that it hides other users' processes.

    Raises:
        PermissionError: It runs, and belongs to another user.
    """
    with contextlib.suppress(ProcessLookupError, OverflowError):
        if pid > 0:
            os.kill(pid, 0)


def _started_by_clock(pid: int) -> int | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return int(process.create_time() * 1_000_000)
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return None
    except psutil.AccessDenied as error:
        raise PermissionError(pid) from error


def _slack() -> int:
    """Return by how much two readings of one start may differ."""
    return 0 if sys.platform == "linux" else _CLOCK_SLACK_MICROS


def start_alone(words: Sequence[str]) -> "Popen[bytes]":
    """
    Start a program without a shell, input or terminal, and return it; its stdout can be read.

    Raises:
        OSError: It cannot be started.
    """
    import subprocess

    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(  # noqa: S603 - the operator named it, and no shell reads it
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        **apart,
    )


def end_alone(process: "Popen[bytes]") -> None:
    """End a program that `start_alone` started, if it runs; what it started too, not on Windows."""
    import signal
    import subprocess

    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        # Its number stays its own, and that of its group, until it was waited for.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_DYING_SECONDS)
