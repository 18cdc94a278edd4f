"""What happened, one frozen dataclass each, named in the past tense.

Every event has a name, a version and an instant (milliseconds since the epoch). Subjects appear as keyed hashes only.
A field is never removed or given another meaning; the version goes up when one is added. docs/events.md describes each,
and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What all events have in common."""

    name: ClassVar[str] = ""
    version: ClassVar[int] = 1

    at: int
    """When it happened."""
    subject: str = ""
    """Keyed hash of the subject; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBegan(Event):
    """A subject's one trial began."""

    name: ClassVar[str] = "trial-began"
    ends: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRefused(Event):
    """A new subject got no trial, because another has had it under the same address of mail or network."""

    name: ClassVar[str] = "trial-refused"
    by: str = ""
    """`mail` or `network`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDecided(Event):
    """A request on an action or result route was decided (open and exempt requests make no event)."""

    name: ClassVar[str] = "request-decided"
    route: str = ""
    route_class: str = ""
    decision: str = ""
    reason: str = ""
    standing: str = ""
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultDelivered(Event):
    """A result reached its subject whole: during the trial, by grace, paid, or released."""

    name: ClassVar[str] = "result-delivered"
    route: str = ""
    by: str = ""
    """The reason it was delivered for."""
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GraceGivenBack(Event):
    """A result taken from a purse was given back, because none came of it."""

    name: ClassVar[str] = "grace-given-back"
    route: str = ""
    purse: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultHeld(Event):
    """A result was produced and is kept back."""

    name: ClassVar[str] = "result-held"
    route: str = ""
    hold: str = ""
    media_type: str = ""
    size: int = 0
    expires: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultReleased(Event):
    """A held result was handed out for the first time."""

    name: ClassVar[str] = "result-released"
    route: str = ""
    hold: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferShown(Event):
    """An offer was put before a subject."""

    name: ClassVar[str] = "offer-shown"
    route: str = ""
    hold: str = ""
    reason: str = ""
    face: str = ""
    """`page` for a person in a browser, `problem` for a program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined(Event):
    """A subject said "not now"."""

    name: ClassVar[str] = "offer-declined"
    route: str = ""
    why: str = ""
    """One of the offered reasons. Free text stays with the subject and never enters an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOpened(Event):
    """A subject set out to pay."""

    name: ClassVar[str] = "checkout-opened"
    checkout: str = ""
    plan: str = ""
    amount: int = 0
    currency: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled(Event):
    """A payment was credited."""

    name: ClassVar[str] = "payment-settled"
    version: ClassVar[int] = 2
    checkout: str = ""
    plan: str = ""
    amount: int = 0
    currency: str = ""
    provider: str = ""
    again: bool = False
    """Whether its offer had been paid already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRejected(Event):
    """A provider's report was not credited: a mismatch, a surplus, or an unknown checkout."""

    name: ClassVar[str] = "payment-rejected"
    version: ClassVar[int] = 2
    checkout: str = ""
    outcome: str = ""
    provider: str = ""
    payment: str = ""
    """The provider's id of it: under which it can be given back there."""
    amount: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Event):
    """Money went back to a payer."""

    name: ClassVar[str] = "payment-refunded"
    checkout: str = ""
    payment: str = ""
    """The provider's id of what was paid."""
    provider: str = ""
    amount: int = 0
    currency: str = ""
    outcome: str = ""
    """`revoked`: what the payment gave was taken back; `noted`: a part went back; `early`: before the payment was
    known."""
    chargeback: bool = False
    """Whether the payer's bank took it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChanged(Event):
    """A subscription began to renew, could not be renewed, was cancelled or has ended."""

    name: ClassVar[str] = "subscription-changed"
    provider: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectMerged(Event):
    """A visitor signed in, and what they had is the person's from then on."""

    name: ClassVar[str] = "subject-merged"
    source: str = ""
    """Keyed hash of the visitor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigReloaded(Event):
    """A new config was put in force, or refused."""

    name: ClassVar[str] = "config-reloaded"
    accepted: bool = True
    problems: int = 0


EVENTS: tuple[type[Event], ...] = (
    TrialBegan,
    TrialRefused,
    RequestDecided,
    ResultDelivered,
    GraceGivenBack,
    ResultHeld,
    ResultReleased,
    OfferShown,
    OfferDeclined,
    CheckoutOpened,
    PaymentSettled,
    PaymentRejected,
    PaymentRefunded,
    SubscriptionChanged,
    SubjectMerged,
    ConfigReloaded,
)
"""All of them, for the documentation and for readers of the stream."""
