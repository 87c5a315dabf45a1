"""Which bodies may be sent, and how they stand after an answer."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventsync_core.bodies import (
    MOST_BYTES,
    PushVerdict,
    Standing,
    UploadState,
    flaw_of,
    fold_push,
    hash_of,
    push_body,
    reopened,
    skip_reason,
)
from eventsync_core.clock import DAY, MINUTE, SECOND
from eventsync_core.codec import read_document
from eventsync_core.ledger import Act
from eventsync_core.receivers import Next
from eventsync_core.testing import EPOCH, make_body

_FAULT = PushVerdict(state=UploadState.QUEUED, reason="server_error: 500", status=500)
_THERE = PushVerdict(state=UploadState.UPLOADED, reason="stored", status=201)
_REFUSED = PushVerdict(state=UploadState.FAILED, reason="bad_request: no", status=400)


@pytest.mark.parametrize(
    "path",
    [
        "spec.md",
        "data-model.md",
        "lint-report.json",
        "research/notes/a.CSV",
        "contracts/api.yaml",
        "checklists/x.yml",
        "tasks/WP01.md",
        "tasks/WP7-title.md",
    ],
)
def test_artifacts_are_uploaded(path: str) -> None:
    """The files by name, all below three folders, and work packages."""
    assert skip_reason(path) == ""


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("notes.md", "unsupported_surface"),
        ("research", "unsupported_surface"),
        ("deep/spec.md", "unsupported_surface"),
        ("tasks/README.md", "unsupported_surface"),
        ("tasks/WP.md", "unsupported_surface"),
        ("tasks/deep/WP01.md", "unsupported_surface"),
        ("/spec.md", "unsupported_surface"),
        ("research/../../etc/passwd.md", "unsupported_surface"),
        ("research/a\n.md", "unsupported_surface"),
        ("research/a.py", "unsupported_format: .py"),
        ("research/a", "unsupported_format: none"),
        ("research/.md", "unsupported_format: .md"),
        ("", "unsupported_surface"),
    ],
)
def test_anything_else_is_not(path: str, reason: str) -> None:
    """The reason says whether it is the place or the format."""
    assert skip_reason(path) == reason


def test_what_may_be_sent() -> None:
    """A text up to the limit in UTF-8 whose hash is right, whatever its case."""
    text = "ä" * (MOST_BYTES // 2)
    assert flaw_of(make_body("a", content=text)) == ""
    assert flaw_of(make_body("a", content="")) == ""
    upper = make_body("a", content="x", content_hash=hash_of("x").upper())
    assert flaw_of(attrs.evolve(upper, hash_algorithm="SHA256")) == ""


@pytest.mark.parametrize(
    ("upload", "flaw"),
    [
        (make_body("a", content="x", content_hash=hash_of("y")), "content_hash_mismatch"),
        (make_body("a", content_hash=""), "content_hash_mismatch"),
        (
            make_body("a", content="ä" * (MOST_BYTES // 2) + "x"),
            f"oversized: {MOST_BYTES + 1} bytes > {MOST_BYTES} limit",
        ),
        (make_body("a", hash_algorithm="md5"), "unsupported_hash_algorithm: md5"),
        (attrs.evolve(make_body("a"), content="\ud800"), "not_valid_utf8"),
    ],
)
def test_what_may_not(upload, flaw: str) -> None:
    """The reason is a word of the failure log."""
    assert flaw_of(upload) == flaw


def test_the_request_holds_nine_texts() -> None:
    """Today's names of the keys, and the content as it is."""
    upload = make_body("a", content='"ü"\r\n\x00')

    document = read_document(push_body(upload))

    assert set(document) == {
        "project_uuid",
        "mission_slug",
        "target_branch",
        "mission_type",
        "manifest_version",
        "artifact_path",
        "content_hash",
        "hash_algorithm",
        "content_body",
    }
    assert document["content_body"] == upload.content
    assert document["hash_algorithm"] == "sha256"


@given(chances=st.lists(st.floats(0, 1, exclude_max=True), min_size=30, max_size=30))
def test_no_number_of_faults_ends_a_body(chances: list[float]) -> None:
    """After each it is queued, due in a second to a minute."""
    standing, at = Standing(failures=20), EPOCH
    for chance in chances:
        standing = fold_push(standing, _FAULT, at=at, chance=chance)
        assert standing.state is UploadState.QUEUED
        assert SECOND <= standing.due_at - at <= MINUTE
        at = standing.due_at

    assert standing.failures == 50
    assert standing.last_error == _FAULT.reason


def test_a_fault_of_the_target_leaves_a_body_due() -> None:
    """It did nothing wrong; the reason is kept."""
    for then, status in ((Next.BACK_OFF, 401), (Next.BACK_OFF, 429)):
        verdict = attrs.evolve(_FAULT, next=then, status=status)
        after = fold_push(Standing(failures=2, due_at=7), verdict, at=EPOCH, chance=1.0)
        assert after == Standing(failures=2, due_at=7, last_error=_FAULT.reason)


def test_pending_is_no_fault() -> None:
    """It is asked for again after five minutes, then later and later, at least once a day."""
    verdict = attrs.evolve(_FAULT, is_pending=True, reason="pending")
    after = fold_push(Standing(), verdict, at=EPOCH, chance=1.0)
    assert after == Standing(due_at=EPOCH + 5 * MINUTE, last_error="pending", wait=5 * MINUTE)

    waits = []
    for _ in range(11):
        waits.append(after.due_at - EPOCH)
        after = fold_push(after, verdict, at=EPOCH, chance=1.0)
    assert waits[:4] == [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE]
    assert waits[-1] == DAY
    assert fold_push(after, _FAULT, at=EPOCH, chance=1.0).wait == 0


@pytest.mark.parametrize("verdict", [_FAULT, _REFUSED, _THERE])
def test_what_is_there_stays_there(verdict: PushVerdict) -> None:
    """No later answer undoes it."""
    there = fold_push(Standing(failures=3, last_error="x"), _THERE, at=EPOCH, chance=1.0)
    assert there == Standing(state=UploadState.UPLOADED, settled_at=EPOCH)

    assert there == fold_push(there, verdict, at=EPOCH + 1, chance=1.0)


def test_without_the_lease_only_good_news_count() -> None:
    """A refusal or fault that a stale sender heard changes nothing."""
    for verdict in (_FAULT, _REFUSED):
        assert Standing() == fold_push(Standing(), verdict, at=EPOCH, chance=1.0, holds=False)
    after = fold_push(Standing(), _THERE, at=EPOCH, chance=1.0, holds=False)
    assert after.state is UploadState.UPLOADED


def test_what_failed_or_waits_is_opened_again() -> None:
    """It is due at once and its faults are forgotten; the rest is as it was."""
    failed = fold_push(Standing(attempts=3), _REFUSED, at=EPOCH, chance=1.0)
    waiting = fold_push(Standing(attempts=3), _FAULT, at=EPOCH, chance=1.0)
    for standing in (failed, waiting):
        after = reopened(standing, Act.RETRIED, at=EPOCH)
        assert after is not None
        assert (after.state, after.due_at) == (UploadState.QUEUED, EPOCH)
        assert (after.failures, after.attempts, after.settled_at) == (0, 3, None)
        assert (after.last_error, after.reopened) == (standing.last_error, 1)
        assert reopened(standing, Act.DELIVERED_BEFORE, at=EPOCH) is None
    for same in (Standing(due_at=EPOCH), Standing(state=UploadState.ALREADY_EXISTS)):
        assert reopened(same, Act.RETRIED, at=EPOCH) is None


def test_what_is_there_is_replayed() -> None:
    """It is owed again, and what was tried is still known."""
    there = Standing(state=UploadState.ALREADY_EXISTS, attempts=3, settled_at=EPOCH, reopened=2)

    after = reopened(there, Act.DELIVERED_BEFORE, at=EPOCH + 5)

    assert after == Standing(due_at=EPOCH + 5, attempts=3, reopened=3)


def test_what_may_have_come_of_the_body_makes_it_wait() -> None:
    """So others go before it when the target is tried again."""
    for status in (500, 503, 408, None):
        verdict = attrs.evolve(_FAULT, next=Next.BACK_OFF, status=status)
        after = fold_push(Standing(), verdict, at=EPOCH, chance=0.0)
        assert (after.failures, after.due_at) == (1, EPOCH + SECOND)


def test_a_project_is_spelt_as_streams_are() -> None:
    """Whatever the case of its letters, it is the same body."""
    key = make_body("a").key
    for named, spelt in (("P1", "p1"), (" p1 ", "p1"), ("\u00c4B", "\u00c4b"), ("", "")):
        assert attrs.evolve(key, project_uuid=named).project_uuid == spelt
