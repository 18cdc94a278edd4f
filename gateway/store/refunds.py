"""Money that went back, in the store."""

from __future__ import annotations

from gateway.core.quantity import DAY
from gateway.ports.cashbook import Refund, RefundOutcome
from gateway.store.durability import Durability
from gateway.store.keys import key_of
from gateway.store.merges import LONGEST_WAY, Merges
from gateway.store.transport.line import Argument
from gateway.store.transport.script import Script

UNPAID_AGAIN_MS = 7 * DAY
"""How long a hold stays that was paid for, was not taken, and is unpaid again."""

_REFUND = Script.read("refund")
_REVOKE = Script.read("revoke")


class Refunds:
    """Enters refunds, and takes back what was given, wherever a merge has brought it."""

    def __init__(self, durability: Durability, merges: Merges) -> None:
        self._durability, self._merges = durability, merges

    async def refund(self, owner: str, refund: Refund, now: int) -> RefundOutcome:
        """See `Payments.refund`."""
        outcome, (answer, entry) = "", await self._refund(owner, refund, False, now)
        for _ in range(LONGEST_WAY):
            outcome, _, onward = answer.partition(" ")
            if outcome == "merged-into":
                await self._merges.complete(owner)
                owner = onward
                answer, entry = await self._refund(owner, refund, False, now)
            elif outcome == "given-to":
                # There first, and once: whoever was cut off in between repeats both.
                await self._merges.complete(owner)
                await self._revoke(owner, onward, refund, entry, now)
                answer, entry = await self._refund(owner, refund, True, now)
            else:
                if onward:  # what went back into a wallet
                    await self._merges.follow(owner, onward)
                break
        return RefundOutcome(outcome)

    async def _refund(self, owner: str, refund: Refund, is_revoked: bool, now: int) -> tuple[str, bytes]:
        key = key_of(owner)
        keys = [key, *(f"{key}:{name}" for name in ("marks", "ledger", "holds", "subscriptions"))]
        args: list[Argument] = [now, refund.provider, refund.payment, refund.refund, refund.amount.minor]
        args += [refund.amount.currency, int(refund.is_whole), int(refund.is_chargeback), UNPAID_AGAIN_MS]
        outcome, entry = await self._durability.call(_REFUND, keys, [*args, int(is_revoked)])
        return outcome.decode(), entry

    async def _revoke(self, owner: str, holder: str, refund: Refund, entry: bytes, now: int) -> None:
        for left in reversed(range(LONGEST_WAY)):
            key = key_of(holder)
            keys = [key, *(f"{key}:{name}" for name in ("marks", "ledger", "holds", "subscriptions"))]
            args: list[Argument] = [now, refund.provider, refund.payment, entry, refund.amount.minor]
            args += [refund.amount.currency, refund.refund, owner, UNPAID_AGAIN_MS, int(left > 0)]
            answer: bytes = await self._durability.call(_REVOKE, keys, args)
            outcome, _, onward = answer.decode().partition(" ")
            if outcome != "given-to":
                return
            await self._merges.complete(holder)
            holder = onward
