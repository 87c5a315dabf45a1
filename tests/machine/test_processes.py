"""Whether the process that holds a lease still runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from eventsync_adapters import machine
from eventsync_core.ledger import Holder

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")


def start() -> "tuple[subprocess.Popen[bytes], Holder]":
    """Start a process that waits for its input to end, and name it as a holder."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE
    )
    started = machine._started_at(child.pid)
    assert started is not None
    return child, Holder(pid=child.pid, started_at=started, boot=machine.boot_name())


def test_this_process_runs() -> None:
    """It names itself the same way each time."""
    assert machine.this_process() == machine.this_process()
    assert machine.is_alive(machine.this_process()) is True


def test_an_ended_process_is_dead_before_it_is_waited_for() -> None:
    """A zombie drains nothing."""
    child, holder = start()
    assert machine.is_alive(holder) is True
    assert child.stdin is not None
    child.stdin.close()
    if sys.platform != "win32":
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert machine.is_alive(holder) is False
    child.wait()
    assert machine.is_alive(holder) is False


@posix
def test_a_stopped_process_is_alive() -> None:
    """It may wake up and go on."""
    child, holder = start()
    try:
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED)
        assert machine.is_alive(holder) is True
    finally:
        child.kill()
        child.communicate()


def test_a_process_that_began_at_another_time_is_another() -> None:
    """Numbers are given again."""
    ours = machine.this_process()
    assert machine.is_alive(attrs.evolve(ours, started_at=ours.started_at - 9_000_000)) is False


def test_of_another_boot_nothing_is_known() -> None:
    """Whatever runs here under that number."""
    assert machine.is_alive(attrs.evolve(machine.this_process(), boot="elsewhere")) is None


@linux
def test_of_another_container_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers share the boot, but a number means another process in each."""
    ours = machine.this_process()
    monkeypatch.setattr(Path, "readlink", lambda _: Path("pid:[1]"))

    assert machine.is_alive(ours) is None


@linux
def test_a_holder_of_the_program_before_is_known() -> None:
    """It named the boot alone; dead or alive, it is one of this machine."""
    ours = machine.this_process()
    named_so = attrs.evolve(ours, boot=ours.boot.partition(" ")[0])

    assert machine.is_alive(named_so) is True
    assert machine.is_alive(attrs.evolve(named_so, pid=2**31)) is False


@linux
def test_a_hidden_process_of_another_user_is_not_taken_for_dead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where /proc hides it, the kernel still says that it is there."""
    ours, read_text = machine.this_process(), Path.read_text

    def hiding(self: Path, *arguments: str, **more: str) -> str:
        if self.name == "stat":
            raise FileNotFoundError(self)
        return read_text(self, *arguments, **more)

    def not_ours(_: int, __: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "read_text", hiding)
    monkeypatch.setattr(os, "kill", not_ours)

    assert machine.is_alive(ours) is None


@pytest.mark.parametrize("pid", [-1, 0, 2**31, 2**80])
def test_a_number_no_process_can_have_is_dead(pid: int) -> None:
    """A damaged row stops nobody, and nobody is sent a signal."""
    assert machine.is_alive(attrs.evolve(machine.this_process(), pid=pid)) is False
