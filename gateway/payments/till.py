"""What setting out to pay and hearing of payments have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.core.keyring import Keyring
from gateway.core.quantity import DAY
from gateway.payments.reference import References
from gateway.ports.cashbook import Payments, PendingCheckouts
from gateway.ports.events import Events

REPEATED_MS = 30 * DAY
"""For how long a repetition is believed to come of a first time that was interrupted; the stream knows for longer what
it has."""


class Till:
    """The store's side of payments, the keys, and where it is told."""

    def __init__(
        self,
        payments: Payments,
        pending: PendingCheckouts,
        keyring: Keyring,
        events: Events,
        now: Callable[[], int],
        log: Callable[[str], None],
        former: Sequence[Keyring] = (),
    ) -> None:
        """Under `former` keyrings payments may have been set out for that are still to come."""
        self.payments, self.pending = payments, pending
        self.keyring, self.events, self.now, self.log = keyring, events, now, log
        self.key = keyring.key("checkouts")
        self.references = References(*(each.key("payment references") for each in (keyring, *former)))

    def is_recent(self, at: int) -> bool:
        """Whether what is heard again may be the rest of a first time that was interrupted."""
        return at > self.now() - REPEATED_MS
