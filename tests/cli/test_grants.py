"""`target grant`, `target revoke` and `target list`: who, why, when, and how many events."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventsync_adapters.server import Serving
from eventsync_adapters.sqlite import open_stores
from eventsync_core.receivers import Script
from eventsync_core.targets import Kind, make_target
from tests.cli.conftest import Run
from tests.effort import examples


@pytest.fixture
def chosen(run: Run, events: Path, receiver: Serving) -> str:
    """Capture twenty events and choose the receiver; return the target's id."""
    run("capture", str(events))
    ran = run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", f"{receiver.url}/in", "--json")
    return str(ran.document["target"]["target_id"])


def listed(run: Run) -> Any:
    """Return what `target list` says of the only target."""
    (target,) = run("target", "list", "--json").document["targets"]
    return target


def test_a_grant_says_who_gave_and_who_ended_it(run: Run, chosen: str) -> None:
    """In JSON and in words; what was done before stays on record."""
    run("target", "revoke", "--by", "ann", "--reason", "left\nthe team")
    (grant,) = listed(run)["grants"]
    assert (grant["live"], grant["actor"], grant["reason"]) == (
        False,
        "cli",
        "chosen on the command line",
    )
    assert (grant["revoked_by"], grant["revoked_reason"]) == ("ann", "left the team")
    assert grant["granted_at"] < grant["revoked_at"]
    text = run("target", "list").out
    assert f"revoked {grant['revoked_at']} by ann (left the team)" in text
    assert f"granted {grant['granted_at']} by cli (chosen on the command line)" in text

    done = run("target", "grant", "--from-now", "--by", "bob", "--reason", "back", "--json")
    assert done.document["grant"] == listed(run)["grants"][0]
    (grant,) = listed(run)["grants"]
    assert (grant["live"], grant["from_position"]) == (True, 20)
    assert (grant["actor"], grant["reason"]) == ("bob", "back")
    assert (grant["revoked_at"], grant["revoked_by"], grant["revoked_reason"]) == (None,) * 3
    run("target", "grant", "--by", "eve", "--reason", "all of it")

    shown = run("target", "show", "--json").document
    assert shown["acts_count"] == len(shown["acts"]) == 4
    assert [(act["act"], act["actor"], act["from_position"]) for act in shown["acts"]] == [
        ("widened", "eve", 0),
        ("granted", "bob", 20),
        ("revoked", "ann", 0),
        ("granted", "cli", 0),
    ]
    text = run("target", "show").out
    assert "Done to grants: 4" in text
    assert "default  widened " in text
    assert "by eve (all of it)  from position 1" in text


def test_without_words_of_its_own_an_act_says_what_happened(run: Run, chosen: str) -> None:
    """Also where the words given are blank."""
    run("target", "revoke", "--by", " ", "--reason", "\n")
    run("target", "grant", "--from-now")
    run("target", "pause")
    run("target", "resume")

    acts = run("target", "show", "--json").document["acts"]

    assert [(act["actor"], act["reason"]) for act in acts] == [
        ("cli", "granted by target grant --from-now"),
        ("cli", "revoked by target revoke"),
        ("cli", "chosen on the command line"),
    ]


def test_a_server_that_refuses_a_project_is_on_record(run: Run, chosen: str, home: Path) -> None:
    """The drain paused the grant; resuming is an act of the command line."""
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        stores.grants.pause(chosen, "default", "not admitted", actor="drain", at=1)
    run("target", "resume")

    acts = run("target", "show", "--json").document["acts"]

    assert [(act["act"], act["actor"], act["reason"]) for act in acts[:2]] == [
        ("resumed", "cli", "resumed by target resume"),
        ("paused", "drain", "not admitted"),
    ]


def test_targets_are_listed_page_by_page(run: Run, home: Path, chosen: str) -> None:
    """Counts are of all; `next_after` leads on, and is null at the end."""
    with open_stores(home / "eventsync" / "eventsync.db") as stores:
        for number in range(4):
            target = make_target(Kind.EXTERNAL, f"https://{number}.example")
            stores.targets.register(target, at=1)
    everything = run("target", "list", "--json").document
    assert (everything["targets_count"], everything["next_after"]) == (5, None)
    ids = [target["target_id"] for target in everything["targets"]]

    found: list[str] = []
    after: tuple[str, ...] = ()
    for size in (2, 2, 1):
        page = run("target", "list", "--limit", "2", *after, "--json").document
        assert (page["targets_count"], len(page["targets"])) == (5, size)
        found += [target["target_id"] for target in page["targets"]]
        after = ("--after", str(page["next_after"]))

    assert found == ids
    assert page["next_after"] is None
    assert f"more: --after {ids[1]}" in run("target", "list", "--limit", "2").err
    unknown = run("target", "list", "--after", "tgt_0", "--json")
    assert (unknown.code, unknown.document["error"]["code"]) == (64, "target_unknown")
    assert run(*unknown.document["error"]["fix"]["argv"][1:]).code == 0


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_a_page_has_one_to_a_thousand_targets(run: Run, limit: str) -> None:
    """Any other number is a wrong usage."""
    assert run("target", "list", "--limit", limit).code == 64


_STEP = st.one_of(
    st.tuples(st.just("capture"), st.integers(1, 4), st.booleans()),
    st.tuples(st.just("sync"), st.sets(st.integers(1, 12), max_size=4)),
    st.tuples(st.just("hold"), st.integers(1, 12)),
    st.tuples(st.just("release"), st.integers(1, 12)),
    st.tuples(st.just("grant"), st.booleans(), st.booleans()),
    st.tuples(st.just("revoke"), st.booleans()),
)
_PROJECTS: dict[bool, tuple[str, ...]] = {True: ("--project", "p"), False: ()}


def prepare(run: Run, home: Path, receiver: Serving, steps: list[tuple[Any, ...]]) -> None:
    """Bring the home at *home* into some state."""
    captured = 0

    def act(*words: str) -> None:
        run("--home", str(home), *words)

    for step in steps:
        match step:
            case ("capture", count, is_other):
                path = home.parent / "events.jsonl"
                ids = [f"{home.parent.name}-{captured + n}" for n in range(1, count + 1)]
                path.write_text("\n".join(json.dumps({"event_id": each}) for each in ids))
                act("capture", str(path), *_PROJECTS[is_other])
                captured += count
            case ("sync", numbers):
                rejected = {f"{home.parent.name}-{n}": {"status": "rejected"} for n in numbers}
                receiver.set_script(Script(events=rejected))
                act("sync", "now")
            case (("hold" | "release") as verb, number):
                act("journal", verb, f"{home.parent.name}-{number}")
            case ("grant", is_other, from_now):
                act("target", "grant", *_PROJECTS[is_other], *["--from-now"][: int(from_now)])
            case ("revoke", is_other):
                act("target", "revoke", *_PROJECTS[is_other])


@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(_STEP, max_size=10),
    is_registered=st.booleans(),
    is_other=st.booleans(),
    from_now=st.booleans(),
)
def test_what_is_previewed_is_what_happens(
    run: Run,
    receiver: Serving,
    steps: list[tuple[Any, ...]],
    *,
    is_registered: bool,
    is_other: bool,
    from_now: bool,
) -> None:
    """The preview, the grant and the next delivery name the same number; so does a revocation."""
    with TemporaryDirectory() as folder:
        home = Path(folder) / "home"

        def act(*words: str) -> Any:
            return run("--home", str(home), "--json", *words).document

        if is_registered:
            act("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url, "--from-now")
        else:
            home.mkdir()
            (home / "config.toml").write_text(
                f'[event_sync]\nmode="external_receiver"\nexternal_endpoint="{receiver.url}"\n'
            )
        prepare(run, home, receiver, steps)
        receiver.set_script(Script())
        words = (*_PROJECTS[is_other], *["--from-now"][: int(from_now)])

        previewed = act("target", "grant", *words, "--dry-run")
        granted = act("target", "grant", *words)

        names = ("target", "stream", "will_send", "owed_now")
        assert [previewed[name] for name in names] == [granted[name] for name in names]
        for name in ("from_position", "live", "actor", "reason"):
            assert previewed["grant"][name] == granted["grant"][name]
        (target,) = act("sync", "status")["targets"]
        assert target["remaining_owed"] == granted["will_send"]
        act("sync", "retry")
        ended = [
            act("target", "revoke", *_PROJECTS[is_other], *dry) for dry in (("--dry-run",), ())
        ]
        assert {**ended[0], "dry_run": False} == ended[1]
        assert ended[1]["was_granted"] is True
        (target,) = act("sync", "status")["targets"]
        assert target["remaining_owed"] == granted["will_send"] - ended[1]["will_not_send"]
        act("target", "grant", *_PROJECTS[is_other], "--from-now")
        again = act("target", "grant", *words)["will_send"]
        assert act("sync", "now")["counts"]["selected"] == again
        if not from_now:
            assert again == granted["will_send"]
