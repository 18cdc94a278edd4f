"""What the histories are made of: few names, so that they meet each other, and instants far apart."""

from __future__ import annotations

import time

from hypothesis import strategies as st

from gateway.core.money import Money
from gateway.core.quantity import DAY, HOUR, MINUTE
from gateway.ports.cashbook import CheckoutRecord, Refund, Settlement
from gateway.ports.state import HoldRecord

STEP = 10 * MINUTE
"""All instants of a history lie so far apart, or more, that what the history itself takes does not count."""

TIMES = (STEP, STEP, HOUR - STEP, HOUR, HOUR, DAY, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 180 * DAY, 366 * DAY)
"""How long nothing happens; the short ones more often."""

TRIALS = (DAY, 0, 14 * DAY)
PERIODS = (HOUR, DAY, 30 * DAY)

CHUNKS = {"h0": 0, "h1": 1, "h2": 2}
SIZES = (100, 4_000, 9_000)
MAX_TOTAL = 10_000

PRICE = Money(300, "USD")
PAYMENTS = ("p1", "p2", "p3", "p4")
FROM_WALLET = ("w1", "w2")
CHECKOUTS = {
    record.id: record
    for record in (
        CheckoutRecord("month", "o1", "month", PRICE, "sandbox", period_ms=30 * DAY),
        CheckoutRecord("five", "o1", "five", PRICE, "sandbox", "h1", "exports", results=5),
        CheckoutRecord("hold", "o1", "route", PRICE, "sandbox", "h1", "exports"),
        CheckoutRecord("one", "o2", "one", PRICE, "sandbox", "h2", "exports", results=1),
        CheckoutRecord("twin", "o2", "route", PRICE, "other", "h2", "exports"),
        CheckoutRecord("day", "o3", "day", PRICE, "sandbox", "h1", "exports", period_ms=DAY),
    )
}


def first_instant() -> int:
    """Where a history begins: near the real clock, never behind it, because the list of holds goes by the server's."""
    return (int(time.time() * 1000) // STEP + 1) * STEP


def chunk(hold: str, number: int) -> bytes:
    """What a chunk holds."""
    return f"{hold} chunk {number}".encode()


def fingerprint(hold: str) -> str:
    """The request that led to a hold; two of them come of the same."""
    return "same" if hold != "h2" else "other"


def hold(name: str, size: int, now: int, life: int) -> HoldRecord:
    """A result that is to be kept back."""
    return HoldRecord(
        id=name,
        route="exports",
        created=now,
        expires=now + life,
        size=size,
        chunks=CHUNKS[name],
        status=200,
        media_type="text/csv",
        filename="report.csv",
        teaser=b"{}",
        fingerprint=fingerprint(name),
        sealed_head=b"sealed \x00\xff",
    )


def settlements(is_right: bool = False) -> st.SearchStrategy[Settlement]:
    """Reports of payments: of checkouts that may be open, of the right amount or not, some of them known already."""
    amounts = [PRICE] if is_right else [PRICE, PRICE, Money(299, "USD"), Money(300, "EUR")]
    return st.builds(
        Settlement,
        event=st.sampled_from(["e1", "e2", "e3", "e4", ""]),
        payment=st.sampled_from(PAYMENTS),
        checkout=st.sampled_from([*sorted(CHECKOUTS), *([] if is_right else ["nobody"])]),
        amount=st.sampled_from(amounts),
        provider=st.sampled_from(["sandbox", "other"]),
    )


def out_of_the_wallet() -> st.SearchStrategy[Settlement]:
    """The same, taken out of the wallet."""
    return st.builds(
        Settlement,
        event=st.sampled_from(FROM_WALLET),
        payment=st.sampled_from(FROM_WALLET),
        checkout=st.sampled_from([*sorted(CHECKOUTS), "nobody"]),
        amount=st.sampled_from([PRICE, PRICE, Money(299, "USD")]),
        provider=st.just("wallet"),
        from_wallet=st.just(True),
    )


def refunds() -> st.SearchStrategy[Refund]:
    """Money that went back of payments that are known or not, in parts or whole."""
    reported = [(name, provider) for name in PAYMENTS for provider in ("sandbox", "other")]
    taken = [(name, "wallet") for name in FROM_WALLET for _ in range(2)]
    return st.builds(
        lambda paid, refund, minor, whole: Refund(refund, paid[0], paid[1], Money(minor, "USD"), whole),
        paid=st.sampled_from([*reported, *taken]),
        refund=st.sampled_from(["r1", "r2", "r3"]),
        minor=st.sampled_from([300, 200, 100, 301]),
        whole=st.booleans(),
    )
