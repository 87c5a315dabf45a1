from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from eventsync_adapters import machine
from eventsync_adapters.http import ExternalReceiver, TeamspaceReceiver, Transport
from eventsync_core.ids import Kind
from eventsync_core.receivers import DeliveryReceiver, WireTransform
from eventsync_core.targets import Target

if TYPE_CHECKING:
    from ssl import SSLContext


def _nobody() -> None:
    """Nobody is logged in."""


@contextmanager
def open_receiver(
    target: Target,
    *,
    token: Callable[[], str | None] = _nobody,
    headers: Callable[[], Mapping[str, str]] = dict,
    wire_transform: WireTransform | None = None,
    proxies: Mapping[str, str | None] | None = None,
    verify: "SSLContext | bool" = True,
) -> Iterator[DeliveryReceiver]:
    """
    Return what reaches *target* over HTTP, with its connections, for the length of the block.

    A Teamspace server is sent *token*, an external receiver *headers*; both are asked again for
    each request and kept nowhere. *proxies* maps URL patterns to proxies (None: direct) and
    *verify* says which certificates are trusted: nothing is taken from the environment.
    """
    with Transport(monotonic=machine.monotonic, proxies=proxies or {}, verify=verify) as transport:
        if target.kind is Kind.EXTERNAL:
            yield ExternalReceiver(target, transport, headers, wire_transform=wire_transform)
            return
        yield TeamspaceReceiver(
            target, transport, saas_enabled=True, token=token, wire_transform=wire_transform
        )
