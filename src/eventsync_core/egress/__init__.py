"""What may leave: no grant, no delivery."""

from eventsync_core.egress._gates import refuse
from eventsync_core.egress._memory import MemoryGrants
from eventsync_core.egress._model import Grant, Refusal
from eventsync_core.egress._permit import permit
from eventsync_core.egress._port import Grants
from eventsync_core.egress._rules import change_grant

__all__ = ["Grant", "Grants", "MemoryGrants", "Refusal", "change_grant", "permit", "refuse"]
