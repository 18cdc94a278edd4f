"""The whole of what is promised of one subject."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gateway.core.money import Money as Amount
from gateway.core.quantity import DAY, HOUR, Allowance
from gateway.core.standing import SubjectState
from gateway.ports.cashbook import (
    CheckoutOutcome,
    CheckoutRecord,
    CheckoutStatus,
    OpenedCheckout,
    Refund,
    RefundOutcome,
    Settlement,
    SettleOutcome,
)
from gateway.ports.state import (
    DELIVERED_MS,
    NEVER,
    DeclineOutcome,
    ReleaseOutcome,
    TakeOutcome,
    Taking,
    TrialBegin,
)
from tests.model.keeping import Keeping
from tests.model.money import HOLD_DURING_CHECKOUT_MS, PAID, Money
from tests.model.purses import GracePurse, NumberPurse

ALLOWANCES = {"exports": Allowance(2, HOUR), "charts": Allowance(2, 0), "maps": Allowance(1, 30 * DAY)}


UNPAID_AGAIN_MS = 7 * DAY


def _purses() -> dict[str, GracePurse]:
    return {scope: GracePurse(allowance) for scope, allowance in ALLOWANCES.items()}


@dataclass
class Promised:
    """A subject as its verbs promise to leave it. Instants are arguments, and never go back."""

    trial_started: int = 0
    trial_ends: int = 0
    entitled_until: int = 0
    declined_at: int = 0
    reason: str = ""
    note: str = ""
    erased_at: int = 0
    unknown: str = ""
    wallet: int = 0
    """US cents."""
    settled: int = 0
    """Credits that went with releases."""
    grace: dict[str, GracePurse] = field(default_factory=_purses)
    credit: NumberPurse = field(default_factory=NumberPurse)
    window: NumberPurse = field(default_factory=lambda: NumberPurse(ends=0))
    keeping: Keeping = field(default_factory=Keeping)
    money: Money = field(default_factory=Money)

    def pass_time(self, now: int) -> None:
        """It is this late by now."""
        self.keeping.pass_time(now)
        self.money.pass_time(now)

    def state(self, scope: str, now: int) -> SubjectState:
        """What a visit reads that asks for this purse."""
        unpaid = self.keeping.unpaid()
        return SubjectState(
            trial_started=self.trial_started,
            trial_ends=self.trial_ends,
            entitled_until=self.entitled_until,
            credits=self.credit.left,
            window_ends=self.window.ends or 0,
            window_left=self.window.left,
            declined_at=self.declined_at,
            decline_reason=self.reason,
            settled=self.settled,
            grace_used=len(self.grace[scope].used(now)) if scope else 0,
            holds=len(unpaid),
            held_bytes=sum(each.size for each in unpaid),
            unknown_checkout=self.unknown,
        )

    def visit(self, begin: TrialBegin | None, scope: str, now: int, taking: Taking | None) -> SubjectState:
        """Look, begin the trial where none ever began, take a grace result where it is all there is."""
        begins = begin is not None and not self.trial_started
        if begin is not None and begins:
            self._begin_trial(begin.from_ms or now, begin.length_ms)
        took = False
        if taking is not None and self._has_nothing_but_grace(taking.credits, now):
            took = self.grace[scope].take(taking.operation, now).outcome is not TakeOutcome.EXHAUSTED
        state = replace(self.state(scope, now), trial_began=begins, grace_taken=took)
        return replace(state, grace_used=state.grace_used - took)

    def decline(self, reason: str, note: str, now: int) -> DeclineOutcome:
        """The first one's date, the last one's words."""
        is_first = not self.declined_at
        self.declined_at = self.declined_at or now
        self.reason, self.note = reason, note
        return DeclineOutcome.DECLINED if is_first else DeclineOutcome.ALREADY_DECLINED

    def release(self, hold: str, credits: bool, now: int) -> ReleaseOutcome:
        """Give it out where it is paid, was given out before, or there is a right."""
        record = self.keeping.held.get(hold)
        if record is None:
            return ReleaseOutcome.GONE
        if not record.paid and not record.released and max(self.entitled_until, self.trial_ends) <= now:
            if not credits or self.credit.left < 1:
                return ReleaseOutcome.UNPAID
            self.credit.left -= 1
            self.money.ledger.append({"kind": "spend", "at": now, "hold": hold})
            self.keeping.pay(hold, now)
        record = self.keeping.held[hold]
        ends = now + DELIVERED_MS if record.paid else record.expires
        self.keeping.held[hold] = replace(record, released=record.released or now, expires=ends)
        return ReleaseOutcome.RELEASED

    def open_checkout(self, record: CheckoutRecord, settled: int, now: int) -> OpenedCheckout:
        """Open it, and keep what is about to be paid for."""
        opened = self.money.open(record, settled != self.settled, now)
        if record.hold and opened.outcome in (CheckoutOutcome.OPENED, CheckoutOutcome.REOPENED):
            self.keeping.keep_until(record.hold, now + HOLD_DURING_CHECKOUT_MS)
        return opened

    def settle(self, settlement: Settlement, now: int) -> SettleOutcome:
        """Credit it once."""
        money = self.money
        if money.belongs_to_nobody(settlement):
            return SettleOutcome.ANOTHERS
        is_anothers = money.is_event_of_another(settlement)
        if money.known & (money.names(settlement) - ({money.event(settlement)} if is_anothers else set())):
            return SettleOutcome.REPLAYED
        record = money.checkouts.get(settlement.checkout)
        if self.unknown == settlement.checkout:
            self.unknown = money.unknown(but=settlement.checkout)
        if record is None:
            return self._unmatched(SettleOutcome.UNKNOWN_CHECKOUT, settlement, now)
        if record.price != settlement.amount or is_anothers:
            if record.status not in PAID and not settlement.from_wallet:
                money.checkouts[record.id] = replace(record, status=CheckoutStatus.MISMATCH)
            return self._unmatched(SettleOutcome.MISMATCH, settlement, now)
        held = self.keeping.held.get(record.hold)
        pays_hold = held is not None and not held.paid and not held.released
        gives = record.period_ms or record.results or pays_hold
        if (settlement.provider, settlement.payment) in money.gone:
            return self._went_back_before(record, settlement, pays_hold, now)
        if settlement.from_wallet and not gives:
            return SettleOutcome.NEEDLESS
        if settlement.from_wallet and self.wallet < settlement.amount.minor:
            return SettleOutcome.INSUFFICIENT
        if not gives:
            money.enter("surplus", now, settlement, **_paid_checkout(record, takes=False))
            money.mark(settlement, CheckoutStatus.SURPLUS)
            return SettleOutcome.SURPLUS
        self._give(record, settlement, pays_hold, now)
        return SettleOutcome.SETTLED

    def _unmatched(self, outcome: SettleOutcome, settlement: Settlement, now: int) -> SettleOutcome:
        """Money has come and gives nothing; out of the wallet none was taken."""
        if not settlement.from_wallet:
            self.money.enter_unmatched(outcome, now, settlement)
        return outcome

    def _went_back_before(
        self, record: CheckoutRecord, settlement: Settlement, pays_hold: bool, now: int
    ) -> SettleOutcome:
        told = _paid_checkout(record, pays_hold)
        told |= {name: value for name in ("period_ms", "results") if (value := getattr(record, name))}
        self.money.enter("refunded", now, settlement, **told)
        self.money.mark(settlement, CheckoutStatus.REFUNDED, took_hold=pays_hold)
        self.settled += 1
        return SettleOutcome.REFUNDED

    def close_checkout(self, checkout: str, status: CheckoutStatus) -> CheckoutStatus | None:
        """While one is unknown, the subject says which."""
        stands = self.money.close(checkout, status)
        if stands is CheckoutStatus.UNKNOWN:
            self.unknown = checkout
        elif stands not in (None, *PAID) and self.unknown == checkout:
            self.unknown = self.money.unknown(but=checkout)
        return stands

    def credit_wallet(self, operation: str, amount: Amount, now: int) -> int:
        """Put money into the wallet, once; what is in it then."""
        if self._is_new("credit", operation):
            self.wallet += amount.minor
            entry = {"kind": "credit", "at": now, "operation": operation, "amount": amount.minor}
            self.money.ledger.append({**entry, "currency": amount.currency})
        return self.wallet

    def refund(self, back: Refund, now: int) -> RefundOutcome:
        """Take back what a payment gave of which nothing is left, as far as it was not used."""
        money, payment = self.money, (back.provider, back.payment)
        paid, name = money.credited(*payment), (*payment, back.refund)
        is_known = name in money.refunds
        is_given = paid is not None and paid["kind"] == "payment"
        from_wallet = bool(is_given and paid and paid.get("from_wallet"))
        if paid and from_wallet and not is_known and back.amount.minor > money.left(paid):
            return RefundOutcome.TOO_MUCH
        if is_known:
            return RefundOutcome.REPLAYED
        revokes = is_given and back.is_whole and payment not in money.gone
        told: dict[str, object] = {"kind": "refund", "at": now, "refund": back.refund}
        told |= {"provider": back.provider, "payment": back.payment}
        told |= {"amount": back.amount.minor, "currency": back.amount.currency}
        told |= {"whole": True} if back.is_whole else {}
        if paid and revokes:
            told |= self._take_back(paid, now)
        if from_wallet:
            self.wallet += back.amount.minor
            told["from_wallet"] = True
        told |= {"checkout": paid["checkout"], "plan": paid["plan"]} if paid else {"early": True}
        money.ledger.append(told)
        money.refunds.add(name)
        money.gone |= {payment} if back.is_whole else set()
        return RefundOutcome.EARLY if paid is None else RefundOutcome.REVOKED if revokes else RefundOutcome.NOTED

    def _take_back(self, paid: dict[str, object], now: int) -> dict[str, object]:
        """Of the period what is to come, of the results what is there, and the hold unless it was taken."""
        told: dict[str, object] = {}
        if "entitled_until" in paid:
            period, ends = int(str(paid["period_ms"])), min(int(str(paid["entitled_until"])), self.entitled_until)
            unused = max(0, min(period, ends - now))
            self.entitled_until -= unused
            told |= {"period_ms": unused, "entitled_until": self.entitled_until}
        took = bool(paid.get("took_hold"))
        results = min(int(str(paid.get("results", 0))) - took, self.credit.left)
        if results > 0:
            self.credit.left -= results
            told["results"] = results
        hold = str(paid.get("hold", ""))
        if took and self.keeping.unpay(hold, now + UNPAID_AGAIN_MS):
            told["hold"] = hold
        return told

    def extend(self, operation: str, by_ms: int, now: int) -> None:
        """More trial, once."""
        if self._is_new("extension", operation):
            self.trial_started = self.trial_started or now
            self.trial_ends = max(self.trial_ends, now) + by_ms
            entry = {"kind": "extension", "at": now, "operation": operation}
            self.money.ledger.append({**entry, "by_ms": by_ms, "trial_ends": self.trial_ends})

    def expire(self, now: int) -> None:
        """No more trial."""
        self.trial_started = self.trial_started or now
        self.trial_ends = min(self.trial_ends or now, now)

    def grant(self, operation: str, period_ms: int, results: int, now: int) -> None:
        """Something for nothing, once."""
        if self._is_new("grant", operation):
            entry = {"kind": "grant", "at": now, "operation": operation, "period_ms": period_ms, "results": results}
            if period_ms:
                self.entitled_until = max(self.entitled_until, now) + period_ms
                entry["entitled_until"] = self.entitled_until
            self.credit.left += results
            self.money.ledger.append(entry)

    def take_in(self, key: str, trial: int | None, period_ms: int, results: int, now: int) -> None:
        """What a visitor had is this one's, once; of two trials the one that began first stands."""
        entry: dict[str, object] = {"kind": "merge", "at": now, "from": key, "operation": f"{key}:1"}
        entry |= {"period_ms": period_ms, "results": results}
        if trial is not None:
            own, both = self.trial_ends, (self.trial_started, now)
            first = now + trial if not self.trial_started or now < self.trial_started else own
            if self.trial_started and any(each["kind"] == "extension" for each in self.money.ledger):
                first = max(first, own)
            self.trial_started, self.trial_ends = min(each for each in both if each), first
            entry["trial_ends"] = first
        if period_ms:
            self.entitled_until = max(self.entitled_until, now) + period_ms
            entry["entitled_until"] = self.entitled_until
        self.credit.left += results
        self.money.ledger.append(entry)

    def erase(self, ledger: bool, now: int) -> None:
        """Nothing personal is left; that there was a trial is known, and what was paid."""
        ended = min(self.trial_ends, now) if self.trial_started else 0
        money = self.money.erased() if ledger else replace(self.money, checkouts={}, ends={}, paid_by={})
        if money.ledger:
            left = max(self.entitled_until - now, 0)
            wallets = {"wallets": {"USD": str(self.wallet)}} if self.wallet else {}
            ended_with = {"kind": "erasure", "at": now, "period_ms": left, "results": self.credit.left}
            money.ledger.append(ended_with | wallets)
        settled = self.settled if money.ledger else 0
        kept = Promised(trial_started=ended, trial_ends=ended, erased_at=now, settled=settled, money=money)
        self.__dict__.update(kept.__dict__)

    def _is_new(self, kind: str, operation: str) -> bool:
        is_new = (kind, operation) not in self.money.given
        self.money.given.add((kind, operation))
        return is_new

    def _begin_trial(self, start: int, length_ms: int) -> None:
        self.trial_started, self.trial_ends = start, start + length_ms

    def _has_nothing_but_grace(self, credits_count: bool, now: int) -> bool:
        is_paid = self.entitled_until > now or (credits_count and self.credit.left > 0)
        is_in_window = (self.window.ends or 0) > now and self.window.left > 0
        is_in_trial = self.trial_ends > now or not self.trial_started
        return not (is_paid or is_in_window or is_in_trial or self.declined_at)

    def _give(self, record: CheckoutRecord, settlement: Settlement, pays_hold: bool, now: int) -> None:
        money, told = self.money, _paid_checkout(record, pays_hold)
        is_again = record.offer in money.paid_by
        money.paid_by.setdefault(record.offer, record.id)
        if is_again:
            told["again"] = True
        if record.period_ms:
            self.entitled_until = max(self.entitled_until, now) + record.period_ms
            told |= {"period_ms": record.period_ms, "entitled_until": self.entitled_until}
        if record.results:
            told["results"] = record.results
            self.credit.left += record.results
        if pays_hold:
            self.keeping.pay(record.hold, NEVER)
            self.credit.left -= 1 if record.results else 0
        if settlement.from_wallet:
            self.wallet -= settlement.amount.minor
            told["from_wallet"] = True
        money.enter("payment", now, settlement, **told)
        money.mark(settlement, CheckoutStatus.PAID, is_again, pays_hold)
        self.declined_at, self.reason, self.note = 0, "", ""
        self.settled += 1


def _paid_checkout(record: CheckoutRecord, takes: bool) -> dict[str, object]:
    """What the ledger has of a checkout that was paid, apart from what it gave."""
    told: dict[str, object] = {"created": record.created}
    told |= {name: value for name in ("hold", "route") if (value := getattr(record, name))}
    told |= {"took_hold": True} if takes else {}
    return told | ({"took_hold_before": True} if record.took_hold else {})
