"""How old programs named the queue of a server, user and team (upstream file names)."""

from hashlib import sha256


def scope_of(server: str, user: str, team: str) -> str:
    """Return the scope string: each part in lower case, the server without its last slashes."""
    parts = (server.strip().lower().rstrip("/"), user.strip().lower(), team.strip().lower())
    return "|".join(parts)


def escaped(text: str) -> str:
    """Return *text* in ASCII: every other character as its code in hex."""
    return "".join(char if char.isascii() else f"_u{ord(char):04x}_" for char in text)


def queue_digest(scope: str) -> str:
    """Return the 16 hex digits that stand for *scope* in the name of an old queue's file."""
    return sha256(scope.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def queue_path(home: str, scope: str) -> str:
    """Return where the old queue of *scope* is, or would be, below *home*."""
    is_windows = home[1:3] == ":\\" or home.startswith("\\\\")
    separator = "\\" if is_windows else "/"
    name = f"queue-{queue_digest(scope)}.db"
    return separator.join((home.rstrip(separator), "queues", name))
