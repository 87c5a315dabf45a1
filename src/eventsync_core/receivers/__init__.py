"""How a target is reached: outcomes, gates, limits, and what an answer means."""

from eventsync_core.receivers._answer import Answer, Detail, Next, Verdict
from eventsync_core.receivers._cloudevents import CLOUDEVENTS_BATCH, BodyFormat, cloudevents_body
from eventsync_core.receivers._interpret import interpret
from eventsync_core.receivers._model import Batch, Effect, Gate, Outcome, Permit, plain_body
from eventsync_core.receivers._port import DeliveryReceiver
from eventsync_core.receivers._results import CUT, one_line
from eventsync_core.receivers._script import KEEPING, RequestRule, Script, read_script
from eventsync_core.receivers._stub import StubReceiver
from eventsync_core.receivers._transform import WireTransform, transformed
from eventsync_core.targets import Limits, read_limits

__all__ = [
    "CLOUDEVENTS_BATCH",
    "CUT",
    "KEEPING",
    "Answer",
    "Batch",
    "BodyFormat",
    "DeliveryReceiver",
    "Detail",
    "Effect",
    "Gate",
    "Limits",
    "Next",
    "Outcome",
    "Permit",
    "RequestRule",
    "Script",
    "StubReceiver",
    "Verdict",
    "WireTransform",
    "cloudevents_body",
    "interpret",
    "one_line",
    "plain_body",
    "read_limits",
    "read_script",
    "transformed",
]
