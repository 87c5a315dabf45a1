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


def _nothing() -> None:
    """Nobody is logged in; nothing is held."""


@contextmanager
def open_receiver(
    target: Target,
    *,
    token: Callable[[], str | None] = _nothing,
    saas_enabled: bool = True,
    headers: Callable[[], Mapping[str, str]] = dict,
    forget: Callable[[], None] = _nothing,
    wire_transform: WireTransform | None = None,
    proxies: Mapping[str, str | None] | None = None,
    verify: "SSLContext | bool" = True,
) -> Iterator[DeliveryReceiver]:
    """
    Return what reaches *target* over HTTP, with its connections, for the length of the block.

    A Teamspace server is sent *token*, and nothing unless *saas_enabled*; an external receiver
    *headers*. Both are asked again for each request and kept nowhere; where one raises, nothing is
    sent. *forget* is called when an answer turns them away. *proxies* maps URL patterns to
    proxies (None: direct) and *verify* says which certificates are trusted: nothing is taken from
    the environment.

    Raises:
        TargetUrlError: A Teamspace server on another machine, not reached by https://.
    """
    with Transport(monotonic=machine.monotonic, proxies=proxies or {}, verify=verify) as transport:
        if target.kind is Kind.EXTERNAL:
            yield ExternalReceiver(
                target, transport, headers, forget=forget, wire_transform=wire_transform
            )
            return
        yield TeamspaceReceiver(
            target,
            transport,
            saas_enabled=saas_enabled,
            token=token,
            forget=forget,
            wire_transform=wire_transform,
        )
