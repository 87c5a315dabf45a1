"""An external receiver with a certificate authority of its own, which asks who is there."""

import ssl
from pathlib import Path

import attrs
import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.cli.bad_input import fails
from tests.cli.conftest import Run
from tests.cli.listeners import listening

CHOOSE = ("sync", "mode", "EXTERNAL_RECEIVER")


@attrs.frozen
class Pair:
    """A certificate for this machine, its key, and the authority that vouches for it."""

    ca: Path
    cert: Path
    key: Path


def _pair(folder: Path, name: str) -> Pair:
    pair = Pair(folder / f"{name}.ca", folder / f"{name}.pem", folder / f"{name}.key")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(pair.ca)
    issued.cert_chain_pems[0].write_to_path(pair.cert)
    issued.private_key_pem.write_to_path(pair.key)
    return pair


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("theirs"), "theirs")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return _pair(tmp_path_factory.mktemp("ours"), "ours")


def asking(theirs: Pair, ours: Pair) -> ssl.SSLContext:
    """Return what a server needs that talks to holders of *ours* only."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=ours.ca)
    context.load_cert_chain(theirs.cert, theirs.key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_a_private_authority_and_a_certificate_of_ours(
    run: Run, events: Path, theirs: Pair, ours: Pair
) -> None:
    """Both ends show who they are, and the events arrive."""
    run("capture", str(events))
    with listening(context=asking(theirs, ours)) as listener:
        shown = ("--cert", str(ours.cert), "--cert-key", str(ours.key))
        run(*CHOOSE, "--endpoint", listener.url, "--ca", str(theirs.ca), *shown)
        ran = run("sync", "now", "--json")

    assert (ran.code, ran.document["counts"]["delivered"]) == (0, 20)


def test_one_file_may_hold_certificate_and_key(
    run: Run, tmp_path: Path, events: Path, theirs: Pair, ours: Pair
) -> None:
    """Then no --cert-key is needed."""
    both = tmp_path / "both.pem"
    both.write_text(ours.cert.read_text() + ours.key.read_text())
    run("capture", str(events))
    with listening(context=asking(theirs, ours)) as listener:
        run(*CHOOSE, "--endpoint", listener.url, "--ca", str(theirs.ca), "--cert", str(both))
        assert run("sync", "now").code == 0


def test_an_unknown_authority_gets_nothing(
    run: Run, events: Path, theirs: Pair, ours: Pair
) -> None:
    """Not by default, nor when another one is trusted; the events stay owed, effect none."""
    run("capture", str(events))
    with listening(context=asking(theirs, ours)) as listener:
        for words in ((), ("--ca", str(ours.ca))):
            run(*CHOOSE, "--endpoint", listener.url, *words)
            ran = run("sync", "now", "--json")
            assert (ran.code, ran.document["stopped_because"]) == (3, "target_backoff")
            assert ran.document["counts"]["transient"] == 20

    assert listener.heard == []


def test_files_that_cannot_be_used_are_named(
    run: Run, tmp_path: Path, events: Path, theirs: Pair, ours: Pair
) -> None:
    """No PEM, a key of another certificate, an encrypted key: exit 4, and nobody is asked."""
    junk, locked = tmp_path / "junk.pem", tmp_path / "locked.key"
    junk.write_text("junk")
    key = serialization.load_pem_private_key(ours.key.read_bytes(), password=None)
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.BestAvailableEncryption(b"hunter22"),
        )
    )
    run("capture", str(events))
    for words, named in (
        (("--ca", str(junk)), junk),
        (("--ca", str(tmp_path)), tmp_path),
        (("--cert", str(junk)), junk),
        (("--cert", str(ours.cert), "--cert-key", str(theirs.key)), theirs.key),
        (("--cert", str(ours.cert), "--cert-key", str(locked)), "the key is encrypted"),
    ):
        run("sync", "mode", "LOCAL_RETENTION")
        run(*CHOOSE, "--endpoint", "https://127.0.0.1:9", "--ca", "", "--cert-key", "", *words)
        ran = fails(run, "sync", "now", code=4, error="certificates_unreadable")
        assert str(named) in ran.out
