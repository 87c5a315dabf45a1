"""Appends events one by one, and says which position and lamport clock each got."""

import sys
from pathlib import Path

from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import capture


def main(path: Path, name: str, count: int) -> None:
    """Capture *count* events whose ids begin with *name*."""
    with open_stores(path) as stores:
        for number in range(count):
            receipt = capture(stores, f'{{"event_id": "{name}{number}"}}', at=1)
            sys.stdout.write(f"{receipt.position} {stores.journal.next_lamport('default')}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
