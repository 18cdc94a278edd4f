"""Macaroons of version 2 (libmacaroons' binary format), as Lightning wallets know them: a token with conditions, each
of which is sealed by a chain of keyed hashes, so that anybody can add one and nobody can take one away."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.protocols.encoding import Malformed

_KEY_MAKER = b"macaroons-key-generator"
_VERSION = 2
_END, _LOCATION, _IDENTIFIER, _VERIFICATION, _SIGNATURE = 0, 1, 2, 4, 6
CAVEATS_MOST = 32


@dataclass(frozen=True, slots=True)
class Macaroon:
    """A token."""

    identifier: bytes
    caveats: tuple[bytes, ...]
    signature: bytes
    location: bytes = b""

    @classmethod
    def make(cls, root_key: bytes, identifier: bytes, caveats: tuple[bytes, ...], location: bytes = b"") -> Macaroon:
        """A new one under this root key."""
        return cls(identifier, caveats, _signature(root_key, identifier, caveats), location)

    def is_sealed_with(self, root_key: bytes) -> bool:
        """Whether it was made under this root key, whatever conditions were added since."""
        return hmac.compare_digest(self.signature, _signature(root_key, self.identifier, self.caveats))

    def write(self) -> bytes:
        """The binary form."""
        parts = [bytes([_VERSION])]
        if self.location:
            parts.append(_field(_LOCATION, self.location))
        parts += [_field(_IDENTIFIER, self.identifier), bytes([_END])]
        for caveat in self.caveats:
            parts += [_field(_IDENTIFIER, caveat), bytes([_END])]
        return b"".join([*parts, bytes([_END]), _field(_SIGNATURE, self.signature)])

    @classmethod
    def read(cls, data: bytes) -> Macaroon:
        """Out of the binary form. Raises `Malformed`, also for conditions that a third party is to vouch for: none of
        ours has any."""
        if data[:1] != bytes([_VERSION]):
            raise Malformed("is no macaroon of version 2")
        fields = _fields(data, 1)
        kind, location = next(fields), b""
        if kind[0] == _LOCATION:
            location, kind = kind[1], next(fields)
        identifier = _of(kind, _IDENTIFIER)
        _of(next(fields), _END)
        caveats: list[bytes] = []
        while (found := next(fields))[0] != _END:
            if len(caveats) == CAVEATS_MOST:
                raise Malformed(f"has more than {CAVEATS_MOST} conditions")
            caveats.append(_of(found, _IDENTIFIER))
            _of(next(fields), _END)
        signature = _of(next(fields), _SIGNATURE)
        if len(signature) != hashlib.sha256().digest_size or next(fields, None) is not None:
            raise Malformed("is no macaroon of version 2")
        return cls(identifier, tuple(caveats), signature, location)


def _signature(root_key: bytes, identifier: bytes, caveats: tuple[bytes, ...]) -> bytes:
    signature = hmac.digest(hmac.digest(_KEY_MAKER, root_key, hashlib.sha256), identifier, hashlib.sha256)
    for caveat in caveats:
        signature = hmac.digest(signature, caveat, hashlib.sha256)
    return signature


def _of(found: tuple[int, bytes], kind: int) -> bytes:
    if found[0] != kind:
        raise Malformed("is no macaroon of version 2, or has conditions of a third party")
    return found[1]


def _field(kind: int, value: bytes) -> bytes:
    return bytes([kind]) + _varint(len(value)) + value


def _fields(data: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each field. Raises `Malformed` at the first that is none, and where one is missing."""
    while at < len(data):
        kind, at = data[at], at + 1
        if kind == _END:
            yield kind, b""
            continue
        length, at = _read_varint(data, at)
        if at + length > len(data):
            raise Malformed("breaks off")
        yield kind, data[at : at + length]
        at += length
        if kind == _SIGNATURE and at == len(data):
            return
    raise Malformed("breaks off")


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 28, 7):
        if at >= len(data):
            break
        number |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
    raise Malformed("breaks off")
