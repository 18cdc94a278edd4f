"""Encryption of what is kept back: one key per hold, one frame per chunk.

AES-256-GCM (NIST SP 800-38D). The key of a hold is derived from the gateway's secret, the hold's id and a salt that
only the hold's record has: chunks whose record is gone are lost to everybody. No key ever seals two frames with one
number, so the nonce may simply count frames. The associated data binds a frame to its hold, its place and whether it is
the last, so that frames can't be swapped, repeated or cut off unnoticed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from gateway.core.keyring import tag
from gateway.ports.state import HoldRecord
from gateway.ports.upstream import Headers

SALT_BYTES = 16
OVERHEAD_BYTES = 16
"""How much longer a chunk is once it is sealed."""
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

    def __init__(self, key: bytes, hold: str, owner: str, salt: bytes = b"") -> None:
        self._hold = f"{hold}:{owner}".encode()
        # Holds of versions that had no salt open as before.
        info = b"hold " + self._hold + (b":salt " + salt if salt else b"")
        self._cipher = AESGCM(HKDFExpand(SHA256(), 32, info).derive(key))

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


class SealKeys:
    """The keys that holds are sealed with: by the secret in force, and to open also by those before it."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._by_id = {tag(each, "key id", size=6): each for each in reversed((key, *former))}
        self.current = tag(key, "key id", size=6)
        """What the key in force is called, in `HoldRecord.sealed_with`."""

    def sealer(self, hold: str, owner: str, salt: bytes) -> Sealer:
        """For a new hold, by the key in force."""
        return Sealer(self._by_id[self.current], hold, owner, salt)

    def opener(self, record: HoldRecord, owner: str) -> Sealer:
        """For a hold that is kept. Raises `Damaged` where its key is not there any more."""
        if record.sealed_with:
            key = self._by_id.get(record.sealed_with)
            if key is None:
                raise Damaged("a held result is sealed with a secret that `former_secrets` does not name")
            return Sealer(key, record.id, owner, record.salt)
        # A version before did not write down which it was.
        sealers = [Sealer(key, record.id, owner, record.salt) for key in reversed(self._by_id.values())]
        for sealer in sealers:
            try:
                sealer.open_head(record.sealed_head)
            except Damaged:
                continue
            return sealer
        return sealers[0]


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
