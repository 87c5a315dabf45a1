"""The whole of `sync status`, without what starts and prints it."""

from eventsync_adapters import machine
from eventsync_adapters.sqlite import SqliteStores
from eventsync_core.authority import Claims, resolve
from eventsync_core.policy import Mode
from eventsync_core.status import Foreground, Setting, as_document, check, collect
from eventsync_core.targets import Target


def look(stores: SqliteStores, current: Target) -> None:
    """Collect, check and write down how everything stands."""
    setting = Setting(
        mode=Mode.EXTERNAL_RECEIVER,
        authority=resolve(Claims(), home="/home"),
        foreground=Foreground(package_version="1", executable_path="", source_path="", pid=1),
        database_path="",
        current=current,
    )
    status = collect(stores, setting, at=machine.now())
    document = as_document(status, check(status), exit_code=0)
    assert all(target["coherent"] for target in document["targets"])
