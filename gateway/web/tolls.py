"""Held results offered over the Lightning network, by L402: only where a held result is asked for.

The token that comes with an invoice names whose result it opens, so whoever brings it back with the preimage need not
sign in: the credential takes the place of `authorization`.
"""

from __future__ import annotations

from gateway.core.header import Headers
from gateway.core.rule import Rule
from gateway.core.subject import Subject
from gateway.payments.lightning import LightningPayments
from gateway.payments.tickets import Ticket
from gateway.ports.clearing import ClearingUnavailable
from gateway.protocols import l402
from gateway.web.runtime import Runtime


class Tolls:
    """Challenges and credentials of one config."""

    def __init__(self, runtime: Runtime, lightning: LightningPayments) -> None:
        self._runtime, self._lightning = runtime, lightning

    async def offered(self, subject: Subject, rule: Rule, hold: str) -> Headers:
        """The challenge for a held result; none where it is not sold so, or nobody makes an invoice at the moment: it
        can be paid for in other ways."""
        ticket = self._runtime.tickets.make(subject.key, hold)
        try:
            billed = await self._lightning.bill(rule.name, ticket, f"One result of {self._runtime.site.name}"[:100])
            lines = l402.challenge(billed.token, billed.invoice.request) if billed is not None else []
        except (ClearingUnavailable, ValueError) as error:
            self._runtime.log(f"lightning: held results are offered without an invoice: {error}")
            return []
        return [(b"www-authenticate", line) for line in lines]

    def read(self, headers: Headers) -> l402.Credential | None:
        """The credential that a request brings; None where it brings none. Raises `Malformed`."""
        values = [value for name, value in headers if name == b"authorization" and l402.is_credential(value)]
        return l402.read_credential(values[0]) if values else None

    def fault(self, credential: l402.Credential) -> str:
        """Why it proves nothing; empty where it proves its payment."""
        return self._lightning.fault(credential)

    def ticket(self, credential: l402.Credential) -> Ticket | None:
        """Whose result it opens; None where it opens none."""
        if self._lightning.fault(credential):
            return None
        return self._runtime.tickets.read(next(iter(credential.token.results())))
