"""What a receiver holds is compared with what the ledger says of it."""

import json
from pathlib import Path

import httpx
import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import Serving, serve
from eventsync_core.ingest import Kept, answer_held
from tests.cli.conftest import Run
from tests.cli.listeners import listening
from tests.damage.damaging import unguarded

_DELIVERED = """
INSERT INTO ledger SELECT target_no, stream_id, ?, outcome, request_id, attempts, rejections, round,
                          seen, due_at, wait, round_after
FROM ledger WHERE position = 1
"""


@pytest.fixture
def database(home: Path) -> Path:
    return home / "eventsync" / "eventsync.db"


def target_id(run: Run) -> str:
    """Return the only target."""
    (target,) = run("target", "list", "--json").document["targets"]
    return str(target["target_id"])


def deliver(run: Run, events: Path, url: str) -> str:
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{url}/events")
    run("sync", "now")
    return target_id(run)


def test_both_say_the_same(run: Run, events: Path, receiver: Serving) -> None:
    """Every event is there, with the content that was captured."""
    name = deliver(run, events, receiver.url)

    ran = run("journal", "verify", "--target", name, "--json")

    assert ran.code == 0
    assert ran.document["agreed"] == 20
    assert ran.document["missing_count"] == ran.document["unknown"] == 0


def test_each_difference_is_named(
    run: Run, events: Path, receiver: Serving, database: Path
) -> None:
    """Noted and not there, there and not noted, other content, and never captured here."""
    name = deliver(run, events, receiver.url)
    more = ['{"event_id": "stranger"}', '{"event_id": "late", "n": 1}', '{"event_id": "odd"}']
    httpx.post(f"{receiver.url}/events", content=f'{{"events":[{",".join(more)}]}}')
    late = events.with_name("late.jsonl")
    late.write_text('{"n": 1, "event_id": "late"}\n{"event_id": "odd", "n": 2}\n')
    run("capture", str(late))
    unguarded(
        database,
        (_DELIVERED, (22,)),
    )
    lost = events.with_name("lost.jsonl")
    lost.write_text('{"event_id": "lost"}\n')
    run("capture", str(lost))
    unguarded(
        database,
        (_DELIVERED, (23,)),
    )

    ran = run("journal", "verify", "--target", name, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (3, "target_differs")
    assert ran.document["missing"] == ["lost"]
    assert ran.document["unnoted"] == ["late"]
    assert ran.document["different"] == ["odd"]
    assert (ran.document["agreed"], ran.document["unknown"]) == (20, 1)
    assert "missing there: lost" in run("journal", "verify", "--target", name).out


def test_what_went_before_it_was_noted(
    run: Run, events: Path, receiver: Serving, tmp_path: Path
) -> None:
    """The fix in words is carried out: it comes back, is offered again and found there."""
    name = deliver(run, events, receiver.url)
    late, archived = '{"event_id": "late"}', str(tmp_path / "late.gz")
    httpx.post(f"{receiver.url}/events", content=f'{{"events":[{late}]}}')
    events.write_text(f"{late}\n")
    run("capture", str(events))
    run("sync", "archive", archived, "--include-undelivered")
    words = ("journal", "verify", "--target", name, "--json")
    differs = run(*words).document

    assert (differs["unnoted"], run("sync", "now").code, run(*words).code) == (["late"], 0, 3)
    assert "journal import brings back" in differs["error"]["fix"]["text"]
    assert run("journal", "import", archived).code == 0
    assert (run("sync", "now").code, run(*words).code) == (0, 0)


def test_a_receiver_that_lost_everything(run: Run, events: Path, tmp_path: Path) -> None:
    """Its fix brings everything there again."""
    with serve(tmp_path / "a.db", clock=machine.now) as serving:
        serving.start()
        name = deliver(run, events, serving.url)
        port = int(serving.url.rpartition(":")[2])
    with serve(tmp_path / "b.db", clock=machine.now, port=port) as serving:
        serving.start()
        ran = run("journal", "verify", "--target", name, "--json")
        assert ran.document["missing_count"] == 20

        argv = ran.document["error"]["fix"]["argv"]
        assert run(*argv[1:]).code == 0
        run("sync", "now")

        assert run("journal", "verify", "--target", name).code == 0


def test_who_does_not_tell(run: Run, events: Path) -> None:
    """A receiver of another kind, and one that is gone."""
    with listening() as listener:
        name = deliver(run, events, listener.url)
        ran = run("journal", "verify", "--target", name, "--json")
        assert (ran.code, ran.document["error"]["code"]) == (3, "not_told")

    ran = run("journal", "verify", "--target", name, "--json")

    assert (ran.code, ran.document["error"]["code"]) == (3, "not_told")
    assert "nothing answered" in ran.document["error"]["message"]


def test_nobody_on_another_machine_is_asked(run: Run, events: Path) -> None:
    """Nothing leaves for it."""
    run("capture", str(events))
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", "https://example.invalid/events")

    ran = run("journal", "verify", "--target", target_id(run), "--json")

    assert (ran.code, ran.document["error"]["code"]) == (3, "not_told")
    assert "on this machine" in ran.document["error"]["message"]


@pytest.mark.parametrize("options", [("--incremental",), ("--project", "x")])
def test_what_does_not_go_together(run: Run, options: tuple[str, ...]) -> None:
    """A comparison is no walk."""
    assert run("journal", "verify", "--target", "tgt_x", *options).code == 64


def test_an_unknown_target(run: Run, events: Path) -> None:
    """It is named as one, with and without a database."""
    assert run("journal", "verify", "--target", "tgt_x").code == 64
    run("capture", str(events))
    assert run("journal", "verify", "--target", "tgt_x").code == 64


def test_serve_tells_ids_and_digests_in_pages(receiver: Serving) -> None:
    """Nothing of what the events say."""
    texts = [f'{{"event_id":"e{n}","secret":"canary"}}' for n in range(3)]
    httpx.post(f"{receiver.url}/events", content=f'{{"events":[{",".join(texts)}]}}')

    first = httpx.get(f"{receiver.url}/held?limit=2")
    second = httpx.get(f"{receiver.url}/held?after={first.json()['next_after']}&limit=2")

    assert [each["event_id"] for each in first.json()["held"]] == ["e0", "e1"]
    assert [each["event_id"] for each in second.json()["held"]] == ["e2"]
    assert second.json()["next_after"] is None
    assert "canary" not in first.text + second.text
    assert httpx.get(f"{receiver.url}/held?after=x").status_code == 400


def test_what_is_no_event_has_no_canonical_digest() -> None:
    """Its bytes have one all the same."""
    (held,) = answer_held([Kept(1, "a", "[]")], most=10)["held"]

    assert held["canonical_digest"] is None
    assert len(held["digest"]) == 64
    assert json.dumps(held)


_TWICE = [{"event_id": "e1", "canonical_digest": "00"}] * 3


@pytest.mark.parametrize(
    "answer",
    [
        r'{"held":[{"event_id":"\ud800","canonical_digest":"00"}],"next_after":null}',
        '{"held":[],"next_after":1e999}',
        '{"held":[],"next_after":true}',
        '{"held":[],"next_after":1.5}',
        '{"held":[],"next_after":7}',
        '{"held":[{"event_id":"e1","canonical_digest":"00"}],"next_after":0}',
        '{"held":[{"event_id":7,"canonical_digest":"00"}],"next_after":null}',
        json.dumps({"held": _TWICE, "next_after": None}),
    ],
)
def test_an_answer_that_cannot_be_true(
    run: Run, events: Path, receiver: Serving, answer: str
) -> None:
    """It is no list of what is held; what is told three times is held once."""
    told = "/held"
    with listening(
        lambda heard: (200, {}, answer.encode() if told in heard.path else b"{}")
    ) as liar:
        name = deliver(run, events, liar.url)
        ran = run("journal", "verify", "--target", name, "--json")

    assert ran.code == 3, ran
    assert ran.document["error"]["code"] == "not_told" or ran.document["different_count"] == 1
