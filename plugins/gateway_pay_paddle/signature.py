"""The signature of a notification ("Verify webhook signatures")."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from gateway.ports.payment import Headers, WebhookRejected

_INSTANT_LIMIT = 15


def check(headers: Headers, body: bytes, secrets: Sequence[bytes], now: int, tolerance_ms: int) -> None:
    """That Paddle has sent this: `ts=SECONDS;h1=HEX`, the HMAC-SHA256 of `SECONDS:body`. While secrets are changed
    there are several `h1`. Raises `WebhookRejected`."""
    given = [value for name, value in headers if name.lower() == b"paddle-signature"]
    if len(given) != 1:
        raise WebhookRejected("it needs one Paddle-Signature")
    parts = [part.partition(b"=") for part in given[0].split(b";")]
    instants = [value for name, _, value in parts if name == b"ts"]
    signatures = [value for name, _, value in parts if name == b"h1"]
    if len(instants) != 1 or not instants[0].isdigit() or len(instants[0]) > _INSTANT_LIMIT:
        raise WebhookRejected("its Paddle-Signature has no instant")
    signed = instants[0] + b":" + body
    expected = [hmac.digest(secret, signed, hashlib.sha256).hex().encode() for secret in secrets]
    if not any([hmac.compare_digest(one, each) for one in signatures for each in expected]):
        raise WebhookRejected("it is not signed with a secret of this destination")
    if abs(now - int(instants[0]) * 1000) > tolerance_ms:
        raise WebhookRejected("its signature is too old, or of the future: see that the clock is right")
