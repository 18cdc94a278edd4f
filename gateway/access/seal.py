"""Encryption of what is kept back: one key per hold, one frame per chunk.

AES-256-GCM (NIST SP 800-38D). The key of a hold is derived from the gateway's secret and the hold's id, so the nonce
may simply count frames: no key ever seals two frames with one number. The associated data binds a frame to its hold,
its place and whether it is the last, so that frames can't be swapped, repeated or cut off unnoticed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from gateway.ports.upstream import Headers

_HEAD_FRAME = 2**32 - 1


class Damaged(Exception):
    """A kept result does not open with its key: it was altered, mixed up, or sealed under another secret."""


@dataclass(frozen=True, slots=True)
class ResultHead:
    """Status and headers of a kept result, as the application gave them."""

    status: int
    headers: Headers


class Sealer:
    """Seals and opens the parts of one hold."""

    def __init__(self, key: bytes, hold: str, owner: str) -> None:
        self._hold = f"{hold}:{owner}".encode()
        self._cipher = AESGCM(HKDFExpand(SHA256(), 32, b"hold " + self._hold).derive(key))

    def seal(self, number: int, last: bool, chunk: bytes) -> bytes:
        """Chunk `number` (from 0), encrypted."""
        return self._cipher.encrypt(_nonce(number), chunk, self._context(number, last))

    def open(self, number: int, last: bool, sealed: bytes) -> bytes:
        """The chunk again. Raises `Damaged`."""
        try:
            return self._cipher.decrypt(_nonce(number), sealed, self._context(number, last))
        except InvalidTag:
            raise Damaged(f"chunk {number} of a held result does not open") from None

    def seal_head(self, head: ResultHead) -> bytes:
        """Status and headers, encrypted."""
        pairs = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in head.headers]
        return self.seal(_HEAD_FRAME, True, json.dumps([head.status, pairs]).encode())

    def open_head(self, sealed: bytes) -> ResultHead:
        """Status and headers again. Raises `Damaged`."""
        status, pairs = json.loads(self.open(_HEAD_FRAME, True, sealed))
        return ResultHead(status, [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs])

    def _context(self, number: int, last: bool) -> bytes:
        return self._hold + number.to_bytes(4, "big") + (b"last" if last else b"more")


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
