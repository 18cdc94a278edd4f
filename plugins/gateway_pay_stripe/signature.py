"""Whether a webhook comes from Stripe (its documentation: "Verify webhook signatures manually").

`Stripe-Signature: t=SECONDS,v1=HEX,v1=HEX`: each v1 is the HMAC-SHA256 of `SECONDS.BODY` under one secret of the
endpoint; there are several for a day after a secret was rolled. Other schemes (v0) prove nothing. The library's own
check reads the clock by itself and lets reports of the future pass, so it is not used.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from gateway.ports.payment import Headers, WebhookRejected

TOLERANCE_MS = 300_000
"""How far from now a report may have been signed; as Stripe's own libraries have it."""

_HEADER = re.compile(rb"t=([0-9]{1,12})((?:,[a-z0-9]{1,10}=[0-9a-zA-Z]{1,128}){1,20})")
_SCHEME = re.compile(rb",v1=([0-9a-f]{64})(?=,|$)")


def check_signature(headers: Headers, body: bytes, secrets: Sequence[bytes], now: int) -> None:
    """Raises `WebhookRejected` unless one of the secrets has signed this body within the tolerance of now."""
    given = [value for name, value in headers if name.lower() == b"stripe-signature"]
    if len(given) != 1:
        raise WebhookRejected("it has no Stripe-Signature" if not given else "it has several Stripe-Signatures")
    found = _HEADER.fullmatch(given[0])
    if found is None:
        raise WebhookRejected("its Stripe-Signature can't be read")
    signed = b"%s.%s" % (found[1], body)
    expected = [hmac.digest(secret, signed, hashlib.sha256).hex().encode() for secret in secrets]
    proofs = _SCHEME.findall(found[2])
    # Every pair is compared, so that the time that it takes tells nothing.
    if not sum(hmac.compare_digest(proof, each) for proof in proofs for each in expected):
        raise WebhookRejected("it is not signed with any of `webhook_secrets`")
    if abs(int(found[1]) * 1_000 - now) > TOLERANCE_MS:
        raise WebhookRejected(
            "it was signed more than five minutes from now: if it comes from Stripe, a clock is wrong"
        )
