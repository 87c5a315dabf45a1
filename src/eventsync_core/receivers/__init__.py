"""How a target is reached: outcomes, gates, limits, and what an answer means."""

from eventsync_core.receivers._answer import Answer, Detail, Next, Verdict
from eventsync_core.receivers._cloudevents import CLOUDEVENTS_BATCH, BodyFormat, cloudevents_body
from eventsync_core.receivers._interpret import interpret
from eventsync_core.receivers._model import Batch, Effect, Gate, Outcome, Permit, plain_body
from eventsync_core.receivers._port import DeliveryReceiver
from eventsync_core.receivers._retry import read_wait
from eventsync_core.receivers._script import KEEPING, RequestRule, Script, read_script
from eventsync_core.receivers._stub import StubReceiver
from eventsync_core.receivers._transform import WireTransform, transformed

__all__ = [
    "CLOUDEVENTS_BATCH",
    "KEEPING",
    "Answer",
    "Batch",
    "BodyFormat",
    "DeliveryReceiver",
    "Detail",
    "Effect",
    "Gate",
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
    "plain_body",
    "read_script",
    "read_wait",
    "transformed",
]
