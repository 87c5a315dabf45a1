import os
import stat
import tomllib
from pathlib import Path

import pytest

from eventsync_adapters.files import change_config, read_config
from eventsync_core.errors import SettingsError
from eventsync_core.events import Producer
from eventsync_core.policy import Mode

FOREIGN = """# mine
[sync]
server_url = "https://old.example"  # here
max_queue_size = 7

[other]
keep = ["this", 1]
"""


def test_without_a_file_events_are_kept_here(tmp_path: Path) -> None:
    """The default delivers to nobody."""
    config = read_config(tmp_path / "config.toml")

    assert (config.mode, config.problem) == (Mode.LOCAL_RETENTION, None)
    assert not config.coalesce


def test_coalescing_can_be_switched_on(tmp_path: Path) -> None:
    """For every capture of the home."""
    path = tmp_path / "config.toml"
    path.write_text("[capture]\ncoalesce = true\n")

    assert (read_config(path).coalesce, read_config(path).problem) == (True, None)


def test_captures_can_be_made_strict(tmp_path: Path) -> None:
    """By one of two words, and by no other."""
    path = tmp_path / "config.toml"
    for word in ("strict", "off"):
        path.write_text(f'[capture]\nvalidate = "{word}"\n')
        assert (read_config(path).validate, read_config(path).problem) == (word, None)

    for wrong in ('"lax"', "true", "1"):
        path.write_text(f"[capture]\nvalidate = {wrong}\n")
        config = read_config(path)
        assert config.validate == "off"
        assert config.problem is not None
        assert "validate" in config.problem.message


@pytest.mark.parametrize("wrong", ['mode = "NONSENSE"', "external_ca = 7", 'external_format = "x"'])
def test_captures_stay_strict_where_another_setting_is_wrong(tmp_path: Path, wrong: str) -> None:
    """What is captured until the file is corrected is held to the same, and by the same."""
    path = tmp_path / "config.toml"
    ours = '[capture]\nvalidate = "strict"\n[producer]\nteam = "t"\n'
    path.write_text(f"[event_sync]\n{wrong}\n{ours}")

    config = read_config(path)

    assert config.problem is not None
    assert (config.validate, config.producer) == ("strict", Producer(team="t"))


def test_a_producer_can_be_named(tmp_path: Path) -> None:
    """What is not said is empty; what cannot be kept is a problem."""
    path = tmp_path / "config.toml"
    path.write_text('[producer]\nuser = "ann"\ninstallation = " box "\n')
    assert read_config(path).producer == Producer(user="ann", installation="box")

    for wrong in ("user = 7", 'team = "a\\nb"', f'installation = "{"x" * 201}"'):
        path.write_text(f"[producer]\n{wrong}\n")
        config = read_config(path)
        assert config.producer is None
        assert config.problem is not None
        assert wrong.split()[0] in config.problem.message
        assert "xxx" not in config.problem.message


def test_a_change_keeps_what_is_not_ours(tmp_path: Path) -> None:
    """Foreign keys and comments stay as they are; the file is private."""
    path = tmp_path / "config.toml"
    path.write_text(FOREIGN)

    change_config(
        path, {"sync": {"server_url": "https://new.example"}, "event_sync": {"mode": "opt_out"}}
    )

    text = path.read_text()
    assert text.startswith(FOREIGN.replace("old", "new"))
    config = read_config(path)
    assert (config.server_url, config.mode) == ("https://new.example", Mode.OPT_OUT)
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path] == list(tmp_path.iterdir())


def test_undo_puts_the_old_file_back(tmp_path: Path) -> None:
    """A change that is taken back leaves the very bytes, or no file."""
    path = tmp_path / "config.toml"
    change_config(path, {"sync": {"team": "t"}}).undo()
    assert not path.exists()
    path.write_text(FOREIGN)

    change_config(path, {"sync": {"team": "t"}}).undo()

    assert path.read_text() == FOREIGN


def test_what_cannot_be_read_is_not_written(tmp_path: Path) -> None:
    """A corrupt file is named and left alone."""
    path = tmp_path / "config.toml"
    path.write_text("[sync")

    problem = read_config(path).problem
    with pytest.raises(SettingsError):
        change_config(path, {"sync": {"team": "t"}})

    assert problem is not None
    assert str(path) in problem.message
    assert path.read_text() == "[sync"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[event_sync]\nmode = "teamspcae"', "mode_unknown"),
        ("[event_sync]\nmode = 3", "config_unreadable"),
        ("sync = 3", "config_unreadable"),
        ('[capture]\ncoalesce = "yes"', "config_unreadable"),
        ("capture = true", "config_unreadable"),
        ('[sync]\ntoken = "s3cret"', "secret_not_a_reference"),
        ('[event_sync.external_headers]\nX-Key = "s3cret"', "secret_not_a_reference"),
    ],
)
def test_what_is_not_understood_delivers_to_nobody(tmp_path: Path, text: str, code: str) -> None:
    """A typo never sends anything; a secret is not repeated."""
    path = tmp_path / "config.toml"
    path.write_text(text)

    config = read_config(path)

    assert config.problem is not None
    assert (config.mode, config.problem.code) == (Mode.LOCAL_RETENTION, code)
    assert "s3cret" not in config.problem.message


HEADERS = {"event_sync": {"mode": "external_receiver", "external_headers": {"X-K": "env:K"}}}


@pytest.mark.parametrize(
    "text",
    [
        'event_sync.mode = "opt_out"\nsync.team = "blue"\n',
        'event_sync.external_headers.Y = "env:Q"\nsync.team = "blue"\n',
        'event_sync = {mode = "opt_out"}\nsync.team = "blue"\nx = nan\n',
        'sync.team = "blue"\n',
        '[event_sync]\nmode = "opt_out"\n[sync]\nteam = "blue"\n',
        '[event_sync.external_headers]\nY = "env:Q"\n[sync]\nteam = "blue"\n',
    ],
)
def test_a_change_says_what_was_wanted_and_no_more(tmp_path: Path, text: str) -> None:
    """However the tables are written; what follows them is not taken in."""
    path = tmp_path / "config.toml"
    path.write_text(text)

    change_config(path, HEADERS)

    config = read_config(path)
    assert (config.problem, config.mode) == (None, Mode.EXTERNAL_RECEIVER)
    assert (config.external_headers, config.team) == ({"X-K": "env:K"}, "blue")
    change_config(path, {"event_sync": {"external_headers": None}})
    assert "X-K" not in path.read_text()
    assert read_config(path).team == "blue"


def test_a_change_that_would_change_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is about to be written is read first; otherwise the file is left alone."""
    path = tmp_path / "config.toml"
    path.write_text(FOREIGN)
    monkeypatch.setattr("tomlkit.dumps", lambda _: "sync = 7\n")

    with pytest.raises(SettingsError):
        change_config(path, HEADERS)

    assert path.read_text() == FOREIGN


@pytest.mark.parametrize("before", [None, FOREIGN])
def test_undo_leaves_a_later_change_alone(tmp_path: Path, before: str | None) -> None:
    """It was made by someone else, who was told that it holds."""
    path = tmp_path / "config.toml"
    if before is not None:
        path.write_text(before)
    mine = change_config(path, {"sync": {"team": "mine"}})
    change_config(path, {"sync": {"team": "theirs"}})

    mine.undo()

    assert tomllib.loads(path.read_text())["sync"]["team"] == "theirs"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
def test_a_pipe_is_no_configuration(tmp_path: Path) -> None:
    """Nobody waits for who may write it; a link to a file is one."""
    path = tmp_path / "config.toml"
    os.mkfifo(path)

    problem = read_config(path).problem
    with pytest.raises(SettingsError):
        change_config(path, {"sync": {"team": "t"}})

    assert problem is not None
    assert problem.message == f"{path} cannot be read: not a regular file"
    (tmp_path / "real").write_text(FOREIGN)
    path.unlink()
    path.symlink_to(tmp_path / "real")
    assert read_config(path).server_url == "https://old.example"


def test_a_large_file_is_no_configuration(tmp_path: Path) -> None:
    """A mebibyte is read; one byte more is a problem, and no change cuts it."""
    path = tmp_path / "config.toml"
    text = '[sync]\nteam = "t"\n#'
    path.write_text(text + "x" * (1024 * 1024 - len(text)))
    assert read_config(path).team == "t"
    with path.open("a") as file:
        file.write("x")

    problem = read_config(path).problem
    with pytest.raises(SettingsError):
        change_config(path, {"sync": {"team": "u"}})

    assert problem is not None
    assert "larger than 1 MiB" in problem.message
    assert path.stat().st_size == 1024 * 1024 + 1
