"""Payment providers: what a plugin must do, and what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.core.money import Money
from gateway.ports.plugin import Provider
from gateway.ports.state import Settlement, SettleOutcome

Headers = list[tuple[bytes, bytes]]


class ProviderUnavailable(Exception):
    """The provider did not answer, or not usefully. The person may try again; nothing was charged."""


class WebhookRejected(Exception):
    """A report that does not carry the provider's proof, or can't be read. `str()` says why, without secrets."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What is to be paid."""

    reference: str
    """Comes back with the payment, and is all that says whom it is credited to. At most 80 characters: letters, digits,
    `.`, `_` and `-`; it tells nobody who pays."""
    amount: Money
    title: str
    """What is bought, for the provider's page and receipt."""
    success: str
    """Where to send the person after paying. Absolute for a provider with `form_origins`; for one whose pages are the
    gateway's own a path, which leads back to the host that the person came by."""
    cancel: str
    """Where to send the person when they turn back, as `success`."""
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """A payment that has succeeded, as the provider tells it."""

    reference: str
    settlement: Settlement
    """`settlement.checkout` may be empty: the gateway fills it in from the reference."""


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """A request to the provider's own part of the gateway's address, body read whole (at most 1 MiB)."""

    method: str
    path: str
    """What follows `/_paywall/provider/<name>/`."""
    query: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """The provider's answer to a `ProviderRequest`.

    A `text/html` body is a title on the first line and the content of the page's body after it; the gateway dresses it
    like its own pages.
    """

    status: int
    headers: Headers
    body: bytes


Settle = Callable[[PaymentReport], Awaitable[SettleOutcome]]
"""Credits a payment; returns only once that is durable. Safe to call again."""


class PaymentProvider(Provider, Protocol):
    """One way to pay."""

    label: str
    """What the button says after "Pay with": `card`, `bank transfer`."""
    form_origins: tuple[str, ...]
    """Origins that its checkout page lives on, for the form-action of our pages; empty for our own."""

    async def begin(self, request: CheckoutRequest) -> str:
        """The address to send the person to. Called again with the same reference it gives a page for the same
        payment. Raises `ProviderUnavailable`."""
        ...

    async def answer(self, request: ProviderRequest, settle: Settle) -> ProviderAnswer:
        """Serve the provider's webhook and pages. Raises `WebhookRejected`.

        A success may be answered only after `settle` has returned.
        """
        ...
