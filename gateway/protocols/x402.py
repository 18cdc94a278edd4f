"""x402 version 2: what is asked for, what is paid with, and how it was settled.

Sources: x402 specification v2, sections 5 and 7; its HTTP transport v2. Objects travel as JSON in base64 in a header.
What is sent is strict: no nulls, padded standard base64. What is read is lenient: either alphabet, padding or none,
members that nobody knows.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.protocols.encoding import (
    Malformed,
    Object,
    canonical,
    obj,
    optional_text,
    read_base64,
    read_object,
    text,
    without_nulls,
    write_object,
)

VERSION = 2
REQUIRED = b"payment-required"
SIGNATURE = b"payment-signature"
RESPONSE = b"payment-response"
EXACT, UPTO = "exact", "upto"

TICKET = "ticket"
"""Under this name comes back in `extra` what was given along with an offer. It is between the client and us: whoever
settles payments is not told."""
TICKET_LONGEST = 200

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NONCE = re.compile(r"0x[0-9a-fA-F]{64}")
_NUMBER = re.compile(r"[0-9]{1,78}")
"""Decimal, as long as 256 bits are."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """One way to pay (section 5.1.2)."""

    scheme: str
    network: str
    amount: int
    """Atomic units of the asset; with `upto` the most that may be taken."""
    asset: str
    pay_to: str
    max_timeout_seconds: int
    extra: Mapping[str, str] = field(default_factory=dict)
    ticket: str = ""

    def offered(self) -> Object:
        """As a client gets it."""
        members = self.members()
        return {**members, "extra": {**members["extra"], TICKET: self.ticket}} if self.ticket else members

    def members(self, amount: int | None = None) -> Object:
        """As whoever settles gets it; `amount` takes the place of the own one when an `upto` payment is settled."""
        return {
            "scheme": self.scheme,
            "network": self.network,
            "amount": str(self.amount if amount is None else amount),
            "asset": self.asset,
            "payTo": self.pay_to,
            "maxTimeoutSeconds": self.max_timeout_seconds,
            "extra": dict(self.extra),
        }


@dataclass(frozen=True, slots=True)
class Authorization:
    """What of a payment on an EVM network was signed, as far as its shape is known."""

    payer: str
    to: str
    value: int
    valid_before: int
    """Seconds since the epoch."""
    nonce: str
    is_eip3009: bool
    """Signed for the token itself (EIP-3009), whose contract takes one nonce of one payer once; else for Permit2."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What a client pays with: the decoded `PAYMENT-SIGNATURE`."""

    members: Object
    """All of it, as it goes to the facilitator."""
    accepted: Object
    payload: Object
    authorization: Authorization | None

    @property
    def network(self) -> str:
        """The network that it says it is for."""
        return optional_text(self.accepted, "network")

    @property
    def ticket(self) -> str:
        """What we gave along with the offer that this pays for; empty where nothing came back."""
        extra = self.accepted.get("extra")
        found = extra.get(TICKET) if isinstance(extra, dict) else None
        return found if isinstance(found, str) and len(found) <= TICKET_LONGEST else ""

    @property
    def key(self) -> str:
        """What is the same for everything that can move this money only once: 32 hexadecimal digits."""
        signed = self.authorization
        if signed is None:
            said = b"payload:" + self.network.encode() + b":" + canonical(self.payload)
        else:
            asset = optional_text(self.accepted, "asset") if signed.is_eip3009 else "permit2"
            said = ":".join(("evm", self.network, asset, signed.payer, signed.nonce)).lower().encode()
        return hashlib.sha256(said).hexdigest()[:32]

    @property
    def digest(self) -> str:
        """What is the same only where every member is. What was signed becomes public when it is settled; that it came
        with the same ticket shows that it is from the same client."""
        return hashlib.sha256(canonical(self.members)).hexdigest()[:32]


def write_header(members: Mapping[str, Any]) -> bytes:
    """An object as the value of a header: padded standard base64 (HTTP transport v2)."""
    return base64.b64encode(write_object(members))


def payment_required(requirements: Sequence[Requirements], resource: Mapping[str, str], error: str = "") -> bytes:
    """The value of `PAYMENT-REQUIRED` (section 5.1). `resource` has `url` and maybe `description` and `mimeType`."""
    members: Object = {
        "x402Version": VERSION,
        "error": error or "PAYMENT-SIGNATURE header is required",
        "resource": {name: value for name, value in resource.items() if value},
        "accepts": [each.offered() for each in requirements],
    }
    return write_header(members)


def read_payment(header: bytes) -> Payment:
    """The value of `PAYMENT-SIGNATURE` (section 5.2). Raises `Malformed`."""
    try:
        written = header.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("is no base64") from None
    members = read_object(read_base64(written))
    version = members.get("x402Version")
    if version != VERSION or isinstance(version, bool):
        raise Malformed(f"is not of x402 version {VERSION}")
    return payment_of(members)


def payment_of(members: Object) -> Payment:
    """The same out of its decoded members. Raises `Malformed`."""
    accepted, payload = obj(members, "accepted"), obj(members, "payload")
    for name in ("scheme", "network", "amount", "asset", "payTo"):
        text(accepted, name)
    return Payment(members, accepted, payload, _authorization(text(accepted, "network"), payload))


def mismatch(payment: Payment, wanted: Requirements, now: int) -> str:
    """Why a payment is not what we ask for, as a word of the specification (section 9); empty where it is. `now` is in
    seconds. The facilitator judges the signature; this only keeps what can't be right from it."""
    accepted, signed = payment.accepted, payment.authorization
    if accepted.get("scheme") != wanted.scheme:
        return "unsupported_scheme"
    if accepted.get("network") != wanted.network:
        return "invalid_network"
    if not (_same(accepted["asset"], wanted.asset) and _same(accepted["payTo"], wanted.pay_to)):
        return "invalid_payment_requirements"
    if accepted["amount"] != str(wanted.amount):
        return "invalid_payment_requirements"
    if not wanted.network.startswith("eip155:"):
        return ""
    if signed is None:
        return "invalid_payload"
    if signed.is_eip3009 and not _same(signed.to, wanted.pay_to):
        return "invalid_exact_evm_payload_recipient_mismatch"
    if signed.is_eip3009 and signed.value != wanted.amount:
        return "invalid_exact_evm_payload_authorization_value"
    if signed.valid_before <= now:
        return "invalid_exact_evm_payload_authorization_valid_before"
    return ""


def request_to_facilitator(payment: Payment, wanted: Requirements, amount: int | None = None) -> Object:
    """The body of `/verify` and `/settle` (section 7): our own requirements, never those that the client says."""
    members: Object = without_nulls(payment.members)
    extra = members["accepted"].get("extra")
    if isinstance(extra, dict):
        members["accepted"]["extra"] = {name: value for name, value in extra.items() if name != TICKET}
    return {"x402Version": VERSION, "paymentPayload": members, "paymentRequirements": wanted.members(amount)}


@dataclass(frozen=True, slots=True)
class Verification:
    """What a facilitator says of a payment that is not settled yet (section 5.4)."""

    is_valid: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SettlementAnswer:
    """What a facilitator says of settling (section 5.3)."""

    success: bool
    network: str
    transaction: str = ""
    payer: str = ""
    reason: str = ""
    amount: str = ""

    def header(self) -> bytes:
        """The value of `PAYMENT-RESPONSE`."""
        members: Object = {
            "success": self.success,
            "errorReason": self.reason or None,
            "transaction": self.transaction,
            "network": self.network,
            "payer": self.payer or None,
            "amount": self.amount or None,
        }
        return write_header(members)

    @property
    def is_final(self) -> bool:
        """Whether it says for certain what became of the money. A failure that names a transaction, or none that shows
        that nothing was sent, leaves it open: it may still be mined."""
        return self.success or (not self.transaction and _nothing_was_sent(self.reason))


def read_verification(members: Object) -> Verification:
    """The answer to `/verify`. Raises `Malformed`."""
    is_valid = members.get("isValid")
    if not isinstance(is_valid, bool):
        raise Malformed("has no `isValid`")
    return Verification(is_valid, optional_text(members, "invalidReason"))


def read_settlement(members: Object, network: str) -> SettlementAnswer:
    """The answer to `/settle`; `network` where it names none. Raises `Malformed`, also for a success without a
    transaction: nobody could ever find that money."""
    success = members.get("success")
    if not isinstance(success, bool):
        raise Malformed("has no `success`")
    names = ("transaction", "payer", "errorReason", "amount")
    transaction, payer, reason, amount = (optional_text(members, name) for name in names)
    if success and not transaction:
        raise Malformed("says it succeeded and names no transaction")
    return SettlementAnswer(
        success, optional_text(members, "network") or network, transaction, payer, "" if success else reason, amount
    )


def read_kinds(members: Object) -> list[tuple[str, str, Object]]:
    """The answer to `GET /supported`: scheme, network and `extra` of each kind of version 2. Raises `Malformed`."""
    kinds = members.get("kinds")
    if not isinstance(kinds, list):
        raise Malformed("has no list `kinds`")
    found = []
    for kind in kinds:
        if isinstance(kind, dict) and kind.get("x402Version") == VERSION:
            extra = kind.get("extra")
            found.append((text(kind, "scheme"), text(kind, "network"), extra if isinstance(extra, dict) else {}))
    return found


_REFUSALS = ("invalid_", "insufficient_funds", "unsupported_")
"""What failure reasons begin with that say that nothing was sent (section 9). All others may mean anything."""
_IN_DOUBT = ("transaction", "timeout", "timed_out", "pending", "confirm", "simulation", "nonce", "unexpected")
"""What in such a reason speaks of something that was sent after all, or of a nonce that is used: maybe by ourselves."""


def _nothing_was_sent(reason: str) -> bool:
    said = reason.lower()
    return said.startswith(_REFUSALS) and not any(word in said for word in _IN_DOUBT)


def _authorization(network: str, payload: Object) -> Authorization | None:
    """What was signed; None for shapes that are not those of EVM networks. Raises `Malformed`."""
    if not network.startswith("eip155:"):
        return None
    if isinstance(payload.get("authorization"), dict):
        signed = payload["authorization"]
        payer, nonce = text(signed, "from"), text(signed, "nonce")
        if not (_ADDRESS.fullmatch(payer) and _NONCE.fullmatch(nonce)):
            raise Malformed("has an authorization whose payer or nonce is none")
        return Authorization(
            payer, text(signed, "to"), _number(signed, "value"), _number(signed, "validBefore"), nonce, True
        )
    if isinstance(payload.get("permit2Authorization"), dict):
        signed = payload["permit2Authorization"]
        payer = text(signed, "from")
        if not _ADDRESS.fullmatch(payer):
            raise Malformed("has an authorization whose payer is none")
        value = _number(obj(signed, "permitted"), "amount")
        nonce = str(_number(signed, "nonce"))
        return Authorization(payer, optional_text(signed, "to"), value, _number(signed, "deadline"), nonce, False)
    raise Malformed("has no authorization")


def _number(value: Object, name: str) -> int:
    written = text(value, name)
    if not _NUMBER.fullmatch(written):
        raise Malformed(f"has no number {name!r}")
    return int(written)


def _same(left: object, right: str) -> bool:
    """Addresses differ in their case, which is only a checksum (EIP-55), and on other networks never look alike."""
    return isinstance(left, str) and (left == right or (right.startswith("0x") and left.lower() == right.lower()))
