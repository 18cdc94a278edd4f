"""What can be tried with the sandbox: each button reports what a real provider would, and says what it did."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

import pytest

from gateway.core.money import Money
from gateway.core.rule import PeriodUnit, Renewal
from gateway.ports.cashbook import SettleOutcome, SubscriptionStatus
from gateway.ports.payment import (
    CheckoutRequest,
    FailureReport,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    Refunding,
    RefundReport,
    Renewing,
    SubscriptionReport,
    WebhookRejected,
)
from gateway_pay_sandbox.provider import SandboxProvider, SandboxSettings
from tests.plugins.desk import NotingDesk
from tests.plugins.host import FakeHost

PRICE = Money(1900, "USD")
ORDER = CheckoutRequest("checkout1234.sealed", PRICE, "Pro <b>& more</b>", "/paid?checkout=1", "/offer?a=1&b=2")
MONTHLY = CheckoutRequest("checkout5678.sealed", PRICE, "Pro", "/paid", "/offer", renews=Renewal(PeriodUnit.MONTH))


class Visit:
    """Somebody on the sandbox's page."""

    def __init__(self, order: CheckoutRequest = ORDER, outcome: SettleOutcome = SettleOutcome.SETTLED) -> None:
        self.host, self.order, self.desk = FakeHost(), order, NotingDesk(outcome)
        self.provider = SandboxProvider(SandboxSettings(), self.host)

    async def ask(self, method: str = "GET", body: str = "", query: str = "") -> ProviderAnswer:
        query = query or urlsplit((await self.provider.begin(self.order)).address).query
        return await self.provider.answer(ProviderRequest(method, "pay", query, [], body.encode()), self.desk)

    async def press(self, choice: str, press: str = "") -> ProviderAnswer:
        return await self.ask("POST", urlencode({"choice": choice, "press": press}))

    async def progress(self) -> Progress:
        session = self.desk.notes[-1][1] if self.desk.notes else ""
        return await self.provider.look(Pending(self.order.reference, session, PRICE, 0), self.desk)


def buttons(answer: ProviderAnswer) -> set[str]:
    return set(re.findall(r'name="choice" value="([^"]+)"', answer.body.decode()))


def text(answer: ProviderAnswer) -> str:
    return answer.body.decode()


async def test_the_page_says_what_it_is_and_takes_nothing_for_html() -> None:
    page = text(await Visit().ask())
    assert "No money moves." in page and "19.00 USD" in page
    assert "<b>" not in page and "Pro &lt;b&gt;&amp; more&lt;/b&gt;" in page


async def test_paying_reports_the_price_under_one_id_however_often_it_is_pressed() -> None:
    visit = Visit()
    answers = [await visit.press("pay") for _ in range(2)]
    assert {(answer.status, dict(answer.headers)[b"location"]) for answer in answers} == {(303, b"/paid?checkout=1")}
    first, again = visit.desk.reports
    assert isinstance(first, PaymentReport) and first == again
    assert (first.reference, first.settlement.amount) == (ORDER.reference, PRICE)


async def test_another_amount_is_another_payment_and_the_page_says_that_it_was_not_taken() -> None:
    visit = Visit(outcome=SettleOutcome.MISMATCH)
    answer = await visit.press("other")
    assert answer.status == 409 and "did not take this payment: another amount was agreed" in text(answer)
    await visit.press("pay")
    other, right = visit.desk.reports
    assert isinstance(other, PaymentReport) and isinstance(right, PaymentReport)
    assert other.settlement.amount == Money(1901, "USD")
    assert other.settlement.payment != right.settlement.payment


async def test_a_refused_card_charges_nothing_and_leaves_the_checkout_open() -> None:
    visit = Visit()
    assert "refused the card. Nothing was charged." in text(await visit.press("refuse"))
    assert not visit.desk.reports and await visit.progress() is Progress.OPEN


async def test_a_bank_that_takes_two_days_is_waited_for_and_then_confirms() -> None:
    visit = Visit()
    waiting = await visit.press("later")
    assert buttons(waiting) == {"pay", "fail"} and 'href="/paid?checkout=1"' in text(waiting)
    assert await visit.progress() is Progress.PROCESSING and not visit.desk.reports
    assert (await visit.press("pay")).status == 303
    assert [type(report) for report in visit.desk.reports] == [PaymentReport]


async def test_a_bank_that_takes_two_days_may_refuse() -> None:
    visit = Visit()
    await visit.press("later")
    assert "Nothing was charged." in text(await visit.press("fail"))
    assert visit.desk.reports == [FailureReport(ORDER.reference)] and await visit.progress() is Progress.CLOSED


async def test_turning_back_leads_to_the_offer() -> None:
    assert dict((await Visit().press("cancel")).headers)[b"location"] == b"/offer?a=1&b=2"


async def test_what_is_paid_can_be_given_back_and_not_paid_again() -> None:
    visit = Visit()
    assert "refund" not in buttons(await visit.ask())
    await visit.press("pay")
    assert buttons(await visit.ask()) == {"refund"}
    assert "what it gave was taken back" in text(await visit.press("refund"))
    paid, refunded = visit.desk.reports
    assert isinstance(paid, PaymentReport) and isinstance(refunded, RefundReport)
    assert (refunded.payment, refunded.amount, refunded.is_whole) == (paid.settlement.payment, PRICE, True)


async def test_the_gateway_gives_back_a_part_or_all_once_for_one_operation() -> None:
    visit = Visit()
    await visit.press("pay")
    (paid,) = visit.desk.reports
    assert isinstance(paid, PaymentReport) and isinstance(visit.provider, Refunding)
    part, again, whole = [
        await visit.provider.refund(ORDER.reference, paid.settlement.payment, Money(minor, "USD"), operation)
        for minor, operation in ((900, "a"), (900, "a"), (1900, "b"))
    ]
    assert part and whole and part == again
    assert (part.is_whole, whole.is_whole) == (False, True) and part.refund != whole.refund


async def test_a_subscription_renews_once_for_one_press() -> None:
    visit = Visit(MONTHLY)
    assert "Renews every</dt><dd>1 month<" in text(await visit.ask())
    await visit.press("pay")
    assert buttons(await visit.ask()) == {"renew", "renewal-fails", "unsubscribe", "end", "refund"}
    for press in ("1", "1", "2"):
        assert "renewed and paid" in text(await visit.press("renew", press))
    first, renewed, twice, later = [each.settlement for each in visit.desk.reports if isinstance(each, PaymentReport)]
    assert renewed == twice and len({each.payment for each in (first, renewed, later)}) == 3
    assert {each.subscription for each in (first, renewed, later)} == {first.subscription} != {""}


@pytest.mark.parametrize(
    ("choice", "status"),
    [
        ("renewal-fails", SubscriptionStatus.PAST_DUE),
        ("unsubscribe", SubscriptionStatus.CANCELLED),
        ("end", SubscriptionStatus.ENDED),
    ],
)
async def test_a_subscription_fails_and_ends(choice: str, status: SubscriptionStatus) -> None:
    visit = Visit(MONTHLY)
    await visit.press("pay")
    visit.host.pass_time(1000)
    assert (await visit.press(choice)).status == 200
    paid, report = visit.desk.reports
    assert isinstance(paid, PaymentReport) and isinstance(visit.provider, Renewing)
    subscription = paid.settlement.subscription
    assert report == SubscriptionReport(MONTHLY.reference, subscription, status, visit.host.now())


async def test_a_single_payment_has_no_subscription_and_no_plan_is_changed() -> None:
    visit = Visit()
    await visit.press("pay")
    (paid,) = visit.desk.reports
    assert isinstance(paid, PaymentReport) and not paid.settlement.subscription
    with pytest.raises(ProviderUnavailable):
        await visit.provider.change(MONTHLY.reference, "s", MONTHLY)


@pytest.mark.parametrize("choice", ["", "pay ", "steal", "réfund"])
async def test_no_other_word_does_anything(choice: str) -> None:
    visit = Visit()
    assert "Nothing was charged." in text(await visit.press(choice))
    assert not visit.desk.reports


async def test_an_order_of_somebody_elses_making_is_refused() -> None:
    visit = Visit()
    query = urlsplit((await visit.provider.begin(ORDER)).address).query
    for forged in ("", query[:-1] + ("0" if query[-1] != "0" else "1"), query.replace("order=", "order=x")):
        with pytest.raises(WebhookRejected):
            await visit.ask("POST", "choice=pay", forged or "order=&tag=")
    assert not visit.desk.reports
