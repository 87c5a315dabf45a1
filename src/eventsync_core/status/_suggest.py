"""When it is worth while to remove payloads that everybody has."""

_LEAST_BYTES = 50 * 1024 * 1024


def suggest(size_bytes: int, *, target_count: int, is_all_delivered: bool) -> bool:
    """
    Say whether `sync gc` is worth while: 50 MiB and more are kept, and all of it is delivered.

    To every known target, of which there is at least one.
    """
    return size_bytes >= _LEAST_BYTES and target_count > 0 and is_all_delivered
