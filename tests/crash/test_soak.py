"""Many rounds of capturing and draining by several processes that are killed and interrupted."""

import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from eventsync_core.census import Class
from eventsync_core.ledger import read_ranges
from tests.crash.scenes import Held, Home, ended, make_home, receiving
from tests.crash.test_kill import MODES, capture_command, stored_ids

SEED = 20_261_121
ROUNDS = 60
_SIGNALS = (None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL)

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(3_600),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals"),
]


@pytest.fixture
def held() -> Iterator[Held]:
    """Return a receiver that answers at once."""
    with receiving(Held()) as held:
        yield held


def one_round(home: Home, held: Held, rng: random.Random, number: int) -> None:
    """Capture and drain at the same time, and disturb the drains at a chosen request."""
    writer = subprocess.Popen(
        capture_command(home.database, number * 1_000_000, rng.choice((1, 20)), 60),
        stdout=subprocess.PIPE,
        text=True,
    )
    drains = [home.start("sync", "now", "--budget-requests", "20") for _ in range(3)]
    wanted = len(held.requests) + rng.randint(1, 4)
    while len(held.requests) < wanted and any(each.poll() is None for each in drains):
        pass
    for each in drains:
        chosen = rng.choice(_SIGNALS)
        if chosen is not None:
            each.send_signal(chosen)
    for each in drains:
        out, err = each.communicate(timeout=60)
        assert each.returncode in (0, 3, -2, -9, -15), f"round {number}: {out}{err}"
    writer.communicate(timeout=60)
    assert writer.returncode == 0


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_lost_and_nothing_sent_twice_without_cause(
    tmp_path: Path, held: Held, mode: str
) -> None:
    """In the end all arrived, and whatever was sent again had been lost with its sender."""
    rng = random.Random(SEED)
    home = make_home(tmp_path / "home", held.url, mode=mode)
    home.capture([f"old{number}" for number in range(3_000)], size=2_000)
    for number in range(ROUNDS):
        one_round(home, held, rng, number)
        home.classes()

    assert ended(home.start("sync", "now"))[0] == 0

    ids = stored_ids(home.database)
    assert {kept.event_id for kept in held.inbox.received(limit=1_000_000)} == set(ids)
    assert home.classes() == {Class.DELIVERED: len(ids)}
    requests = home.requests()
    carried = Counter(
        position for request in requests for position in read_ranges(request.positions)
    )
    lost = Counter(
        position
        for request in requests
        if request.answer == "lost"
        for position in read_ranges(request.positions)
    )
    again = {position: count - 1 for position, count in carried.items() if count > 1}
    assert {position: lost[position] for position in again} == again, f"seed {SEED}"
