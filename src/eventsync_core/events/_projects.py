from eventsync_core.errors import ProjectUnusableError


def require_project(key: str | None) -> None:
    """
    Let only a project pass that an event could name.

    Raises:
        ProjectUnusableError: It holds what cannot be printed.
    """
    if key is not None and not key.isprintable():
        raise ProjectUnusableError
