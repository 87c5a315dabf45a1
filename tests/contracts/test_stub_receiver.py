"""The stub receiver keeps every promise of `DeliveryReceiver`."""

import pytest

from eventsync_core.receivers import StubReceiver
from eventsync_core.testing import ReceiverContract, make_stub_target


@pytest.fixture
def receiver():
    """Return a receiver that was told nothing."""
    return StubReceiver(make_stub_target().target_id)


@pytest.fixture
def script(receiver):
    """Return what the receiver obeys."""
    return receiver.script


@pytest.fixture
def arrived(receiver):
    """Return what tells the requests that arrived."""
    return lambda: receiver.requests


class TestStubReceiver(ReceiverContract):
    """It answers in memory."""
