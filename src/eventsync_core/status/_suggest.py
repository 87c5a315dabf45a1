"""When it is worth while to remove payloads that everybody has."""

_LEAST_BYTES = 50 * 1024 * 1024


def suggest(*, size_bytes: int, retained: int, targets: int, is_all_delivered: bool) -> bool:
    """
    Say whether `sync gc` is worth while: 50 MiB and more are kept, and all of it is delivered.

    That is *retained* events, at least one, to every known target, of which there is one.
    """
    return size_bytes >= _LEAST_BYTES and retained > 0 and targets > 0 and is_all_delivered
