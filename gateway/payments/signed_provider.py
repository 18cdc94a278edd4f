"""What became of signed payments, for those who ask providers about checkouts (`reconcile`)."""

from __future__ import annotations

from gateway.payments.settling import Settling, Stand
from gateway.ports.attempts import Attempts, AttemptState
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    FailureReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    Started,
    WebhookRejected,
)


class SignedProvider:
    """The port `PaymentProvider` as far as asking goes: nobody sets out to pay by it."""

    label = "x402"
    form_origins: tuple[str, ...] = ()

    def __init__(self, attempts: Attempts, settling: Settling) -> None:
        self._attempts, self._settling = attempts, settling

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def begin(self, request: CheckoutRequest) -> Started:
        """Nobody sets out to pay by it: raises."""
        raise ProviderUnavailable("signed payments come with the request itself")

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """It has no pages: raises."""
        raise WebhookRejected("signed payments come with the request itself")

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """What the store knows of the payment; where it is in doubt, its settlement is asked for once more. One that
        stays in doubt is PROCESSING for ever, until somebody who can look at the network says otherwise."""
        attempt = await self._attempts.get(pending.session) if pending.session else None
        if attempt is None or attempt.state is AttemptState.FAILED:
            await desk.failed(FailureReport(pending.reference))
            return Progress.CLOSED
        if attempt.state is AttemptState.SETTLED:
            await self._settling.credit(pending.session, attempt)
            return Progress.CLOSED
        verdict = await self._settling.again(pending.session, attempt)
        return Progress.CLOSED if verdict.stand is Stand.SETTLED else Progress.PROCESSING

    async def decide(self, session: str, transaction: str) -> Stand | None:
        """See `Settling.decide`; None where it is not in doubt."""
        attempt = await self._attempts.get(session) if session else None
        if attempt is None or attempt.state not in (AttemptState.UNKNOWN, AttemptState.BUSY):
            return None
        return await self._settling.decide(session, attempt, transaction)
