"""The contract suite complains: each of its promises is broken once, and the suite must notice."""

from __future__ import annotations

import asyncio
import importlib
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.core.money import Money
from gateway.ports.payment import (
    CheckoutRequest,
    Desk,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    ProviderUnavailable,
    RefundReport,
    Started,
    WebhookRejected,
)
from gateway.ports.state import StoreUnavailable
from gateway.testing.payment_rig import Trouble
from gateway_pay_stripe.provider import StripeProvider
from tests.plugins.pay.stripe_rig import stripe_rig
from tests.plugins.pay.test_stripe import TestStripe as Suite

Patch = pytest.MonkeyPatch
module: Any = importlib.import_module("gateway_pay_stripe.provider")
_begin, _answer, _look, _refund = (
    StripeProvider.begin, StripeProvider.answer, StripeProvider.look, StripeProvider.refund,
)  # fmt: skip


def believes_everybody(patch: Patch) -> None:
    patch.setattr(module, "check_signature", lambda headers, body, secrets, now: None)


def forgets_the_time(patch: Patch) -> None:
    patch.setattr("gateway_pay_stripe.signature.TOLERANCE_MS", 10**18)


def knows_one_secret(patch: Patch) -> None:
    real = module.check_signature
    patch.setattr(module, "check_signature", lambda headers, body, secrets, now: real(headers, body, secrets[:1], now))


def takes_play_money(patch: Patch) -> None:
    real = module._decoded
    patch.setattr(module, "_decoded", lambda body: {**real(body), "livemode": False})


def believes_shapes(patch: Patch) -> None:
    patch.setattr("gateway_pay_stripe.reports.whole", lambda told, *path: told[path[0]])


def begins_twice(patch: Patch) -> None:
    async def begin(self: StripeProvider, request: CheckoutRequest) -> Started:
        return await _begin(self, replace(request, session=""))

    real = module.StripeApi.post

    async def post(self: Any, kind: str, path: str, key: str = "", **more: Any) -> Any:
        return await real(self, kind, path, uuid.uuid4().hex, **more)

    patch.setattr(StripeProvider, "begin", begin)
    patch.setattr(module.StripeApi, "post", post)


def answers_before_the_desk(patch: Patch) -> None:
    async def answer(self: StripeProvider, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        self.__dict__["later"] = asyncio.create_task(_answer(self, request, desk))
        await asyncio.sleep(0)
        return ProviderAnswer(200, [], b"")

    patch.setattr(StripeProvider, "answer", answer)


def hides_the_store(patch: Patch) -> None:
    async def answer(self: StripeProvider, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        try:
            return await _answer(self, request, desk)
        except StoreUnavailable:
            return ProviderAnswer(200, [], b"")

    patch.setattr(StripeProvider, "answer", answer)


def takes_silence_for_unpaid(patch: Patch) -> None:
    async def look(self: StripeProvider, pending: Pending, desk: Desk) -> Progress:
        try:
            return await _look(self, pending, desk)
        except ProviderUnavailable:
            return Progress.OPEN

    patch.setattr(StripeProvider, "look", look)


def counts_cents_everywhere(patch: Patch) -> None:
    patch.setattr("gateway_pay_stripe.reports.from_stripe", lambda minor, currency: Money(minor, currency.upper()))


def cuts_the_reference(patch: Patch) -> None:
    real = module.payment_of_session

    def cut(session: Any, event: str) -> PaymentReport:
        report: PaymentReport = real(session, event)
        return replace(report, reference=report.reference[:64])

    patch.setattr(module, "payment_of_session", cut)


def names_payments_by_event(patch: Patch) -> None:
    real = module.payment_of_session

    def named(session: Any, event: str) -> PaymentReport:
        report: PaymentReport = real(session, event)
        return replace(report, settlement=replace(report.settlement, payment=event))

    patch.setattr(module, "payment_of_session", named)


def tells_the_key(patch: Patch) -> None:
    async def begin(self: StripeProvider, request: CheckoutRequest) -> Started:
        try:
            return await _begin(self, request)
        except ProviderUnavailable:
            raise ProviderUnavailable(f"with the key {self._api._key} Stripe does not answer") from None

    patch.setattr(StripeProvider, "begin", begin)


def refuses_news(patch: Patch) -> None:
    async def answer(self: StripeProvider, request: ProviderRequest, desk: Desk) -> ProviderAnswer:
        if b"crypto" in request.body:
            raise WebhookRejected("never heard of it")
        return await _answer(self, request, desk)

    patch.setattr(StripeProvider, "answer", answer)


def refunds_again(patch: Patch) -> None:
    async def refund(
        self: StripeProvider, reference: str, payment: str, amount: Money, operation: str
    ) -> RefundReport | None:
        return await _refund(self, reference, payment, amount, uuid.uuid4().hex)

    patch.setattr(StripeProvider, "refund", refund)


def gives_all_back_in_parts(patch: Patch) -> None:
    async def refund(
        self: StripeProvider, reference: str, payment: str, amount: Money, operation: str
    ) -> RefundReport | None:
        report = await _refund(self, reference, payment, amount, operation)
        return report and replace(report, is_whole=True)

    patch.setattr(StripeProvider, "refund", refund)


def counts_the_first_period_twice(patch: Patch) -> None:
    async def completed(self: StripeProvider, session: Any, event: Any, desk: Desk) -> None:
        await desk.settle(module.payment_of_session(session, event["id"]))

    patch.setattr(StripeProvider, "_session_completed", completed)


def goes_on_after_the_end(patch: Patch) -> None:
    async def cancel(self: StripeProvider, reference: str, subscription: str) -> None:
        return None

    patch.setattr(StripeProvider, "cancel", cancel)


BROKEN: list[tuple[Callable[[Patch], None], str, tuple[Any, ...]]] = [
    (believes_everybody, "test_a_stranger_is_not_believed", ()),
    (believes_everybody, "test_another_s_signature_is_rejected", ()),
    (believes_everybody, "test_an_altered_body_is_rejected", ()),
    (believes_everybody, "test_an_altered_signature_is_rejected", ()),
    (forgets_the_time, "test_an_old_report_is_rejected_and_so_is_one_of_the_future", ()),
    (knows_one_secret, "test_every_secret_in_use_is_accepted", ()),
    (takes_play_money, "test_play_money_is_none_and_real_money_no_play", ()),
    (believes_shapes, "test_a_report_with_anything_wrong_in_it_gives_a_whole_report_or_none", ()),
    (refuses_news, "test_what_it_has_not_heard_of_is_taken_and_ignored", ()),
    (begins_twice, "test_begun_again_it_is_the_same_payment", ()),
    (begins_twice, "test_begun_again_in_other_words_it_is_the_same_payment", ()),
    (begins_twice, "test_a_provider_in_trouble_is_unavailable_and_then_begun_once", (Trouble.CUT,)),
    (answers_before_the_desk, "test_a_success_is_answered_after_the_desk_has_returned", ()),
    (hides_the_store, "test_what_the_store_can_not_take_goes_on_to_the_gateway", ()),
    (takes_silence_for_unpaid, "test_of_a_provider_in_trouble_nothing_is_known", (Trouble.BROKEN,)),
    (counts_cents_everywhere, "test_a_payment_is_reported_with_its_reference_and_what_was_paid", ()),
    (cuts_the_reference, "test_a_payment_is_reported_with_its_reference_and_what_was_paid", ()),
    (names_payments_by_event, "test_looking_reports_a_payment_as_its_webhook_does", ()),
    (tells_the_key, "test_a_provider_in_trouble_is_unavailable_and_then_begun_once", (Trouble.REFUSED,)),
    (refunds_again, "test_one_operation_is_one_refund", ()),
    (gives_all_back_in_parts, "test_a_part_and_then_the_rest", ()),
    (counts_the_first_period_twice, "test_the_first_payment_is_one_and_names_its_subscription", ()),
    (goes_on_after_the_end, "test_cancelled_it_ends_with_what_is_paid", ()),
]


@pytest.mark.parametrize(("breaks", "promise", "more"), BROKEN, ids=lambda each: getattr(each, "__name__", None))
async def test_a_broken_promise_is_noticed(
    monkeypatch: Patch, breaks: Callable[[Patch], None], promise: str, more: tuple[Any, ...]
) -> None:
    breaks(monkeypatch)
    async with stripe_rig(monkeypatch) as rig:
        with pytest.raises(BaseException) as caught:
            await getattr(Suite(), promise)(rig, *more)
        assert not isinstance(caught.value, TypeError | NameError | asyncio.CancelledError), caught.value
        later = rig.provider.__dict__.get("later")
        if later is not None:
            later.cancel()
            await asyncio.gather(later, return_exceptions=True)
