"""Capture events one by one and say so only after each capture returned."""

import sys
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import Receipt, capture, capture_many


def main(path: Path, start: int, together: int, count: int) -> None:
    """Capture *count* events, *together* in one unit of work."""
    number = start
    with open_stores(path) as stores:
        while number < start + count:
            texts = [f'{{"event_id": "e{number + n}", "n": {number + n}}}' for n in range(together)]
            if together == 1:
                ids = [capture(stores, texts[0], at=machine.now()).event_id]
            else:
                receipts = capture_many(stores, texts, at=machine.now())
                ids = [receipt.event_id for receipt in receipts if isinstance(receipt, Receipt)]
            sys.stdout.writelines(f"{event_id}\n" for event_id in ids)
            sys.stdout.flush()
            number += together


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:5]))
