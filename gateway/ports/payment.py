"""Payment providers: what a plugin must do, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from gateway.core.money import Money
from gateway.core.rule import Renewal
from gateway.ports.cashbook import (
    CheckoutStatus,
    RefundOutcome,
    Settlement,
    SettleOutcome,
    SubscriptionOutcome,
    SubscriptionStatus,
)
from gateway.ports.plugin import Provider

Headers = list[tuple[bytes, bytes]]


class ProviderUnavailable(Exception):
    """The provider did not answer, or not usefully. The person may try again; nothing was charged."""


class CheckoutEnded(ProviderUnavailable):
    """The checkout that is begun again can't be paid any more, and was not. The gateway then begins another one, under
    another reference."""


class WebhookRejected(Exception):
    """A report that does not carry the provider's proof, or can't be read. `str()` says why, without secrets."""


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What is to be paid."""

    reference: str
    """Comes back with the payment, and is all that says whom it is credited to. At most 80 characters: letters, digits,
    `.`, `_` and `-`; it tells nobody who pays. It is the same whenever the same checkout is begun again, so it is also
    the idempotency key of whatever the provider is asked to create."""
    amount: Money
    title: str
    """What is bought, for the provider's page and receipt."""
    success: str
    """Where to send the person after paying. Absolute for a provider with `form_origins`; for one whose pages are the
    gateway's own a path, which leads back to the host that the person came by."""
    cancel: str
    """Where to send the person when they turn back, as `success`."""
    locale: str = "en"
    """The person's language: a tag of BCP 47."""
    plan: str = ""
    """The id of the plan in the config, for providers that keep prices of their own."""
    renews: Renewal | None = None
    """Set for a subscription: how often it renews. Only a provider that is `Renewing` is asked for one."""
    mail: str = ""
    """The person's address of mail, where it is known, for the provider's form and receipt."""
    session: str = ""
    """As `Started` said when the same checkout was begun before; empty where it was not, or the gateway ended before it
    could keep it."""


@dataclass(frozen=True, slots=True)
class Started:
    """A checkout on the provider's side."""

    address: str
    """Where to send the person to."""
    session: str = ""
    """The provider's own name of it, at most 255 characters: what `look` needs to ask what became of it."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A checkout of which it is not known how it ended."""

    reference: str
    session: str
    """As `Started` said; empty where the provider gave none, or the gateway ended before it could keep it."""
    amount: Money
    opened: int
    """When it was opened: milliseconds since the epoch."""
    returned: bool = False
    """Whether the person came back from it as one who has paid, and did not say since that it was not so."""


class Progress(StrEnum):
    """How far a checkout has come, as its provider says."""

    OPEN = "open"
    """It can still be paid, and has not been: the person may be asked to."""
    PROCESSING = "processing"
    """It is being paid, or nobody can say yet. Never a reason to ask for the money again."""
    CLOSED = "closed"
    """It was paid or it has failed, and the desk has been told."""


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """A payment that has succeeded, as the provider tells it: the first of a checkout, or a renewal."""

    reference: str
    settlement: Settlement
    """`checkout` and `provider` may be empty: the gateway fills them in. The `amount` is the price as the gateway asked
    for it, before tax and discounts of the provider's; `charged` is what the person really paid."""


@dataclass(frozen=True, slots=True)
class RefundReport:
    """Money has gone back to the payer."""

    reference: str
    refund: str
    """The provider's id of this refund or dispute: reported twice, it counts once."""
    payment: str
    """The provider's id of the payment, as in `Settlement.payment`."""
    amount: Money
    """How much went back with this refund."""
    is_whole: bool
    """Whether nothing of the payment is left with the seller now: only then is taken back what it gave."""
    is_chargeback: bool = False
    """Whether the payer's bank took it, in a dispute that was lost."""


@dataclass(frozen=True, slots=True)
class FailureReport:
    """A checkout ended without a payment: it expired, or the payment was refused for good. Should a payment come after
    all, it counts."""

    reference: str


@dataclass(frozen=True, slots=True)
class SubscriptionReport:
    """What became of a subscription. Its payments are reported one by one, as `PaymentReport`."""

    reference: str
    subscription: str
    """The provider's id, as in `Settlement.subscription`."""
    status: SubscriptionStatus
    at: int
    """When the provider says that it became so, milliseconds since the epoch: reports may come in any order."""


@dataclass(frozen=True, slots=True)
class KnownCheckout:
    """What the gateway knows of a checkout, for a provider's own pages."""

    status: CheckoutStatus
    amount: Money
    session: str = ""
    """What the provider called it last, by `Started` or `Desk.note`."""


class Desk(Protocol):
    """Where a provider reports. Each method returns only once what it did is durable, and is safe to call again."""

    async def settle(self, report: PaymentReport) -> SettleOutcome:
        """Credit a payment, once: by `Settlement.event` and by `Settlement.payment`, for ever."""
        ...

    async def refunded(self, report: RefundReport) -> RefundOutcome:
        """Note money that went back; take back what a payment gave of which nothing is left. It may come before the
        payment itself is reported."""
        ...

    async def failed(self, report: FailureReport) -> None:
        """Note that a checkout ended unpaid."""
        ...

    async def subscription(self, report: SubscriptionReport) -> SubscriptionOutcome:
        """Note what became of a subscription."""
        ...

    async def balance(self, reference: str) -> Money | None:
        """What the person of this reference has in the wallet, in the checkout's currency; None where the reference or
        its checkout is not known."""
        ...

    async def checkout(self, reference: str) -> KnownCheckout | None:
        """How the checkout of this reference stands; None where the reference or its checkout is not known."""
        ...

    async def note(self, reference: str, session: str) -> None:
        """Keep what the provider calls an open checkout, at most 255 characters: `look` is told it. For what is not
        known yet when it begins."""
        ...


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
    like its own pages. It is taken for English, unless `Content-Language` names another language that the gateway
    speaks: the language and direction of the whole page are its.
    """

    status: int
    headers: Headers
    body: bytes
    origins: tuple[str, ...] = ()
    """For a page that the provider's own script fills: the origins of what it loads, besides scripts of this plugin's
    own address. A page without has no scripts."""

    @classmethod
    def page(cls, status: int, title: str, content: str, language: str = "en") -> ProviderAnswer:
        """A page of the plugin's own, in this language (`gateway.core.wording.LANGUAGES`). `title` is plain text in one
        line, `content` HTML: escape what others wrote."""
        headers: Headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-language", language.encode("ascii")),
        ]
        return cls(status, headers, f"{title}\n{content}".encode())

    @classmethod
    def redirect(cls, address: str) -> ProviderAnswer:
        """Lead the browser on, by GET."""
        return cls(303, [(b"location", address.encode("ascii"))], b"")


class PaymentProvider(Provider, Protocol):
    """One way to pay."""

    label: str
    """What the button says after "Pay with": `card`, `bank transfer`."""
    form_origins: tuple[str, ...]
    """Origins that its checkout page lives on, for the form-action of our pages; empty for our own."""

    async def begin(self, request: CheckoutRequest) -> Started:
        """Open a checkout. Called again with the same reference it gives a page for the same payment, never a second
        one that could be paid beside it. Raises `ProviderUnavailable`, and `CheckoutEnded` where it is over."""
        ...

    async def answer(self, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        """Serve the provider's webhook and pages. Raises `WebhookRejected`.

        A success may be answered only after the desk has returned. `StoreUnavailable` and `ProviderUnavailable` go on
        to the gateway, which answers 503: the provider then sends its report again.
        """
        ...

    async def look(self, pending: Pending, desk: Desk) -> Progress:
        """Ask the provider what became of a checkout, and report it as its webhook would, under the same event or
        payment ids. Raises `ProviderUnavailable`: then nothing is known."""
        ...


@runtime_checkable
class Refunding(Protocol):
    """A provider that can give money back when the gateway asks."""

    async def refund(self, reference: str, payment: str, amount: Money, operation: str) -> RefundReport | None:
        """Give back this much of a payment, once for one operation. None where it is on its way and will be reported.
        Raises `ProviderUnavailable` (it may have happened: ask again with the same operation) and `RefundRefused`."""
        ...


@runtime_checkable
class Confirming(Protocol):
    """A provider of whose payments a person tells the gateway: somebody looks at the account and says what has come."""

    def number(self, reference: str) -> str:
        """What the payer is asked to write: short, with a check against slips, and no secret."""
        ...

    def checkout_of(self, number: str) -> str:
        """How the id of the checkout begins that a number is of: an id is what stands before the dot of its reference.
        Raises `ValueError` that says what is wrong with the number."""
        ...

    def confirm(self, reference: str, amount: Money, payment: str) -> PaymentReport:
        """The report of a payment that has come, for the desk. `payment` is the bank's name of it: the same one given
        twice counts once. Raises `ValueError` where it names none."""
        ...


class RefundRefused(Exception):
    """The provider gives nothing back: too late, or not so much. `str()` says why."""


@runtime_checkable
class Renewing(Protocol):
    """A provider that sells subscriptions."""

    async def cancel(self, reference: str, subscription: str) -> None:
        """Let a subscription end with the period that is paid. Safe to call again. Raises `ProviderUnavailable`."""
        ...

    async def change(self, reference: str, subscription: str, request: CheckoutRequest) -> None:
        """Go over to another plan: at once where it costs more, with what is paid taken into account; with the next
        period where it costs less. Raises `ProviderUnavailable`."""
        ...
