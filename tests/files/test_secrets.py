"""References to secrets of all four kinds, and the programs and keyrings behind two of them."""

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.errors import NoKeyringError

from eventsync_adapters.files import (
    HeldSecrets,
    change_config,
    check_reference,
    is_at_hand,
    is_reference,
    read_config,
    resolve_secret,
)
from eventsync_adapters.files._asking import ask_keyring, ask_program
from eventsync_core.errors import SettingsError
from tests.keyrings import MemoryKeyring, keyring_of


def program(code: str, *arguments: str) -> str:
    """Return a reference to a program that runs *code*."""
    return "cmd:" + shlex.join((sys.executable, "-c", code, *arguments))


class BrokenKeyring(MemoryKeyring):
    """A keyring that says too much when it fails."""

    def get_password(self, service: str, username: str) -> str | None:
        raise NoKeyringError("s3cret is what it holds")


@pytest.fixture
def kept() -> Iterator[MemoryKeyring]:
    """Return a keyring in memory that holds s3cret for me at an address."""
    with keyring_of({("https://a.example/x", "me"): "s3cret"}) as made:
        yield made


def missing(act: Callable[[], object]) -> SettingsError:
    """Return how *act* fails: in one line, without the secret, and without a cause that tells."""
    with pytest.raises(SettingsError) as caught:
        act()
    error = caught.value
    assert error.code == "secret_missing"
    assert "\n" not in str(error)
    assert "s3cret" not in f"{error!r} {error.fix_text}"
    assert (error.__cause__, error.__context__) == (None, None)
    return error


@pytest.mark.parametrize(
    "text",
    ["env:A", "file:/a b", "cmd:pass show 'a b'", "keyring:svc/me", "keyring:https://a.example/me"],
)
def test_a_reference_is_known_by_its_kind(text: str) -> None:
    """And is kept as it was written, without white space around it."""
    assert is_reference(text)
    assert check_reference(f" {text} ", source="token") == text


@pytest.mark.parametrize(
    "text",
    [
        *("s3cret", "cmd:", "cmd:''", "cmd:pass 's3cret", "keyring:s3cret", "keyring:s3cret/"),
        *("keyring:/s3cret", "cmd:s3cret\nb", "env:", "pass:s3cret", "cmd", "keyring: /s3cret"),
    ],
)
def test_what_is_no_reference_is_not_repeated(text: str) -> None:
    """It may be a secret."""
    with pytest.raises(SettingsError) as caught:
        check_reference(text, source="token")
    assert caught.value.code == "secret_not_a_reference"
    assert "s3cret" not in caught.value.message


def test_a_url_is_no_reference() -> None:
    """Where a place may stand too."""
    assert not any(is_reference(text) for text in ("http://p:1", "cmd://x", "keyring://x/y"))


def test_a_program_is_asked_for_the_line_it_prints() -> None:
    """Its arguments come as they were quoted, and no shell reads them."""
    code = "import sys; print(' ', sys.argv[1], file=sys.stdout)"
    for word in ("a b", "$HOME", "`id`", "x;y", "q'u\"o", "a=b", "\\", "*"):
        assert resolve_secret(program(code, word), source="token") == word


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("import sys; print('s3cret'); sys.exit(3)", "ended with exit code 3"),
        ("import sys; sys.stderr.write('s3cret'); sys.exit(1)", "ended with exit code 1"),
        ("pass", "printed nothing"),
        ("print('   ')", "printed nothing"),
        ("print('s3cret'); print('more')", "holds more than one line of text"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "is not text"),
        ("print('s3cret' * 20_000)", "printed more than 64 KiB"),
        ("print(input())", "ended with exit code 1"),
    ],
)
def test_a_program_that_does_not_tell_is_named(
    code: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """By its reference and how it ended; nothing it said is repeated or shown."""
    reference = program(code.replace("s3cret", "s3' 'cret"))

    error = missing(lambda: resolve_secret(reference, source="token"))

    assert str(error) == f"token: {reference} {why}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "seconds"),
    [
        ("import time; time.sleep(600)", 0.2),
        ("import os, time; os.close(1); time.sleep(600)", 0.2),
        ("import subprocess; print('s3cret', flush=True); subprocess.run(['sleep', '600'])", 0.2),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="sleep is a program of POSIX")
def test_a_program_that_hangs_is_ended(code: str, seconds: float) -> None:
    """With what it started, after the time it has."""
    found = ask_program([sys.executable, "-c", code], seconds=seconds)

    assert (found.text, found.why) == ("", "took longer than 0.2 s")


def test_a_program_that_is_killed_is_told_apart() -> None:
    """From one that ended by itself."""
    if sys.platform == "win32":
        pytest.skip("there are no signals on Windows")
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    assert ask_program([sys.executable, "-c", code]).why == "was ended by signal 9"


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    """As is one that cannot be run."""
    (tmp_path / "plain").write_text("s3cret")

    for place in (tmp_path / "none", tmp_path / "plain"):
        error = missing(partial(resolve_secret, f"cmd:{place}", source="token"))
        assert f"cmd:{place} cannot be started: " in str(error)


def test_a_keyring_is_asked(kept: MemoryKeyring) -> None:
    """For the user behind the last slash; what it does not hold is missing."""
    assert resolve_secret("keyring:https://a.example/x/me", source="token") == "s3cret"

    error = missing(lambda: resolve_secret("keyring:https://a.example/x/you", source="token"))

    assert str(error).endswith("/you is not in the keyring, or empty")


def test_a_keyring_that_fails_is_named() -> None:
    """By the kind of its error alone."""
    with keyring_of({}, BrokenKeyring):
        error = missing(lambda: resolve_secret("keyring:svc/me", source="token"))

    assert str(error).endswith("svc/me cannot be had from the keyring: NoKeyringError")


def test_a_keyring_that_waits_for_a_person_is_left_alone(
    kept: MemoryKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time it has."""
    wait = Event()
    monkeypatch.setattr(kept, "get_password", lambda *_: str(wait.wait(60)))

    assert ask_keyring("svc", "me", seconds=0.05).why == "took longer than 0.05 s"
    wait.set()


def test_without_the_library_the_fix_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what is missing."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    error = missing(lambda: resolve_secret("keyring:svc/me", source="token"))

    assert "needs a library" in str(error)
    assert error.fix_text == "pip install 'eventsync[keyring]'"


def test_no_text_of_a_file_hangs_on_an_error(tmp_path: Path) -> None:
    """Not even as the object that could not be decoded."""
    (tmp_path / "f").write_bytes(b"s3cret\xff")

    assert (
        str(missing(lambda: resolve_secret(f"file:{tmp_path}/f", source="t")))[-11:]
        == "is not text"
    )


def test_being_at_hand_is_told_without_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables and files are looked at; a program must be there, and is not run."""
    monkeypatch.setenv("SET", "x")
    (tmp_path / "f").write_text("x")
    ran = tmp_path / "ran"
    mark = program(f"open({str(ran)!r}, 'w')")

    at_hand = ("env:SET", f"file:{tmp_path}/f", mark, "keyring:svc/me")
    missing = ("env:UNSET", f"file:{tmp_path}/none", f"cmd:{tmp_path}/none x")

    assert all(is_at_hand(text, source="token") for text in at_hand)
    assert not any(is_at_hand(text, source="token") for text in missing)
    assert not ran.exists()


@attrs.define
class Ticking:
    """A clock that is set by hand."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def counting(tmp_path: Path) -> tuple[str, Callable[[], int]]:
    """Return a program that prints how often it was run, and what tells that too."""
    count = tmp_path / "count"
    code = (
        "import sys, pathlib; p = pathlib.Path(sys.argv[1]); p.touch(); n = p.read_text() + 'x'"
        "; p.write_text(n); print('s3cret', len(n))"
    )
    times = lambda: len(count.read_text()) if count.exists() else 0  # noqa: E731
    return program(code, str(count)), times


def test_an_answer_holds_for_half_a_minute(counting: tuple[str, Callable[[], int]]) -> None:
    """By the clock handed in, unless it is forgotten."""
    reference, times = counting
    clock = Ticking()
    secrets = HeldSecrets(clock)

    said = [secrets.resolve(reference, source="token")]
    clock.at = 29.9
    said.append(secrets.resolve(reference, source="a header"))
    clock.at = 30.0
    said.append(secrets.resolve(reference, source="token"))
    secrets.forget()
    said.append(secrets.resolve(reference, source="token"))

    assert said == ["s3cret 1", "s3cret 1", "s3cret 2", "s3cret 3"]
    assert times() == 3
    assert "s3cret" not in repr(secrets)


def test_a_failure_holds_as_long(tmp_path: Path) -> None:
    """So that a program that hangs is not waited for again and again; each asker is named."""
    clock = Ticking()
    secrets = HeldSecrets(clock)
    place = tmp_path / "late"

    first = missing(lambda: secrets.resolve(f"cmd:{place}", source="token"))
    place.write_text("#!/bin/sh\necho s3cret\n")
    place.chmod(0o700)
    second = missing(lambda: secrets.resolve(f"cmd:{place}", source="a header"))

    assert (first.source, second.source) == ("token", "a header")


def test_variables_and_files_are_looked_at_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They cost nothing, and a new token counts at once."""
    secrets = HeldSecrets(Ticking())
    said = []
    for word in ("old", "new"):
        monkeypatch.setenv("T", word)
        (tmp_path / "t").write_text(word)
        said += [secrets.resolve(text, source="t") for text in ("env:T", f"file:{tmp_path}/t")]

    assert said == ["old", "old", "new", "new"]


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), min_size=1))
def test_any_command_survives_the_configuration(tmp_path_factory, words: list[str]) -> None:
    """Whatever its words hold: quotes, equals signs, backslashes."""
    path = tmp_path_factory.mktemp("home") / "config.toml"
    reference = check_reference("cmd:" + shlex.join(words), source="token")

    change_config(
        path,
        {
            "sync": {"token": reference},
            "event_sync": {
                "external_headers": {"X-Key": reference},
                "external_signing": [reference],
            },
        },
    )
    config = read_config(path)

    assert config.problem is None
    assert (config.token, *config.external_signing) == (reference, reference)
    assert config.external_headers == {"X-Key": reference}
    assert shlex.split(config.token.removeprefix("cmd:")) == words
    assert json.dumps(reference)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_holds_no_secret(tmp_path: Path) -> None:
    """Nobody waits for who may write it; nor is it at hand."""
    os.mkfifo(tmp_path / "p")
    reference = f"file:{tmp_path}/p"

    error = missing(lambda: resolve_secret(reference, source="token"))

    assert str(error) == f"token: {reference} cannot be read: not a regular file"
    assert not is_at_hand(reference, source="token")


def test_a_file_that_is_too_long_holds_no_secret(tmp_path: Path) -> None:
    """It is not cut: what is left would be another secret."""
    (tmp_path / "f").write_text("s3cret" * 20_000)
    reference = f"file:{tmp_path}/f"

    error = missing(lambda: resolve_secret(reference, source="token"))

    assert str(error) == f"token: {reference} holds more than 64 KiB"
    (tmp_path / "f").write_text("x" * 64 * 1024)
    assert len(resolve_secret(reference, source="token")) == 64 * 1024
