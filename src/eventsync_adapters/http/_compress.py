import gzip
from collections.abc import Callable
from importlib import import_module


def compress(body: bytes) -> bytes:
    """Return *body* as gzip, fast rather than small; equal bodies give equal bytes."""
    return _FASTEST(body, compresslevel=1, mtime=0)


def _fastest() -> Callable[..., bytes]:
    try:
        found: Callable[..., bytes] = import_module("isal.igzip").compress
    except ImportError:
        return gzip.compress
    return found


_FASTEST = _fastest()
