"""Four presets."""

import pytest

from eventsync_core.errors import SettingsError
from eventsync_core.policy import Mode, Policy, policy_of, read_mode
from eventsync_core.targets import Kind


@pytest.mark.requirement("F1")
@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (Mode.TEAMSPACE, Policy(retain=True, delivery=Kind.TEAMSPACE)),
        (Mode.EXTERNAL_RECEIVER, Policy(retain=True, delivery=Kind.EXTERNAL)),
        (Mode.LOCAL_RETENTION, Policy(retain=True, delivery=None)),
        (Mode.OPT_OUT, Policy(retain=False, delivery=None)),
    ],
)
def test_what_a_mode_means(mode: Mode, expected: Policy) -> None:
    """Whether events are kept, and what kind of target they go to."""
    assert policy_of(mode) == expected


@pytest.mark.requirement("F2")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("teamspace", Mode.TEAMSPACE),
        (" Local-Retention\n", Mode.LOCAL_RETENTION),
        ("external_receiver", Mode.EXTERNAL_RECEIVER),
        ("opt-out", Mode.OPT_OUT),
        ("trash", Mode.OPT_OUT),
        ("TRASH", Mode.OPT_OUT),
    ],
)
def test_names_are_read_in_any_case(text: str, expected: Mode) -> None:
    """With hyphen or underscore; trash is opt-out."""
    assert read_mode(text, source="here") is expected


@pytest.mark.requirement("F3")
@pytest.mark.parametrize("text", ["", "teamspaces", "none", "TEAM SPACE"])
def test_any_other_name_is_an_error(text: str) -> None:
    """It names the four, and where the text stands."""
    with pytest.raises(SettingsError) as caught:
        read_mode(text, source="config.toml")

    assert (caught.value.code, caught.value.source) == ("mode_unknown", "config.toml")
    assert all(mode.value in caught.value.message for mode in Mode)
