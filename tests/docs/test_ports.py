"""docs/embedding.md lists every port of a store."""

import re
from pathlib import Path

from eventsync_core.stores import Stores

_PAGE = Path(__file__).parents[2] / "docs" / "embedding.md"
_ROW = re.compile(r"^\| (`stores\.\w+`(?:, `stores\.\w+`)*) \|", re.MULTILINE)
_NOT_PORTS = {"is_durable", "is_in_unit"}


def test_every_port_is_listed() -> None:
    """None that there is not."""
    listed = re.findall(r"stores\.(\w+)", " ".join(_ROW.findall(_PAGE.read_text("utf-8"))))
    ports = {name for name, each in vars(Stores).items() if isinstance(each, property)}

    assert sorted(listed) == sorted(ports - _NOT_PORTS)
