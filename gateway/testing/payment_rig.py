"""What the contract suites need of a payment plugin: the plugin, and its provider's side of the world.

A rig stands for one provider. The provider's side is a fake on loopback that speaks the provider's real wire format
and signs as the provider does; the plugin is pointed at it by a setting. For a plugin whose pages are the gateway's own
there is nothing to fake: the rig presses the buttons.

What acts on the provider's side gives the requests that the provider then sends to the gateway, in their order: they
are handed to `PaymentProvider.answer` by the suite, once, twice, late, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from gateway.core.money import Money
from gateway.ports.payment import PaymentProvider, ProviderRequest, Started
from gateway.testing.host import StandingHost


class Rig(Protocol):
    """Any provider."""

    provider: PaymentProvider
    """Started. Whoever makes the rig stops it."""
    host: StandingHost
    """What the provider was made with. It may tell the provider's fake the time, too."""
    secrets: Sequence[str]
    """What must never be seen in a message, an address or a log: keys and the secrets of webhooks."""
    prices: Sequence[Money]
    """What it can be asked for: with a currency of no decimals and one of three, where the provider takes such."""

    async def pay(self, started: Started, charged: Money | None = None) -> list[ProviderRequest]:
        """The person pays at this address what it asks for, or with `charged` another sum, as far as the provider lets
        them: a suite asks for that only where it says so. Nothing is sent where nothing can be paid any more."""
        ...

    def forgeries(self, started: Started) -> Sequence[tuple[str, ProviderRequest]]:
        """What a stranger would send to have this open checkout taken for paid, with what each is called."""
        ...


class Trouble(StrEnum):
    """What may be wrong with a provider."""

    AWAY = "away"
    """It takes no connection."""
    SLOW = "slow"
    """It takes what it is asked and does not answer. A rig sets the plugin's time-out to a fraction of a second."""
    CUT = "cut"
    """It does what it is asked, and the connection ends before the answer."""
    BROKEN = "broken"
    """It answers 500, or whatever it says when something is wrong on its side."""
    BUSY = "busy"
    """It answers 429: too many requests."""
    REFUSED = "refused"
    """It does not know the key."""
    RUBBISH = "rubbish"
    """It answers 200 with a page of HTML, as a proxy in between might."""
    SENSELESS = "senseless"
    """It answers 200 with JSON of quite another shape."""


class HostedRig(Rig, Protocol):
    """A provider elsewhere, with an API."""

    def trouble(self, kind: Trouble) -> AbstractAsyncContextManager[None]:
        """Something is wrong with the provider for as long as the context is open."""
        ...

    def payable(self, reference: str) -> int:
        """How many things there are on the provider's side that could be paid for this reference."""
        ...

    async def fail(self, started: Started) -> list[ProviderRequest]:
        """The checkout expires, or is refused for good."""
        ...

    async def process(self, started: Started) -> list[ProviderRequest]:
        """The person pays in a way that takes days. Whoever has no such thing leaves the checkout as it is, and the
        suite is told so by `takes_days`."""
        ...

    takes_days: bool
    """Whether the provider has payments that take days."""


class SignedRig(Rig, Protocol):
    """A provider that signs its webhooks."""

    signature_header: bytes
    """The header with the signature, in lower case; empty where the signature stands in the body."""
    webhook_secrets: Sequence[str]
    """Secrets that are all accepted, at least two: the old and the new one while they are changed."""
    tolerance_ms: int
    """How far the signature's instant may be from now, before and after; 0 where the signature has none."""

    def sign(self, request: ProviderRequest, body: bytes, secret: str = "", at: int = 0) -> ProviderRequest:
        """This request with this body, signed as the provider would: with this secret, or the first of its own; at
        this instant, or now."""
        ...

    def unheard_of(self) -> ProviderRequest:
        """A signed report of a kind that the plugin does not know."""
        ...

    def other_mode(self, request: ProviderRequest) -> ProviderRequest | None:
        """This request as the provider's live mode would send and sign it, if the plugin is set up for test mode, and
        the other way about; None where the provider's reports do not say."""
        ...


class RefundingRig(HostedRig, Protocol):
    """A provider whose payments can be given back."""

    async def refund(self, payment: str, amount: Money | None = None) -> list[ProviderRequest]:
        """Somebody gives back a payment, or a part of it, at the provider's own desk."""
        ...

    async def lose_dispute(self, payment: str) -> list[ProviderRequest]:
        """The payer's bank takes the money back. Nothing is sent where the provider has no such reports."""
        ...

    def sent(self) -> list[ProviderRequest]:
        """What the provider has sent because of what the plugin asked for, since this was last asked."""
        ...

    def given_back(self, payment: str) -> Money:
        """How much of a payment has gone back, on the provider's books."""
        ...


class RenewingRig(HostedRig, Protocol):
    """A provider of subscriptions. The one that a `Started` began is meant throughout."""

    async def renew(self, started: Started) -> list[ProviderRequest]:
        """The next period begins and is paid. Turns the clock."""
        ...

    async def fail_renewal(self, started: Started) -> list[ProviderRequest]:
        """The next period begins, and its payment is refused; the provider goes on trying. Turns the clock."""
        ...

    async def end(self, started: Started) -> list[ProviderRequest]:
        """The subscription ends now."""
        ...

    def sent(self) -> list[ProviderRequest]:
        """What the provider has sent because of what the plugin asked for, since this was last asked."""
        ...
