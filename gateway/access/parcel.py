"""Names in a storage, which say all that a sweep must know: whose store's they are, and not before when they may go.

A name is `STORE/DAY/OWNERHOLD`: the store's own id, the first day on which the chunks may be removed (`20261231`), and
the subject and the hold to ask the store for. The subject's key is hidden by a key that only the store has, so that a
listing tells nobody who has results there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.core.quantity import DAY
from gateway.ports.storage import StockIdentity

PATIENCE_MS = 5 * DAY
"""How long after its date a result that the store has not may not be removed yet: where the store was put back from a
backup that is too old, and nobody noticed (`access/sweep.py` may), there is so much time to put a better one back."""

_NAME = re.compile(r"([0-9a-f]{16})/([0-9]{8})/([A-Za-z0-9_-]{22})([A-Za-z0-9_-]{32})")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A held result in a storage."""

    owner: str
    """`Subject.key`."""
    hold: str
    day: str
    """The first day on which it may be removed, by UTC."""

    def may_go(self, now: int) -> bool:
        """Whether its day has come; whether it may go is for the store to say."""
        return _day(now) >= self.day


def name_of(identity: StockIdentity, owner: str, hold: str, expires: int) -> str:
    """The name of a new one."""
    hidden = _encoded(_mixed(identity, hold, base64.urlsafe_b64decode(owner + "==")))
    return f"{identity.id}/{_day(expires + PATIENCE_MS)}/{hidden}{hold}"


def read_name(identity: StockIdentity, name: str) -> Parcel | None:
    """What a name says; None where it is no result's, or another store's."""
    found = _NAME.fullmatch(name)
    if found is None or found[1] != identity.id:
        return None
    hidden = base64.urlsafe_b64decode(found[3] + "==")
    return Parcel(_encoded(_mixed(identity, found[4], hidden)), found[4], found[2])


def _mixed(identity: StockIdentity, hold: str, owner: bytes) -> bytes:
    """Hides and shows: a hold has one owner, so no two are ever mixed with the same bytes."""
    mask = hmac.digest(identity.key, hold.encode(), hashlib.sha256)
    return bytes(left ^ right for left, right in zip(owner, mask, strict=False))


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y%m%d")
