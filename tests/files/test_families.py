from pathlib import Path

import pytest

from eventsync_adapters.files import read_config
from eventsync_core.events import Family
from eventsync_core.policy import Mode, OnDiscard


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_families_and_what_becomes_of_the_rest(path: Path) -> None:
    """Types of any name; without the table there are none, and the rest is refused."""
    path.write_text(
        '[event_sync]\nmode = "opt_out"\non_discard = "audit"\n'
        '[families]\nMine = "local_only"\n"my.Type" = "discardable"\nB = "target_bound"\n'
    )

    config = read_config(path)

    assert config.problem is None
    assert (config.mode, config.on_discard) == (Mode.OPT_OUT, OnDiscard.AUDIT)
    assert config.families == {
        "Mine": Family.LOCAL_ONLY,
        "my.Type": Family.DISCARDABLE,
        "B": Family.TARGET_BOUND,
    }
    path.write_text("")
    assert (read_config(path).families, read_config(path).on_discard) == ({}, OnDiscard.REFUSE)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[event_sync]\non_discard = "drop"', "refuse, audit"),
        ("[event_sync]\non_discard = true", "on_discard"),
        ('families = "Mine"', "families is not a table"),
        ('[families]\nMine = "local"', "target_bound, local_only, discardable"),
        ('[families]\nMine = "unknown"', "target_bound, local_only, discardable"),
        ("[families]\nMine = 1", "Mine"),
        ('[families]\nmy.own = "local"', "my.own"),
    ],
)
def test_what_is_not_understood_is_a_problem(path: Path, text: str, words: str) -> None:
    """Nothing is dropped then, and the file is named with what may stand there."""
    path.write_text(f"{text}\n")

    config = read_config(path)

    assert config.problem is not None
    assert words in config.problem.message
    assert str(path) in config.problem.message
    assert (config.mode, config.on_discard) == (Mode.LOCAL_RETENTION, OnDiscard.REFUSE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        'event_sync.mode = "teamspcae"',
        "event_sync = 3",
        "sync = 3",
        'sync.token = "s3cret"',
        'sync.server_url = "https://u:p@h.example"',
        'families.Other = "local"',
    ],
)
def test_a_fault_elsewhere_lets_nothing_go(path: Path, elsewhere: str) -> None:
    """What is local only stays so, and what may have been meant to be so is until it is mended."""
    path.write_text(f'{elsewhere}\nfamilies.Mine = "local_only"\n')

    config = read_config(path)

    assert config.problem is not None
    assert config.families["Mine"] is Family.LOCAL_ONLY
    assert set(config.families.values()) == {Family.LOCAL_ONLY}
    assert config.families.keys() <= {"Mine", "Other"}


def test_a_type_with_dots_needs_no_quotes(path: Path) -> None:
    """Though TOML then has tables in tables."""
    path.write_text(
        'families.top = "discardable"\n[families.com.example]\ndone.well = "local_only"\n'
        '"quo.ted" = "target_bound"\n'
    )

    config = read_config(path)

    assert config.problem is None
    assert config.families == {
        "top": Family.DISCARDABLE,
        "com.example.done.well": Family.LOCAL_ONLY,
        "com.example.quo.ted": Family.TARGET_BOUND,
    }
