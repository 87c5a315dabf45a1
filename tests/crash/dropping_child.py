"""Drop events under OPT_OUT and say so only after each call returned."""

import sys
from pathlib import Path

from eventsync_adapters import machine
from eventsync_adapters.sqlite import open_stores
from eventsync_core.capture import CaptureRules, Receipt, capture_many
from eventsync_core.policy import Mode, OnDiscard


def main(path: Path, start: int, together: int) -> None:
    """Drop events without end, *together* in one unit of work."""
    rules = CaptureRules(mode=Mode.OPT_OUT, on_discard=OnDiscard.AUDIT)
    number = start
    with open_stores(path) as stores:
        while True:
            texts = [f'{{"event_id": "e{number + n}"}}' for n in range(together)]
            receipts = capture_many(stores, texts, at=machine.now(), rules=rules)
            ids = [receipt.event_id for receipt in receipts if isinstance(receipt, Receipt)]
            sys.stdout.writelines(f"{event_id}\n" for event_id in ids)
            sys.stdout.flush()
            number += together


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:4]))
