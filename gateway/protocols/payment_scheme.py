"""The HTTP authentication scheme "Payment" (draft-httpauth-payment), by which the Machine Payments Protocol asks for
money: challenge, credential, receipt.

A challenge vouches for itself: its id is a keyed hash over everything that counts of it, so nothing needs to be kept
until somebody pays. Its method here is `evm`, intent `charge`: an EIP-3009 authorization whose nonce is a hash of the
challenge's id. That is the very payment that x402 calls `exact`, so the same facilitator settles it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
    write_object,
)
from gateway.protocols.keccak import keccak256

SCHEME = "Payment"
OWN_HEADER = b"payment-authorization"
"""Where a credential may come besides `authorization`, so that a request can say who it is from, too."""
METHOD, INTENT = "evm", "charge"
AUTHORIZATION = "authorization"
"""The type of the one payload that is taken."""

_PROBLEMS = "https://paymentauth.org/problems/"
MALFORMED = _PROBLEMS + "malformed-credential"
INVALID_CHALLENGE = _PROBLEMS + "invalid-challenge"
EXPIRED = _PROBLEMS + "payment-expired"
VERIFICATION_FAILED = _PROBLEMS + "verification-failed"
METHOD_UNSUPPORTED = _PROBLEMS + "method-unsupported"
"""Types of problems of the draft."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked for."""

    realm: str
    request: str
    """The method's own object: canonical JSON in base64url without padding, as it goes over the wire."""
    expires: str = ""
    """An instant of RFC 3339."""
    opaque: str = ""
    """What the server wants back, written like `request`."""
    header: str = ""
    """Where the credential is to come, if not in `authorization`."""
    method: str = METHOD
    intent: str = INTENT

    def id(self, key: bytes) -> str:
        """HMAC-SHA-256 over the seven slots of the draft, an empty one for what is absent, in base64url."""
        slots = [self.realm, self.method, self.intent, self.request, self.expires, "", self.opaque]
        if self.header:
            slots.insert(6, self.header)
        return base64url(hmac.digest(key, "|".join(slots).encode(), hashlib.sha256))

    def header_value(self, key: bytes, description: str = "") -> bytes:
        """The value of `www-authenticate`. Raises `ValueError` for what can't be quoted."""
        parts = {
            "id": self.id(key),
            "realm": self.realm,
            "method": self.method,
            "intent": self.intent,
            "request": self.request,
            "expires": self.expires,
            "description": description,
            "header": self.header,
            "opaque": self.opaque,
        }
        return f"{SCHEME} {', '.join(f'{name}={_quoted(value)}' for name, value in parts.items() if value)}".encode()


@dataclass(frozen=True, slots=True)
class Credential:
    """What is paid with."""

    id: str
    challenge: Challenge
    payload: Object

    def is_ours(self, key: bytes) -> bool:
        """Whether the challenge that it answers was given out under this key, as it stands."""
        return hmac.compare_digest(self.id.encode(), self.challenge.id(key).encode())

    def opaque(self) -> Object:
        """What we gave along. Raises `Malformed`."""
        return read_packed(self.challenge.opaque)


def charge(amount: int, currency: str, recipient: str, chain_id: int, decimals: int) -> str:
    """The `request` of method `evm`, intent `charge`: `amount` in atomic units of the token `currency`."""
    details = {"chainId": chain_id, "credentialTypes": [AUTHORIZATION], "decimals": decimals}
    return packed({"amount": str(amount), "currency": currency, "recipient": recipient, "methodDetails": details})


def read_credential(value: bytes) -> Credential:
    """The value of `authorization`, or of the header that the challenge named. Raises `Malformed`."""
    scheme, _, rest = value.decode("latin-1").strip().partition(" ")
    if scheme.lower() != SCHEME.lower():
        raise Malformed("is not of the scheme Payment")
    members = read_object(read_base64(rest.strip()))
    said = obj(members, "challenge")
    challenge = Challenge(
        realm=text(said, "realm"),
        request=text(said, "request"),
        expires=optional_text(said, "expires"),
        opaque=optional_text(said, "opaque"),
        header=optional_text(said, "header"),
        method=text(said, "method"),
        intent=text(said, "intent"),
    )
    if optional_text(said, "digest"):
        raise Malformed("is bound to a body, and no challenge of ours is")
    return Credential(text(said, "id"), challenge, obj(members, "payload"))


def x402_payload(credential: Credential) -> Object:
    """The payload of an x402 `exact` payment out of one of type `authorization`. Raises `Malformed`, also where its
    nonce does not name its challenge: it was signed for another."""
    payload = credential.payload
    if payload.get("type") != AUTHORIZATION:
        raise Malformed("is of a type that is not taken")
    names = ("from", "to", "value", "validAfter", "validBefore", "nonce")
    signed = {name: text(payload, name) for name in names}
    if signed["nonce"].lower() != nonce_for(credential.id, credential.challenge.realm):
        raise Malformed("was signed for another challenge")
    return {"signature": text(payload, "signature"), "authorization": signed}


def nonce_for(challenge_id: str, realm: str) -> str:
    """The EIP-3009 nonce that binds an authorization to a challenge: Keccak-256 over the JSON list of both."""
    said = json.dumps([challenge_id, realm], separators=(",", ":"), ensure_ascii=False)
    return "0x" + keccak256(said.encode()).hex()


def receipt(reference: str, timestamp: str) -> bytes:
    """The value of `payment-receipt`, for answers of success alone. `reference` is the transaction, `timestamp` an
    instant of RFC 3339."""
    members = {"method": METHOD, "reference": reference, "status": "success", "timestamp": timestamp}
    return base64url(write_object(members)).encode("ascii")


def packed(value: Mapping[str, Any]) -> str:
    """An object as `request` and `opaque` carry it (RFC 8785, RFC 4648 section 5 without padding)."""
    return base64url(canonical(value))


def read_packed(value: str) -> Object:
    """The object of a `request` or `opaque`. Raises `Malformed`."""
    return read_object(read_base64(value))


def base64url(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


_UNQUOTABLE = re.compile(r"[^\t\x20-\x7e]")


def _quoted(value: str) -> str:
    """A quoted string (RFC 9110 section 5.6.4)."""
    if _UNQUOTABLE.search(value):
        raise ValueError(f"{value!r} can't stand in a header")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
