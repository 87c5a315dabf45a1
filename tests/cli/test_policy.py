"""What is kept, what is dropped and what is told, by mode and family."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eventsync_adapters.server import Serving
from eventsync_core.policy import Mode
from tests.cli.conftest import Ran, Run

TYPES = {
    "bound": "WPCreated",
    "local": "MissionReopened",
    "beat": "BuildHeartbeat",
    "mine": "Mine",
}
FOUR = ", ".join(sorted(Mode))
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes an events file: one event of each type, or of those named."""

    def make(*event_ids: str, **more: str) -> Path:
        types = {event_id: TYPES[event_id] for event_id in event_ids or TYPES} | more
        lines = [{"event_id": name, "event_type": word} for name, word in types.items()]
        path = tmp_path / "typed.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return path

    return make


def _capture(run: Run, path: Path) -> tuple[int, dict[str, int]]:
    ran = run("capture", str(path), "--json")
    names = ("stored", "held", "discarded", "duplicates", "refused_count", "conflicts_count")
    return ran.code, {name: ran.document[name] for name in names if ran.document[name]}


def _listed(run: Run) -> list[Any]:
    return [entry["event_id"] for entry in run("journal", "list", "--json").document["entries"]]


def _audited(run: Run) -> list[Any]:
    document = run("audit", "list", "--json").document
    assert document["audit_count"] == len(document["audit"])
    return [row["event_id"] for row in document["audit"]]


def _config(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(text)


@pytest.mark.requirement("F1")
@pytest.mark.parametrize("mode", [mode.value for mode in Mode])
def test_each_mode_keeps_and_sends_as_its_name_says(
    run: Run, home: Path, write: Write, receiver: Serving, mode: str
) -> None:
    """One keeps nothing, two deliver; what is local only goes nowhere."""
    _config(
        home,
        f'[event_sync]\nmode = "{mode.lower()}"\nexternal_endpoint = "{receiver.url}"\n'
        f'[sync]\nserver_url = "{receiver.url}"\nteam = "t"\n',
    )
    keeps = mode != "OPT_OUT"

    assert _capture(run, write())[1].get("stored", 0) == (4 if keeps else 0)
    run("target", "grant")
    run("sync", "now")

    assert _listed(run) == (list(TYPES) if keeps else [])
    sent = ["bound", "beat", "mine"] if mode == "EXTERNAL_RECEIVER" else []
    assert receiver.inbox.count() == len(sent)


@pytest.mark.requirement("F2")
@pytest.mark.parametrize("name", ["trash", "TRASH", "opt-out", "Opt_Out", "OPT_OUT"])
def test_a_mode_is_named_in_any_case(run: Run, home: Path, name: str) -> None:
    """With hyphen or underscore, on the command line and in the file; trash is opt-out."""
    assert run("sync", "mode", name, "--json").document["mode"] == "OPT_OUT"
    assert run("sync", "mode", "--json").document["mode"] == "OPT_OUT"

    _config(home, f'[event_sync]\nmode = "{name}"\n')
    assert run("sync", "mode", "--json").document["mode"] == "OPT_OUT"


@pytest.mark.requirement("F3")
def test_an_unknown_mode_is_a_mistake_on_the_command_line(run: Run, home: Path) -> None:
    """The error lists the four, and nothing is written."""
    ran = run("sync", "mode", "OPTOUT", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (64, "mode_unknown")
    assert FOUR in ran.document["error"]["message"]
    assert FOUR in run("sync", "mode", "OPTOUT").err
    assert not home.exists()


@pytest.mark.requirement("F3")
def test_an_unknown_mode_in_the_file_keeps_and_sends_nothing(
    run: Run, home: Path, write: Write, receiver: Serving
) -> None:
    """Every command names it with the four; capture stores, and nothing is dropped or sent."""
    _config(home, f'[event_sync]\nmode = "optout"\nexternal_endpoint = "{receiver.url}"\n')

    assert _capture(run, write()) == (0, {"stored": 4, "held": 1})

    words: tuple[tuple[str, ...], ...] = (
        ("capture", str(write())),
        ("sync", "now"),
        ("sync", "mode"),
        ("journal", "list"),
        ("family", "list"),
        ("audit", "list"),
    )
    for command in words:
        assert FOUR in run(*command).err, command
    assert run("sync", "now").code == 4
    assert run("sync", "mode", "--json").document["mode"] == "LOCAL_RETENTION"
    assert receiver.inbox.count() == 0
    assert len(_listed(run)) == 4


@pytest.mark.requirement("F4")
def test_an_external_receiver_needs_an_endpoint(run: Run, home: Path) -> None:
    """Nothing is written without one."""
    ran = run("sync", "mode", "EXTERNAL_RECEIVER", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (64, "endpoint_missing")
    assert "requires an operator endpoint URL" in ran.document["error"]["message"]
    assert not home.exists()


@pytest.mark.requirement("F5")
def test_local_retention_keeps_and_posts_nothing(run: Run, write: Write, receiver: Serving) -> None:
    """Also where a target was granted the stream before."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "mode", "LOCAL_RETENTION")

    assert _capture(run, write()) == (0, {"stored": 4, "held": 1})

    assert run("sync", "now").code == 0
    assert receiver.inbox.count() == 0
    assert _listed(run) == list(TYPES)


@pytest.mark.requirement("F6")
@pytest.mark.parametrize("on_discard", ["refuse", "audit"])
def test_opt_out_neither_keeps_nor_posts_what_is_local(
    run: Run, write: Write, receiver: Serving, on_discard: str
) -> None:
    """Nor what may be dropped; it is counted and leaves no trace."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("sync", "mode", "OPT_OUT", "--on-discard", on_discard)

    assert _capture(run, write("local", "beat")) == (0, {"discarded": 2})

    assert "discarded 2" in run("capture", str(write("local", "beat"))).out
    assert run("sync", "now").code == 0
    assert receiver.inbox.count() == 0
    assert (_listed(run), _audited(run)) == ([], [])


@pytest.mark.requirement("F7")
@pytest.mark.requirement("F8")
@pytest.mark.parametrize(("event_id", "family"), [("bound", "target_bound"), ("mine", "unknown")])
def test_opt_out_refuses_what_may_be_bound_for_a_target(
    run: Run, write: Write, event_id: str, family: str
) -> None:
    """With the reason; the fix it names lets it be stored."""
    run("sync", "mode", "OPT_OUT")

    ran = run("capture", str(write(event_id, "beat")), "--json")

    assert (ran.code, ran.document["discarded"], ran.document["refused_count"]) == (4, 1, 1)
    (item,) = ran.document["refused"]
    assert (item["code"], item["event_id"]) == ("discard_refused", event_id)
    assert family in item["message"]
    assert ran.document["error"]["code"] == "discard_refused"
    assert (_listed(run), _audited(run)) == ([], [])
    assert run(*ran.document["error"]["fix"]["argv"][1:]).code == 0
    assert _capture(run, write(event_id, "beat")) == (0, {"stored": 2})


@pytest.mark.requirement("F7")
@pytest.mark.requirement("F8")
def test_opt_out_with_an_audit_drops_on_record(run: Run, write: Write) -> None:
    """Everything is dropped; what may be bound for a target is listed, without its text."""
    chosen = run("sync", "mode", "OPT_OUT", "--on-discard", "audit", "--json").document
    assert (chosen["mode"], chosen["on_discard"]) == ("OPT_OUT", "audit")

    assert _capture(run, write()) == (0, {"discarded": 4})

    bound, mine = run("audit", "list", "--json").document["audit"]
    assert bound.keys() == {
        "number",
        "event_id",
        "event_type",
        "family",
        "stream",
        "reason",
        "digest",
        "at",
    }
    assert (bound["number"], bound["event_id"], bound["event_type"]) == (1, "bound", "WPCreated")
    assert (bound["family"], mine["family"]) == ("target_bound", "unknown")
    assert (bound["stream"], bound["reason"]) == ("default", "mode OPT_OUT keeps nothing")
    assert len(bound["digest"]) == 64
    text = run("audit", "list").out
    assert [line.split()[3] for line in text.splitlines()] == ["bound", "mine"]
    assert _listed(run) == []


def test_opt_out_leaves_what_is_kept(run: Run, write: Write) -> None:
    """A known event is a duplicate, another under its id a conflict; the audit has neither."""
    run("capture", str(write("bound")))
    run("sync", "mode", "OPT_OUT", "--on-discard", "audit")

    assert _capture(run, write("bound", "mine")) == (0, {"discarded": 1, "duplicates": 1})
    assert _capture(run, write(bound="Other")) == (
        3,
        {"discarded": 3, "conflicts_count": 1},
    )
    assert _listed(run) == ["bound"]
    assert "bound" not in _audited(run)


def test_a_choice_of_opt_out_stands_until_another(run: Run, home: Path) -> None:
    """It says what becomes of events, and without the option keeps what was chosen before."""
    assert "all else is refused" in run("sync", "mode", "OPT_OUT").out
    assert run("sync", "mode", "--json").document["on_discard"] == "refuse"
    assert "on record" in run("sync", "mode", "OPT_OUT", "--on-discard", "audit").out
    run("sync", "mode", "LOCAL_RETENTION")
    assert "on record" in run("sync", "mode", "OPT_OUT").out
    assert "audit" in run("sync", "mode").out
    assert "all else is refused" in run("sync", "mode", "OPT_OUT", "--on-discard", "refuse").out

    _config(home, '[event_sync]\nmode = "opt_out"\non_discard = "shred"\n')
    assert run("sync", "mode", "OPT_OUT", "--on-discard", "audit").err == ""
    assert run("sync", "mode", "--json").document["on_discard"] == "audit"


@pytest.mark.parametrize(
    "words",
    [
        ("LOCAL_RETENTION", "--on-discard", "audit"),
        ("EXTERNAL_RECEIVER", "--endpoint", "http://127.0.0.1:1/", "--on-discard", "audit"),
        ("--on-discard", "audit"),
        ("OPT_OUT", "--on-discard", "shred"),
    ],
)
def test_on_discard_goes_with_opt_out_only(run: Run, home: Path, words: tuple[str, ...]) -> None:
    """Anything else is a mistake, and writes nothing."""
    assert run("sync", "mode", *words).code == 64
    assert not home.exists()


def test_the_families_are_those_of_the_file(
    run: Run, home: Path, write: Write, receiver: Serving
) -> None:
    """What it names wins over what is built in, in capture and in the list."""
    _config(
        home,
        '[families]\nMine = "local_only"\nMissionReopened = "target_bound"\nNew = "discardable"\n',
    )
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)

    assert _capture(run, write()) == (0, {"stored": 4, "held": 1})
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 3

    document = run("family", "list", "--json").document
    found = {item["event_type"]: item for item in document["families"]}
    assert document["families_count"] == len(found)
    assert document["otherwise"] == "unknown"
    source = "config.toml [families]"
    assert found["Mine"] == {
        "event_type": "Mine",
        "family": "local_only",
        "source": "config.toml [families]",
    }
    assert found["MissionReopened"]["source"] == source
    assert found["WPCreated"]["family"] == "target_bound"
    assert found["WPCreated"]["source"] == "built_in"
    text = run("family", "list").out
    assert "config.toml" in text
    assert "any other type" in text


@pytest.mark.requirement("F8")
def test_what_is_local_only_is_listed_and_counted_by_itself(
    run: Run, write: Write, receiver: Serving
) -> None:
    """It is offered to nobody until an operator names it, or what holds it."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    run("capture", str(write(second="FollowUpRecorded")))

    now = run("sync", "now", "--json")
    assert (now.code, now.document["counts"]["delivered"]) == (0, 3)
    assert _left(run) == ({"delivered": 3, "local_only": 2}, 0)
    held = {
        entry["event_id"]: entry["hold"]
        for entry in run("journal", "list", "--json").document["entries"]
        if entry["hold"]
    }
    assert held == {"local": "local_only", "second": "local_only"}

    for hold in ("operator", "invalid"):
        done = run("journal", "release", "--hold", hold, "--json").document
        assert done["released"] == 0
    run("sync", "now")
    assert receiver.inbox.count() == 3

    assert run("journal", "release", "local", "--json").document["released"] == 1
    run("sync", "now")
    assert receiver.inbox.count() == 4
    assert run("journal", "release", "--hold", "local_only", "--json").document["released"] == 1
    run("sync", "now")
    assert receiver.inbox.count() == 5
    assert run("sync", "status", "--check").code == 0


def _left(run: Run) -> tuple[dict[str, int], int]:
    (target,) = run("sync", "status", "--json").document["targets"]
    (stream,) = target["streams"]
    assert stream["coherent"]
    classes = {name: count for name, count in stream["classes"].items() if count}
    return classes, target["remaining_owed"]


def test_a_family_that_is_not_understood_lets_nothing_go(
    run: Run, home: Path, write: Write, receiver: Serving
) -> None:
    """Its events wait as local ones, the file is named, and nothing is sent until it is mended."""
    run("sync", "mode", "EXTERNAL_RECEIVER", "--endpoint", receiver.url)
    good = (home / "config.toml").read_text()
    _config(home, good + '[families]\nMine = "local-only"\n')

    ran = run("capture", str(write("mine", "bound")), "--json")
    assert (ran.code, ran.document["stored"], ran.document["held"]) == (0, 2, 1)
    assert "'Mine'" in ran.err
    assert "config.toml" in run("family", "list").err
    assert run("sync", "now").code == 4

    _config(home, good + '[families]\nMine = "target_bound"\n')
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1
    run("journal", "release", "mine")
    assert run("sync", "now", "--json").document["counts"]["delivered"] == 1


def test_the_audit_is_read_page_by_page(run: Run, write: Write) -> None:
    """By number; the count is of all."""
    run("sync", "mode", "OPT_OUT", "--on-discard", "audit")
    for _ in range(3):
        run("capture", str(write("bound", "mine")))

    numbers: list[int] = []
    after: int | None = 0
    while after is not None:
        ran = run("audit", "list", "--limit", "4", "--after", str(after), "--json")
        document = ran.document
        assert document["audit_count"] == 6
        numbers += [row["number"] for row in document["audit"]]
        after = document["next_after"]
        assert ("more: --after 4" in ran.err) is (after is not None)

    assert numbers == [1, 2, 3, 4, 5, 6]
    assert run("audit", "list", "--after", "6").out == "nothing after that; rows: 6\n"


@pytest.mark.parametrize(
    "words",
    [("--limit", "0"), ("--limit", "1001"), ("--after", "-1"), ("--after", "x"), ("more",)],
)
def test_a_page_that_cannot_be(run: Run, words: tuple[str, ...]) -> None:
    """It is a mistake on the command line."""
    assert run("audit", "list", *words).code == 64


@pytest.mark.parametrize("group", ["audit", "family"])
def test_a_fresh_home_stays_as_it_is(run: Run, home: Path, group: str) -> None:
    """Looking makes no file."""
    ran: Ran = run(group, "list", "--json")

    assert ran.code == 0
    assert ran.document.get("audit_count", 0) == 0
    assert not home.exists()
    assert run("audit", "list").out == "nothing is on record\n"


def test_a_store_that_cannot_be_read(run: Run, home: Path) -> None:
    """The audit is then not called empty."""
    (home / "eventsync").mkdir(parents=True)
    (home / "eventsync" / "eventsync.db").write_bytes(b"not a database" * 1_000)

    ran = run("audit", "list", "--json")

    assert (ran.code, ran.document["error"]["code"]) == (5, "store_unreadable")
