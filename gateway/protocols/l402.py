"""The scheme L402 (formerly LSAT): a token, an invoice of the Lightning network, and the preimage of its payment.

Sources: the L402 protocol specification, and what Aperture, the reference server, sends. The two differ, so a challenge
has both lines: the old one, which deployed clients look for, and that of the specification.

A credential is a reusable bearer token. What it is good for are the conditions in its macaroon, and nothing else: ours
name one held result, and an end.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass

from gateway.protocols.encoding import Malformed, read_base64
from gateway.protocols.macaroon import Macaroon

HASH_BYTES = 32
_TOKEN_ID_BYTES = 32
_IDENTIFIER_VERSION = b"\x00\x00"
"""The identifier of version 0: two bytes of version, the payment hash, an id of the token."""
_PREIMAGE = re.compile(r"[0-9a-fA-F]{64}")
_INVOICE = re.compile(r"ln[a-z0-9]{20,4096}")
RESULT, AMOUNT, EXPIRES = "result", "amount", "valid_until"
"""Names of our conditions."""
_SCHEMES = ("l402", "lsat")


@dataclass(frozen=True, slots=True)
class Token:
    """What is given out with an invoice."""

    macaroon: Macaroon

    @classmethod
    def make(cls, key: bytes, payment_hash: bytes, token_id: bytes, result: str, amount: int, expires: int) -> Token:
        """A token that is good for one result until an instant (seconds), once its invoice over `amount` is paid. Its
        root key follows from `key` and its id, so none needs to be kept."""
        if len(payment_hash) != HASH_BYTES or len(token_id) != _TOKEN_ID_BYTES:
            raise ValueError("a payment hash and a token id have 32 bytes each")
        said = {RESULT: result, AMOUNT: amount, EXPIRES: expires}
        conditions = tuple(f"{name}={value}".encode() for name, value in said.items())
        identifier = _IDENTIFIER_VERSION + payment_hash + token_id
        return cls(Macaroon.make(_root_key(key, token_id), identifier, conditions))

    @property
    def text(self) -> str:
        """As it goes over the wire: padded standard base64."""
        return base64.b64encode(self.macaroon.write()).decode("ascii")

    @property
    def payment_hash(self) -> bytes:
        """What the preimage must hash to."""
        return self.macaroon.identifier[2 : 2 + HASH_BYTES]

    def is_ours(self, key: bytes) -> bool:
        """Whether it was made under this key."""
        token_id = self.macaroon.identifier[2 + HASH_BYTES :]
        return self.macaroon.is_sealed_with(_root_key(key, token_id))

    def results(self) -> set[str]:
        """What it is good for: every condition that names a result must hold, so more than one is good for none."""
        return {value for name, value in self._conditions() if name == RESULT}

    @property
    def amount(self) -> int:
        """What its invoice was over; 0 where it does not say, or says two things."""
        said = [value for name, value in self._conditions() if name == AMOUNT]
        return int(said[0]) if len(said) == 1 and said[0].isascii() and said[0].isdecimal() else 0

    def has_ended(self, now: int) -> bool:
        """Whether one of its ends is past (`now` in seconds), or a condition is there that nobody here knows."""
        ends = [value for name, value in self._conditions() if name == EXPIRES]
        unknown = [name for name, _ in self._conditions() if name not in (RESULT, AMOUNT, EXPIRES)]
        return bool(unknown) or not ends or not all(_is_after(end, now) for end in ends)

    def _conditions(self) -> list[tuple[str, str]]:
        written = (caveat.decode("utf-8", "replace").partition("=") for caveat in self.macaroon.caveats)
        return [(name.strip(), value.strip()) for name, _, value in written]


@dataclass(frozen=True, slots=True)
class Credential:
    """A token with the preimage."""

    token: Token
    preimage: bytes

    @property
    def is_paid(self) -> bool:
        """Whether the preimage is that of the token's payment."""
        return hmac.compare_digest(hashlib.sha256(self.preimage).digest(), self.token.payment_hash)


def challenge(token: Token, invoice: str) -> list[bytes]:
    """The values of `www-authenticate`: the deployed form first, then that of the specification. Raises `ValueError`
    for an invoice that is none."""
    if _INVOICE.fullmatch(invoice) is None:
        raise ValueError("that is no invoice of the Lightning network")
    return [
        f'LSAT macaroon="{token.text}", invoice="{invoice}"'.encode("ascii"),
        f'L402 version="0", token="{token.text}", macaroon="{token.text}", invoice="{invoice}"'.encode("ascii"),
    ]


def is_credential(value: bytes) -> bool:
    """Whether a value of `authorization` is of this scheme."""
    return value.partition(b" ")[0].decode("latin-1").lower() in _SCHEMES


def read_credential(value: bytes) -> Credential:
    """The value of `authorization`: `L402 <token>:<preimage>`, or `LSAT` with the same. Raises `Malformed`."""
    scheme, _, rest = value.decode("latin-1").strip().partition(" ")
    if scheme.lower() not in _SCHEMES:
        raise Malformed("is not of the scheme L402")
    token, separator, preimage = rest.strip().rpartition(":")
    if not separator or _PREIMAGE.fullmatch(preimage) is None:
        raise Malformed("has no preimage of 64 hexadecimal digits")
    macaroon = Macaroon.read(read_base64(token))
    if not macaroon.identifier.startswith(_IDENTIFIER_VERSION) or len(macaroon.identifier) != 2 + 2 * HASH_BYTES:
        raise Malformed("has a token that is not of version 0")
    return Credential(Token(macaroon), bytes.fromhex(preimage))


def _root_key(key: bytes, token_id: bytes) -> bytes:
    return hmac.digest(key, b"l402 token" + token_id, hashlib.sha256)


def _is_after(written: str, now: int) -> bool:
    return written.isascii() and written.isdecimal() and len(written) <= 12 and int(written) > now
