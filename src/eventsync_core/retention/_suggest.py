SUGGESTED_FROM = 50 * 1024 * 1024
"""From how many bytes of payloads on collecting what all targets have is suggested."""


def suggest(*, size_bytes: int, retained: int, targets: int, is_all_delivered: bool) -> bool:
    """
    Say whether collecting is worth being suggested.

    50 MiB and more of payloads are there, at least one target is known, and every event whose
    payload is there (*retained* of them, at least one) was delivered to every known target.
    """
    return size_bytes >= SUGGESTED_FROM and retained > 0 and targets > 0 and is_all_delivered
