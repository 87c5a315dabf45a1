"""Standard Webhooks: the headers that prove who sent a body (https://www.standardwebhooks.com)."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence

from eventsync_core.clock import SECOND
from eventsync_core.errors import SettingsError

_PREFIX = "whsec_"
_ID_DIGITS = 32


def read_signing_key(secret: str, *, source: str) -> bytes:
    """
    Return the key in *secret*, which is `whsec_` and the key as base64.

    Raises:
        SettingsError: It is anything else; code `signing_key_invalid`, naming *source* only.
    """
    text = secret.removeprefix(_PREFIX)
    try:
        # Padding may be missing, as the reference implementations take it.
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if text == secret or not key:
        raise SettingsError(
            f"{source} is no signing key: {_PREFIX} and base64",
            source=source,
            code="signing_key_invalid",
        )
    return key


def signature_headers(
    keys: Sequence[bytes], content: bytes, *, digest: bytes, at: int
) -> dict[str, str]:
    """
    Return the headers that sign *content* with each of *keys*, at the time *at*.

    Equal bytes have the same id: *digest* is the SHA-256 of *content*.
    """
    message, moment = f"msg_{digest.hex()[:_ID_DIGITS]}", str(at // SECOND)
    signed = f"{message}.{moment}.".encode() + content
    made = (b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }
