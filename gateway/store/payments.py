"""Checkouts and what was paid, in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.rule import PeriodUnit, Renewal
from gateway.core.subject import Subject
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    OpenedCheckout,
    Refund,
    RefundOutcome,
    Settlement,
    SettleOutcome,
    Subscription,
    SubscriptionChange,
    SubscriptionOutcome,
)
from gateway.store.durability import Durability
from gateway.store.keys import key_of, payment_claim, subject_id, subject_key
from gateway.store.merges import LONGEST_WAY, Merges
from gateway.store.refunds import Refunds
from gateway.store.subscriptions import Subscriptions
from gateway.store.transport.line import Argument
from gateway.store.transport.link import Link
from gateway.store.transport.script import Script

UNPAID_MS = 180 * DAY
"""How long a checkout waits for its payment: longer than any bank transfer takes. A paid one stays for ever."""

UNPAID_SUBSCRIPTION_MS = 400 * DAY
"""The same for a subscription: whoever goes over to a cheaper one pays for it after the period that is paid, be it a
year."""

HOLD_DURING_CHECKOUT_MS = 2 * DAY
"""How long a hold stays at least once somebody set out to pay for it."""

OF_A_PAYMENT = ("payment", "surplus", "mismatch", "unknown-checkout", "refunded")
"""The kinds of entries on the ledger that a provider's report makes."""

_AMOUNTS = ("amount", "charged")

_OPEN_CHECKOUT = Script.read("open_checkout")
_FIND_CHECKOUT = Script.read("find_checkout")
_FIND_PAYMENT = Script.read("find_payment")
_CLAIM_PAYMENT = Script.read("claim_payment")
_SETTLE = Script.read("settle")
_NOTE_SESSION = Script.read("note_session")
_CLOSE_CHECKOUT = Script.read("close_checkout")
_CREDIT_WALLET = Script.read("credit_wallet")


class StoredPayments:
    """The port `Payments`."""

    def __init__(self, link: Link, durability: Durability, merges: Merges) -> None:
        self._link = link
        self._durability = durability
        self._merges = merges
        self._refunds = Refunds(durability, merges)
        self._subscriptions = Subscriptions(link, durability, merges)

    async def open_checkout(
        self, subject: Subject, record: CheckoutRecord, settled: int, now: int = 0
    ) -> OpenedCheckout:
        """See the port."""
        key = subject_key(subject)
        names = ("marks", f"checkout:{record.id}", "checkouts", "holds", "ledger")
        args: list[Argument] = [now, subject_id(subject), record.id, record.offer, record.hold, settled]
        args += [UNPAID_SUBSCRIPTION_MS if record.renews else UNPAID_MS, HOLD_DURING_CHECKOUT_MS, *_write(record)]
        keys = [key, *(f"{key}:{name}" for name in names)]
        outcome, fields, paid = await self._durability.call(_OPEN_CHECKOUT, keys, args)
        return OpenedCheckout(CheckoutOutcome(outcome.decode()), _read_either(fields, paid) or record)

    async def checkout(self, subject: Subject, checkout: str) -> CheckoutRecord | None:
        """See the port."""
        onward: str | None = subject.key
        for _ in range(LONGEST_WAY):
            if onward is None:
                break
            key = key_of(onward)
            keys = [f"{key}:checkout:{checkout}", f"{key}:marks", f"{key}:ledger"]
            found = _read_either(*await self._link.call(_FIND_CHECKOUT, keys, [checkout]))
            if found is not None:
                return found
            onward = await self._merges.onward(onward)
        return None

    async def subject(self, key: str) -> Subject | None:
        """See the port."""
        name = await self._id(key)
        return Subject.parse(name.decode("utf-8", "surrogatepass")) if name else None

    async def settle(self, subject: Subject, settlement: Settlement, now: int = 0) -> SettleOutcome:
        """See the port. Raises `ValueError` for a report that names neither event nor payment."""
        return await self._settle(subject.key, subject_id(subject), settlement, now)

    async def enter(self, key: str, settlement: Settlement, now: int = 0) -> SettleOutcome:
        """See the port."""
        return await self._settle(key, b"", settlement, now)

    async def _settle(self, owner: str, name: bytes, settlement: Settlement, now: int) -> SettleOutcome:
        if not settlement.event and not settlement.payment:
            raise ValueError("a payment without event and payment id can't be told from its repetition")
        claimed = await self._claim(owner, settlement)
        if claimed != owner:
            if not await self._merges.leads(claimed, owner):
                return SettleOutcome.ANOTHERS
            # Asked first, and then those it was merged into: whoever claimed the payment may know it.
            owner, name = claimed, await self._id(claimed)
        for left in reversed(range(LONGEST_WAY)):
            outcome, _, onward = (await self._settle_with(owner, name, settlement, left > 0, now)).partition(" ")
            if outcome == "merged-into":
                await self._merges.complete(owner)
                owner, name = onward, await self._id(onward)
                continue
            if onward:
                await self._merges.follow(owner, onward)
            break
        return SettleOutcome(outcome)

    async def _settle_with(self, owner: str, name: bytes, settlement: Settlement, leads_on: bool, now: int) -> str:
        """What the verb answers for the subject with this key."""
        key = key_of(owner)
        names = ("marks", f"checkout:{settlement.checkout}", "ledger", "holds", "note", "checkouts", "subscriptions")
        charged = settlement.charged or settlement.amount
        args: list[Argument] = [now, name, settlement.provider, settlement.event, settlement.payment]
        args += [settlement.checkout, settlement.amount.minor, settlement.amount.currency, int(leads_on)]
        args += [settlement.subscription, settlement.paid_until, charged.minor, int(settlement.from_wallet)]
        answer: bytes = await self._durability.call(_SETTLE, [key, *(f"{key}:{part}" for part in names)], args)
        return answer.decode()

    async def _id(self, key: str) -> bytes:
        """The subject as an operator knows it; empty where it is not known any more."""
        (name,) = await self._link.ask(("HGET", key_of(key), "id"))
        return name or b""

    async def _claim(self, owner: str, settlement: Settlement) -> str:
        """The key of the subject that this payment is of.

        No script can see two subjects in a cluster, so this comes before the payment is settled. It is repeated with it
        and can't come undone: whoever was killed in between finds its own claim.
        """
        bucket, digest = payment_claim(settlement.provider, settlement.payment, settlement.event)
        # Of one server the disk is waited for once, after the payment: what was written before it is there before it.
        call = self._durability.call if self._link.is_cluster else self._link.call
        claimed: bytes = await call(_CLAIM_PAYMENT, [bucket], [digest, owner])
        return claimed.decode()

    async def entry(self, subject: Subject, settlement: Settlement) -> dict[str, object] | None:
        """See the port."""
        args = [settlement.provider, settlement.event, settlement.payment]
        onward: str | None = subject.key
        for _ in range(LONGEST_WAY):
            if onward is None:
                break
            key = key_of(onward)
            raw = await self._link.call(_FIND_PAYMENT, [f"{key}:marks", f"{key}:ledger"], args)
            entry = read_entry(raw) if raw else {}
            if entry.get("kind") in OF_A_PAYMENT:  # not where it is only known to have come with a merge
                return entry
            onward = await self._merges.onward(onward)
        return None

    async def note_session(self, subject: Subject, checkout: str, session: str) -> None:
        """See the port."""
        onward: str | None = subject.key
        for _ in range(LONGEST_WAY):
            if onward is None:
                break
            if await self._link.call(_NOTE_SESSION, [f"{key_of(onward)}:checkout:{checkout}"], [session]):
                break
            onward = await self._merges.onward(onward)

    async def close_checkout(self, subject: Subject, checkout: str, status: CheckoutStatus) -> CheckoutStatus | None:
        """See the port."""
        onward: str | None = subject.key
        for _ in range(LONGEST_WAY):
            if onward is None:
                break
            key = key_of(onward)
            keys = [key, f"{key}:checkout:{checkout}", f"{key}:marks", f"{key}:ledger", f"{key}:checkouts"]
            found: bytes = await self._durability.call(_CLOSE_CHECKOUT, keys, [checkout, status.value])
            if found:
                return CheckoutStatus(found.decode())
            onward = await self._merges.onward(onward)
        return None

    async def refund(self, key: str, refund: Refund, now: int = 0) -> RefundOutcome:
        """See the port."""
        return await self._refunds.refund(key, refund, now)

    async def renew(self, key: str, change: SubscriptionChange, now: int = 0) -> SubscriptionOutcome:
        """See the port."""
        return await self._subscriptions.renew(key, change, now)

    async def subscriptions(self, subject: Subject) -> list[Subscription]:
        """See the port."""
        return await self._subscriptions.all(subject)

    async def balance(self, subject: Subject, currency: str) -> Money:
        """See the port."""
        key = subject.key
        for _ in range(LONGEST_WAY):
            onward = await self._merges.onward(key)
            if onward is None:
                break
            await self._merges.complete(key)
            key = onward
        (amount,) = await self._link.ask(("HGET", key_of(key), f"wa:{currency}"))
        return Money(int(amount or 0), currency)

    async def credit(self, subject: Subject, operation: str, amount: Money, why: str, now: int = 0) -> Money:
        """See the port. Raises `ValueError` for an amount below nothing."""
        if amount.minor < 0:
            raise ValueError("a wallet is credited with what it gets, never with less than nothing")
        key = subject_key(subject)
        args: list[Argument] = [now, subject_id(subject), operation, amount.minor, amount.currency, why]
        balance: bytes = await self._durability.call(_CREDIT_WALLET, [key, f"{key}:ledger", f"{key}:marks"], args)
        onward = await self._merges.onward(subject.key)
        if onward is None:
            return Money(int(balance), amount.currency)
        await self._merges.follow(subject.key, onward)
        return await self.balance(subject, amount.currency)

    async def ledger(self, subject: Subject) -> list[dict[str, object]]:
        """Every entry, oldest first. Each has `kind` and `at`; amounts are integers of minor units."""
        (entries,) = await self._link.ask(("LRANGE", f"{subject_key(subject)}:ledger", 0, -1))
        return [read_entry(entry) for entry in entries]


def read_entry(entry: bytes) -> dict[str, object]:
    """One entry of the ledger."""
    read: dict[str, object] = json.loads(entry.decode("utf-8", "surrogatepass"))
    return {name: int(value) if name in _AMOUNTS and isinstance(value, str) else value for name, value in read.items()}


def read_checkout(fields: Mapping[bytes, bytes]) -> CheckoutRecord:
    """An open checkout out of its hash."""

    def text(name: bytes) -> str:
        return fields[name].decode("utf-8", "surrogatepass")

    return CheckoutRecord(
        id=text(b"id"),
        offer=text(b"offer"),
        plan=text(b"plan"),
        price=Money(int(fields[b"minor"]), text(b"currency")),
        provider=text(b"provider"),
        hold=text(b"hold"),
        route=text(b"route"),
        results=int(fields[b"results"]),
        period_ms=int(fields[b"period"]),
        status=CheckoutStatus(text(b"status")),
        created=int(fields[b"created"]),
        renews=read_renewal(text(b"renews") if b"renews" in fields else "", int(fields.get(b"grace", 0))),
        session=text(b"session") if b"session" in fields else "",
    )


def _read_either(flat: list[bytes], paid: bytes) -> CheckoutRecord | None:
    """A checkout as a verb answers it: the fields of an open one, or the ledger's entry for one that was paid."""
    if flat:
        return read_checkout(dict(zip(flat[::2], flat[1::2], strict=True)))
    return read_paid(json.loads(paid.decode("utf-8", "surrogatepass"))) if paid else None


def read_paid(entry: Mapping[str, Any]) -> CheckoutRecord:
    """A checkout out of the ledger's entry for its last payment."""
    return CheckoutRecord(
        id=entry["checkout"],
        offer=entry["offer"],
        plan=entry["plan"],
        price=Money(int(entry["amount"]), entry["currency"]),
        provider=entry["provider"],
        hold=entry.get("hold", ""),
        route=entry.get("route", ""),
        results=entry.get("results", 0),
        period_ms=entry.get("period_ms", 0),
        status=CheckoutStatus.PAID if entry["kind"] == "payment" else CheckoutStatus(entry["kind"]),
        created=entry.get("created", 0),
        payment=entry["payment"],
        again=entry.get("again", False),
        took_hold=entry.get("took_hold", False) or entry.get("took_hold_before", False),
        renews=read_renewal(entry.get("renews", ""), int(entry.get("grace", 0))),
    )


def read_renewal(written: str, grace_ms: int) -> Renewal | None:
    """`3 month` as it is kept with a checkout; None for a single payment."""
    count, _, unit = written.partition(" ")
    return Renewal(PeriodUnit(unit), int(count), grace_ms) if written else None


def _write(record: CheckoutRecord) -> list[Argument]:
    fields: dict[str, Argument] = {
        "id": record.id,
        "offer": record.offer,
        "plan": record.plan,
        "minor": record.price.minor,
        "currency": record.price.currency,
        "provider": record.provider,
        "hold": record.hold,
        "route": record.route,
        "results": record.results,
        "period": record.period_ms,
        "status": CheckoutStatus.OPEN.value,
        "created": record.created,
    }
    if record.renews is not None:
        fields |= {"renews": f"{record.renews.count} {record.renews.unit}", "grace": record.renews.grace_ms}
    return [part for pair in fields.items() for part in pair]
