"""Ids of held results, which vouch for themselves.

An id says whose hold it is and that this gateway made it, without a look into the store. So an unknown id (404),
another subject's (403) and one whose hold has expired (410) can be told apart for ever, though the store forgets
expired holds.
"""

from __future__ import annotations

import base64
import secrets
from enum import StrEnum

from gateway.core.keyring import same, tag

_NONCE_BYTES = 12
_TAG_CHARACTERS = 8
_LENGTH = 16 + 2 * _TAG_CHARACTERS


class Ownership(StrEnum):
    """What an id says by itself."""

    MINE = "mine"
    ANOTHERS = "another's"
    UNKNOWN = "unknown"


class HoldIds:
    """Makes ids of held results by one key, and reads those of former keys, too."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._key = key
        self._keys = (key, *former)

    def make(self, subject_key: str) -> str:
        """A new id for a hold of this subject: 32 characters of base64url."""
        nonce = base64.urlsafe_b64encode(secrets.token_bytes(_NONCE_BYTES)).decode("ascii")
        return nonce + _origin(self._key, nonce) + _owner(self._key, nonce, subject_key)

    def read(self, hold: str, subject_key: str) -> Ownership:
        """Whose the id is, seen from this subject."""
        nonce, origin, owner = hold[:16], hold[16 : 16 + _TAG_CHARACTERS], hold[16 + _TAG_CHARACTERS :]
        if len(hold) != _LENGTH or not hold.isascii():
            return Ownership.UNKNOWN
        for key in self._keys:
            if same(origin, _origin(key, nonce)):
                return Ownership.MINE if same(owner, _owner(key, nonce, subject_key)) else Ownership.ANOTHERS
        return Ownership.UNKNOWN


def _origin(key: bytes, nonce: str) -> str:
    return tag(key, "origin", nonce, size=6)


def _owner(key: bytes, nonce: str, subject_key: str) -> str:
    return tag(key, "owner", nonce, subject_key, size=6)
