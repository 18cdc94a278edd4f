"""What stands for a subject and its checkout on a provider's side.

A reference is seen by providers, their staff and their receipts, and comes back as the only thing that says who is
credited. So it carries the subject's key in the store encrypted: it tells nobody who pays, not even by trying ids, and
nobody without the gateway's secret can make one or alter one. It needs no place in the store.

AES-SIV (RFC 5297): deterministic, because a checkout that is asked for again must have the same reference, and
authenticated together with the checkout's id.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

LENGTH_LIMIT = 80
"""No reference is longer. Providers take 200 characters and more."""


class References:
    """Makes references under one key of 32 bytes, and reads those of former keys, too: what somebody set out to pay
    under a former secret arrives under the new one."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        self._ciphers = [AESSIV(each) for each in (key, *former)]

    def make(self, subject_key: str, checkout: str) -> str:
        """The one reference of this subject and this checkout."""
        return _made(self._ciphers[0], subject_key, checkout)

    def read(self, reference: str) -> tuple[str, str] | None:
        """Subject key and checkout of a reference; None when it is not one of ours."""
        checkout, _, sealed = reference.partition(".")
        if not reference.isascii() or len(reference) > LENGTH_LIMIT:
            return None
        for cipher in self._ciphers:
            try:
                subject_key = _encoded(cipher.decrypt(_decoded(sealed), [checkout.encode()]))
            except (InvalidTag, binascii.Error):
                continue
            # Base64 has several spellings of the same bytes; only the one that was given out is ours.
            if _made(cipher, subject_key, checkout) == reference:
                return subject_key, checkout
        return None


def _made(cipher: AESSIV, subject_key: str, checkout: str) -> str:
    return f"{checkout}.{_encoded(cipher.encrypt(_decoded(subject_key), [checkout.encode()]))}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
