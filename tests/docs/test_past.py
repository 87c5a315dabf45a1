"""The table of what old ledgers say is the rule that counts."""

import re
from pathlib import Path

from eventsync_core.ledger import LedgerEntry
from eventsync_core.legacy import PAST_STATUSES, OldDelivery, PastDelivery, RowKey, settle_past

_CODE = re.compile(r"`([a-z_]+)`")


def _settled(status: str) -> LedgerEntry | None:
    old = OldDelivery(
        key=RowKey("delivery_ledger", 1, b""), event_id="e", alias="t", status=status, attempts=1
    )
    past = PastDelivery(path="", old=old, target_id="t", stream="s", position=1, taken_at=0)
    return settle_past(None, past, is_carried=False)


def test_the_table_says_what_becomes_of_each_word(root: Path) -> None:
    """Each word stands there once, beside what stands in the ledger because of it."""
    text = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    _, _, table = text.partition("<!-- table: past -->\n")
    told = {}
    for line in table.partition("\n\n")[0].splitlines()[2:]:
        _, words, then, *_ = line.split("|")
        first = then.split()[0].rstrip(":")
        told.update(dict.fromkeys(_CODE.findall(words), first))
    meant = {None: "nothing", "success": "the", "duplicate": "the", "terminal_failed": "it"}

    found = {word: _settled(word) for word in PAST_STATUSES}
    assert told == {
        word: meant[None if entry is None or entry.outcome is None else entry.outcome.value]
        for word, entry in found.items()
    }
