"""Held results offered by the HTTP authentication scheme "Payment" (Machine Payments Protocol), method `evm`.

Only where a held result is asked for: there, nothing has to be made before it can be paid for, and what is paid for is
known. What is paid is the very authorization that x402 settles, so everything behind it is the same.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import urlsplit

from gateway.core.header import Headers
from gateway.core.money import TOKEN_DIGITS
from gateway.core.rule import Rule
from gateway.core.subject import Subject
from gateway.payments.settling import Stand, Verdict
from gateway.payments.signed import Signed
from gateway.payments.terms import Terms
from gateway.payments.tickets import Ticket
from gateway.protocols import payment_scheme as scheme
from gateway.protocols import x402
from gateway.protocols.encoding import Malformed
from gateway.web.runtime import Runtime

_HEADERS = (scheme.OWN_HEADER, b"authorization")
_TICKET = "ticket"


class Challenges:
    """Challenges and credentials of one config."""

    def __init__(self, runtime: Runtime, terms: Terms) -> None:
        self._runtime, self._terms = runtime, terms
        self._key = runtime.keyring.key("payment challenges")
        names = {name.strip().lower() for name in runtime.identities.vary.split(",")}
        self._own_header = scheme.OWN_HEADER.decode().title() if "authorization" in names else ""
        """Where `authorization` says who somebody is, a payment comes beside it."""

    def offered(self, subject: Subject, rule: Rule, hold: str, resource: str) -> Headers:
        """The challenge for a held result; none where it is not sold so."""
        request = self._request(rule)
        if not request:
            return []
        challenge = scheme.Challenge(
            realm=urlsplit(resource).netloc or "paywall",
            request=request,
            expires=_instant(self._runtime.now() // 1000 + self._terms.valid_seconds),
            opaque=scheme.packed({_TICKET: self._runtime.tickets.make(subject.key, hold)}),
            header=self._own_header,
        )
        return [(b"www-authenticate", challenge.header_value(self._key, "One held result"))]

    def read(self, headers: Headers) -> scheme.Credential | None:
        """The credential that a request brings; None where it brings none. Raises `Malformed`, also where its challenge
        was not given out here."""
        prefix = scheme.SCHEME.lower().encode() + b" "
        values = [value for name, value in headers if name in _HEADERS and value.lower().startswith(prefix)]
        if not values:
            return None
        credential = scheme.read_credential(values[0])
        if not credential.is_ours(self._key):
            raise Malformed("answers a challenge that was not given out here")
        return credential

    def ticket(self, credential: scheme.Credential) -> Ticket | None:
        """Whose result it is for."""
        found = credential.opaque().get(_TICKET)
        return self._runtime.tickets.read(found) if isinstance(found, str) else None

    def beside(self, credential: scheme.Credential, rule: Rule) -> Signed | Verdict:
        """The payment beside what a result of this route costs; a verdict where it can't pay for it. Raises
        `Malformed`."""
        wanted = self._terms.requirements(rule.name, "")
        if wanted is None or credential.challenge.request != self._request(rule):
            return Verdict(Stand.INVALID, "what it was asked for is no longer the price")
        if credential.challenge.expires <= _instant(self._runtime.now() // 1000):
            return Verdict(Stand.INVALID, "its challenge has expired")
        payload = scheme.x402_payload(credential)
        payment = x402.payment_of({"x402Version": x402.VERSION, "accepted": wanted.members(), "payload": payload})
        return Signed(payment, wanted, hashlib.sha256(f"payment {credential.id}".encode()).hexdigest()[:32])

    def receipt(self, verdict: Verdict) -> Headers:
        """What is said of the settlement beside the result."""
        if verdict.stand is not Stand.SETTLED or verdict.attempt is None:
            return []
        now = _instant(self._runtime.now() // 1000)
        return [(b"payment-receipt", scheme.receipt(verdict.attempt.transaction, now))]

    def _request(self, rule: Rule) -> str:
        wanted = self._terms.requirements(rule.name, "")
        if wanted is None:
            return ""
        chain_id = int(wanted.network.partition(":")[2])
        return scheme.charge(wanted.amount, wanted.asset, wanted.pay_to, chain_id, TOKEN_DIGITS)


def _instant(seconds: int) -> str:
    """RFC 3339, to the second: texts that sort as the instants do."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
