"""What may leave: no grant, no delivery."""

from eventsync_core.egress._gates import refuse
from eventsync_core.egress._memory import MemoryGrants
from eventsync_core.egress._model import Grant, GrantAct, GrantVerb, Refusal
from eventsync_core.egress._permit import permit
from eventsync_core.egress._port import Grants
from eventsync_core.egress._rules import (
    change_grant,
    end_grant,
    off_record,
    rest_grant,
    unrecorded,
    verbs_between,
)

__all__ = [
    "Grant",
    "GrantAct",
    "GrantVerb",
    "Grants",
    "MemoryGrants",
    "Refusal",
    "change_grant",
    "end_grant",
    "off_record",
    "permit",
    "refuse",
    "rest_grant",
    "unrecorded",
    "verbs_between",
]
