"""Subscriptions, in the store."""

from __future__ import annotations

import json
from typing import Any

from gateway.core.subject import Subject
from gateway.ports.cashbook import Subscription, SubscriptionChange, SubscriptionOutcome, SubscriptionStatus
from gateway.store.durability import Durability
from gateway.store.keys import key_of, subject_key
from gateway.store.merges import LONGEST_WAY, Merges
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

_RENEW = Script.read("renew")
_GO_ON = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)


class Subscriptions:
    """Enters what became of subscriptions, and reads them."""

    def __init__(self, link: Link, durability: Durability, merges: Merges) -> None:
        self._link, self._durability, self._merges = link, durability, merges

    async def renew(self, owner: str, change: SubscriptionChange, now: int) -> SubscriptionOutcome:
        """See `Payments.renew`."""
        outcome = ""
        for _ in range(LONGEST_WAY):
            key = key_of(owner)
            args: list[Argument] = [now, change.provider, change.subscription, change.status.value, change.at]
            keys = [key, f"{key}:subscriptions", f"{key}:ledger"]
            answer: bytes = await self._durability.call(_RENEW, keys, [*args, change.checkout])
            outcome, _, onward = answer.decode().partition(" ")
            if outcome != "merged-into":
                break
            await self._merges.complete(owner)
            owner = onward
        return SubscriptionOutcome(outcome)

    async def all(self, subject: Subject) -> list[Subscription]:
        """See `Payments.subscriptions`."""
        (flat,) = await self._link.ask(("HGETALL", f"{subject_key(subject)}:subscriptions"))
        return [_read(name.decode("utf-8", "surrogatepass"), json.loads(text)) for name, text in flat.items()]


def _read(name: str, fields: dict[str, Any]) -> Subscription:
    provider, _, subscription = name.partition(":")
    status, paid_until = SubscriptionStatus(fields["status"]), int(fields["paid_until"])
    return Subscription(
        subscription=subscription,
        provider=provider,
        checkout=fields.get("checkout", ""),
        plan=fields.get("plan", ""),
        status=status,
        at=int(fields["at"]),
        paid_until=paid_until,
        open_until=paid_until + int(fields["grace"]) if paid_until and status in _GO_ON else paid_until,
    )
