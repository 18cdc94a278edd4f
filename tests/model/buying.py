"""The rules of payments, refunds and the wallet."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.ports.cashbook import CheckoutStatus, Refund, Settlement
from tests.model import catalog
from tests.model.beside import SUBJECT, Beside

OPERATIONS = st.sampled_from("abc")
CLEARED = (CheckoutStatus.FAILED, CheckoutStatus.OPEN)


class Buying(Beside):
    """Checkouts, payments and money that goes back."""

    @rule(checkout=st.sampled_from(sorted(catalog.CHECKOUTS)), behind=st.sampled_from([0, 0, 1]))
    def open_checkout(self, checkout: str, behind: int) -> None:
        record, settled = catalog.CHECKOUTS[checkout], max(self.model.settled - behind, 0)
        opened = self.run(self.store.payments.open_checkout(SUBJECT, record, settled, self.now))
        self.agree(opened, self.model.open_checkout(record, settled, self.now))

    @rule(settlement=catalog.settlements())
    def settle(self, settlement: Settlement) -> None:
        outcome = self.run(self.store.payments.settle(SUBJECT, settlement, self.now))
        self.agree(outcome, self.model.settle(settlement, self.now))
        self.reported.append(settlement)

    @rule(settlement=catalog.settlements(is_right=True))
    def open_and_settle(self, settlement: Settlement) -> None:
        if settlement.checkout in catalog.CHECKOUTS:
            self.open_checkout(settlement.checkout, 0)
        self.settle(settlement)

    @precondition(lambda self: self.reported)
    @rule(place=st.integers(0, 9), event=st.sampled_from(["", "another event"]))
    def report_again(self, place: int, event: str) -> None:
        earlier = self.reported[place % len(self.reported)]
        self.settle(replace(earlier, event=event or earlier.event))

    @rule(settlement=catalog.out_of_the_wallet(), is_filled=st.booleans())
    def pay_from_wallet(self, settlement: Settlement, is_filled: bool) -> None:
        if is_filled and settlement.checkout in catalog.CHECKOUTS:
            self.credit_wallet(f"for {len(self.reported)}", 300)
            self.open_checkout(settlement.checkout, 0)
        self.settle(settlement)

    @rule(settlement=catalog.out_of_the_wallet())
    def two_give_it_back(self, settlement: Settlement) -> None:
        """Neither knows of the other."""
        self.pay_from_wallet(settlement, is_filled=True)
        for refund in ("r5", "r6"):
            self.refund(Refund(refund, settlement.payment, "wallet", settlement.amount, is_whole=True))

    @rule(letter=OPERATIONS, minor=st.sampled_from([0, 100, 300]))
    def credit_wallet(self, letter: str, minor: int) -> None:
        amount = Money(minor, "USD")
        balance = self.run(self.store.payments.credit(SUBJECT, letter, amount, "", self.now))
        self.agree(balance.minor, self.model.credit_wallet(letter, amount, self.now))

    @rule(
        checkout=st.sampled_from([*sorted(catalog.CHECKOUTS), "nobody"]),
        status=st.sampled_from([CheckoutStatus.FAILED, CheckoutStatus.UNKNOWN, CheckoutStatus.OPEN]),
    )
    def close_checkout(self, checkout: str, status: CheckoutStatus) -> None:
        stands = self.run(self.store.payments.close_checkout(SUBJECT, checkout, status))
        self.agree(stands, self.model.close_checkout(checkout, status))

    @rule(two=st.permutations(sorted(catalog.CHECKOUTS)), status=st.sampled_from(CLEARED))
    def come_back_in_two_tabs(self, two: list[str], status: CheckoutStatus) -> None:
        """Of both nobody can say, and then of one."""
        for checkout in two[:2]:
            self.open_checkout(checkout, 0)
            self.close_checkout(checkout, CheckoutStatus.UNKNOWN)
        self.close_checkout(two[1], status)

    @rule(back=catalog.refunds())
    def refund(self, back: Refund) -> None:
        self.agree(self.run(self.store.payments.refund(SUBJECT.key, back, self.now)), self.model.refund(back, self.now))

    @precondition(lambda self: self.reported)
    @rule(place=st.integers(0, 9), refund=st.sampled_from(["r1", "r2"]), is_whole=st.booleans())
    def refund_what_was_reported(self, place: int, refund: str, is_whole: bool) -> None:
        earlier = self.reported[place % len(self.reported)]
        amount = earlier.amount if is_whole else Money(100, earlier.amount.currency)
        self.refund(Refund(refund, earlier.payment, earlier.provider, amount, is_whole))

    @rule(settlement=catalog.settlements(is_right=True), after=st.sampled_from([DAY, 7 * DAY]))
    def pay_and_think_better_of_it(self, settlement: Settlement, after: int) -> None:
        """All of it goes back when some of it was used."""
        self.open_and_settle(settlement)
        self.pass_time(after)
        self.refund(Refund("r4", settlement.payment, settlement.provider, settlement.amount, is_whole=True))
