from tests.cli.conftest import events, home, receiver, run, teamspace

__all__ = ["events", "home", "receiver", "run", "teamspace"]
