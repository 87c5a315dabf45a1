"""Several processes on one home at once: nobody waits in vain, nothing is lost or doubled."""

import json
import subprocess
from pathlib import Path

import pytest

from eventsync_adapters import machine
from eventsync_adapters.server import serve
from eventsync_adapters.sqlite import open_stores
from eventsync_core.targets import Kind, make_target
from tests.crash.test_kill import (
    capture_command,
    delivered_ids,
    drain_command,
    prepare,
    stored_ids,
)

EVENTS = 600


@pytest.mark.parametrize("mode", ["truncate", pytest.param("wal", marks=pytest.mark.long)])
def test_two_capture_while_one_drains(tmp_path: Path, mode: str) -> None:
    """Positions have no gap and no double, all arrives once, and no lock is shown to anyone."""
    home = tmp_path / "home"
    path = home / "eventsync" / "eventsync.db"
    prepare(path, mode)
    with serve(None, clock=machine.now) as serving:
        serving.start()
        url = f"{serving.url}/events"
        (home / "config.toml").write_text(
            f'[event_sync]\nmode = "external_receiver"\nexternal_endpoint = "{url}"\n'
        )
        with open_stores(path) as stores:
            target = stores.targets.register(make_target(Kind.EXTERNAL, url), at=1)
            stores.grants.grant(
                target.target_id, "default", from_position=0, actor="t", reason="", at=1
            )
        writers = []
        for start, together in ((0, 1), (1_000_000, 3)):
            writers += [
                subprocess.Popen(
                    capture_command(path, start, together, EVENTS),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            ]
        talk = []
        while True:
            running = any(writer.poll() is None for writer in writers)
            done = subprocess.run(drain_command(home), capture_output=True, text=True, check=False)
            talk.append(done.stdout + done.stderr)
            assert done.returncode in (0, 3), talk[-1]
            if not running:
                break
        for writer in writers:
            out, err = writer.communicate()
            talk.append(out + err)
            assert writer.returncode == 0, talk[-1]

        assert json.loads(done.stdout)["remaining_owed"] == 0
        assert serving.inbox.count() == 2 * EVENTS
        assert not [text for text in talk if "locked" in text or "busy" in text.lower()]
    assert len(set(stored_ids(path))) == 2 * EVENTS
    assert len(delivered_ids(path, target.target_id)) == 2 * EVENTS
