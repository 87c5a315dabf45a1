"""What config.toml says of an external receiver."""

from pathlib import Path

import pytest

from eventsync_adapters.files import read_config
from eventsync_core.policy import Mode
from eventsync_core.receivers import BodyFormat


def _config(tmp_path: Path, line: str):
    path = tmp_path / "config.toml"
    path.write_text(f'[event_sync]\nmode = "external_receiver"\n{line}\n')
    return read_config(path)


@pytest.mark.parametrize("body_format", list(BodyFormat))
def test_every_format_is_known(tmp_path: Path, body_format: BodyFormat) -> None:
    """The words of the file are those of the receivers."""
    config = _config(tmp_path, f'external_format = "{body_format}"')

    assert (config.problem, config.external_format) == (None, body_format.value)


def test_what_is_written_is_understood(tmp_path: Path) -> None:
    """References and files, as they stand there."""
    config = _config(tmp_path, 'external_signing = ["env:A", "file:/b"]\nexternal_proxy = "p:1"')

    assert config.problem is None
    assert config.external_signing == ("env:A", "file:/b")
    assert config.external_proxy == "p:1"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('external_signing = "env:A"', "config_unreadable"),
        ("external_signing = [1]", "config_unreadable"),
        ('external_signing = ["whsec_hunter22"]', "secret_not_a_reference"),
        ('external_format = "xml"', "config_unreadable"),
        ("external_ca = 1", "config_unreadable"),
        ('external_proxy = "http://me:hunter22@p:1"', "secret_not_a_reference"),
        ('external_proxy = "me:hunter22@p:1"', "secret_not_a_reference"),
        ('external_proxy = "http://me:pa/hunter22@127.0.0.1:1"', "secret_not_a_reference"),
        ('external_proxy = "http://me/hunter22@p:1"', "secret_not_a_reference"),
        ('external_proxy = "env:"', "secret_not_a_reference"),
        ('external_cert_key = "/key.pem"', "config_unreadable"),
        ('external_headers = {"" = "env:A"}', "config_unreadable"),
        ('external_headers = {"X Y" = "env:A"}', "config_unreadable"),
        ('external_headers = {"X-K\\r\\nX-L" = "env:A"}', "config_unreadable"),
        ('external_headers = {"Ü" = "env:A"}', "config_unreadable"),
        ('external_headers = {"Content-Length" = "env:A"}', "config_unreadable"),
        ('external_headers = {"transfer-ENCODING" = "env:A"}', "config_unreadable"),
        (
            'external_headers = {"Webhook-Id" = "env:A"}\nexternal_signing = ["env:B"]',
            "config_unreadable",
        ),
    ],
)
def test_what_cannot_be_understood_delivers_nothing(tmp_path: Path, line: str, code: str) -> None:
    """The problem has a word and repeats no secret."""
    config = _config(tmp_path, line)

    assert config.problem is not None
    assert config.problem.code == code
    assert config.problem.message.isprintable()
    assert config.mode is Mode.LOCAL_RETENTION
    assert "hunter22" not in config.problem.message
