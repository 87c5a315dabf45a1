from pathlib import Path

import pytest

from eventsync_adapters.files import read_environment, resolve_secret
from eventsync_adapters.files.network import proxy_mounts
from eventsync_adapters.files.revoked import Revocations
from eventsync_core.errors import SettingsError


def test_home_is_taken_verbatim() -> None:
    """No tilde is expanded; without the variable it is in the user's folder."""
    assert read_environment({"SPEC_KITTY_HOME": "~/x"}).home == Path("~/x")
    assert read_environment({}).home.name.endswith("spec-kitty")


@pytest.mark.parametrize("word", ["1", "true", "YES", " y ", "On"])
def test_saas_is_enabled_by_these_words(word: str) -> None:
    """Any other word leaves it off."""
    assert read_environment({"SPEC_KITTY_ENABLE_SAAS_SYNC": word}).saas_enabled
    assert not read_environment({"SPEC_KITTY_ENABLE_SAAS_SYNC": f"not {word}"}).saas_enabled


def test_proxies_become_patterns() -> None:
    """NO_PROXY names what is reached directly, with everything below it."""
    seen = read_environment({"https_proxy": "proxy:3128", "NO_PROXY": ".example.com, 10.0.0.1"})

    assert proxy_mounts(seen.proxies) == {
        "https://": "http://proxy:3128",
        "all://example.com": None,
        "all://*.example.com": None,
        "all://10.0.0.1": None,
    }


def test_secrets_are_looked_up_when_asked(tmp_path: Path) -> None:
    """A reference leads to a value without white space, or to an error naming only itself."""
    path = tmp_path / "token"
    path.write_text(" s3cret\n")

    assert resolve_secret(f"file:{path}", source="token") == "s3cret"
    assert resolve_secret("env:T", source="token", lookup=lambda name: {"T": "x"}.get(name)) == "x"
    for reference in ("env:T", f"file:{tmp_path}/none", "file:~nobody_known/x", "s3cret"):
        with pytest.raises(SettingsError) as caught:
            resolve_secret(reference, source="token", lookup=lambda _: None)
        assert "s3cret" not in caught.value.message


def test_a_revocation_stands_until_it_is_folded_in(tmp_path: Path) -> None:
    """It names its target and stream, and folding one in takes no later one away."""
    folder = Revocations(tmp_path / "revoked")
    assert folder.pending() == []

    first = folder.add("tgt_1", "s", actor="me", reason="test", at=5)
    later = folder.add("tgt_1", "s", actor="me", reason="test", at=6)

    assert {each.at for each in folder.pending()} == {5, 6}
    assert [(each.target_id, each.stream) for each in folder.pending()] == [("tgt_1", "s")] * 2
    folder.remove(first)
    assert folder.is_revoked("tgt_1", "s")
    folder.remove(later)
    assert not folder.is_revoked("tgt_1", "s")
