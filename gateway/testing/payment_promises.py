"""Words that the contract suites of payment providers share: a checkout to pay, and how reports are handed over."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from typing import Any

import pytest

from gateway.core.money import Money
from gateway.ports.payment import (
    CheckoutRequest,
    PaymentReport,
    Pending,
    ProviderAnswer,
    ProviderRequest,
    RefundReport,
    Started,
    WebhookRejected,
)
from gateway.testing.desk import NotingDesk, Report
from gateway.testing.payment_rig import Rig

REFERENCE = "AZaz09_-checkout-id_0123456789.sealed_subject-ABCDEFGHIJKLMNOPQRSTUVWXYZabcd-_09"
"""As long as a reference can be, of every kind of character that one can have."""
_CURRENCY = re.compile(r"[A-Z]{3}")


def a_checkout(rig: Rig, price: Money | None = None, reference: str = REFERENCE, **more: Any) -> CheckoutRequest:
    """Something to pay: the rig's first price unless another is given."""
    site = "https://paywall.example" if rig.provider.form_origins else ""
    back = {"success": f"{site}{rig.host.prefix}/paid?checkout=1", "cancel": f"{site}{rig.host.prefix}/offer?route=a"}
    told: dict[str, Any] = {"title": "A report", **back, **more}
    return CheckoutRequest(reference=reference, amount=price or rig.prices[0], **told)


def pending(rig: Rig, started: Started | None, request: CheckoutRequest) -> Pending:
    """The same checkout as the gateway remembers it; without its session where the gateway could not keep it."""
    return Pending(request.reference, started.session if started else "", request.amount, rig.host.now())


async def deliver(rig: Rig, requests: Iterable[ProviderRequest], desk: NotingDesk) -> list[ProviderAnswer]:
    """Hand requests over as the gateway does; each must be taken well."""
    answers = []
    for request in requests:
        answer = await rig.provider.answer(request, desk)
        assert 200 <= answer.status < 400, (answer.status, answer.body)
        answers.append(answer)
    return answers


async def heard(rig: Rig, request: ProviderRequest, desk: NotingDesk) -> ProviderAnswer | None:
    """Hand over what may be anything: the answer, or None where it was rejected. It raises nothing else."""
    try:
        return await rig.provider.answer(request, desk)
    except WebhookRejected as rejected:
        assert_tells_no_secret(rig, rejected)
        assert str(rejected).strip(), "a rejection says why"
        return None


async def rejected(rig: Rig, request: ProviderRequest, why: str) -> None:
    """Hand over what must be rejected, with nothing reported."""
    desk = NotingDesk()
    with pytest.raises(WebhookRejected) as caught:
        answer = await rig.provider.answer(request, desk)
        pytest.fail(f"{why}: it was taken, and answered {answer.status}")
    assert_tells_no_secret(rig, caught.value)
    assert not desk.reports, why


def assert_tells_no_secret(rig: Rig, error: BaseException | None = None) -> None:
    """Neither an error, with all that it came of, nor the log may have a secret in it."""
    said = [*rig.host.lines, *(traceback.format_exception(error) if error else ())]
    for secret in rig.secrets:
        assert not [line for line in said if secret in line], "a secret was told"


def assert_well_formed(report: Report) -> None:
    """A report must be fit for the books, whatever came in."""
    texts = [report.reference]
    amounts: list[Money | None] = []
    if isinstance(report, PaymentReport):
        settlement = report.settlement
        texts += [settlement.event, settlement.payment, settlement.subscription]
        amounts += [settlement.amount, settlement.charged]
        assert settlement.event and settlement.payment
    elif isinstance(report, RefundReport):
        texts += [report.refund, report.payment]
        amounts.append(report.amount)
        assert report.refund and report.payment
    for text in texts:
        assert type(text) is str and len(text.encode()) <= 1_000
    for amount in amounts:
        if amount is not None:
            assert type(amount.minor) is int and 0 <= amount.minor < 10**15
            assert type(amount.currency) is str and _CURRENCY.fullmatch(amount.currency)


def only_payment(desk: NotingDesk) -> PaymentReport:
    """The payment that was reported, be it several times: once by its payment id, each time the same."""
    assert desk.payments, "no payment was reported"
    first = desk.payments[0]
    for other in desk.payments[1:]:
        assert (other.settlement.payment, other.reference) == (first.settlement.payment, first.reference)
        assert other.settlement.amount == first.settlement.amount
    return first
