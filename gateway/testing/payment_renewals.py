"""What a payment provider promises that sells subscriptions (`gateway.ports.payment.Renewing`), as tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.core.money import Money
from gateway.core.rule import PeriodUnit, Renewal
from gateway.ports.cashbook import SubscriptionStatus
from gateway.ports.payment import CheckoutRequest, PaymentReport, Progress, ProviderUnavailable, Renewing, Started
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_promises import (
    REFERENCE,
    a_checkout,
    assert_tells_no_secret,
    assert_well_formed,
    deliver,
    only_payment,
    pending,
)
from gateway.testing.payment_provider import PaymentProviderContract
from gateway.testing.payment_rig import RenewingRig, Trouble

MONTHLY = Renewal(PeriodUnit.MONTH)
_DAY_MS = 86_400_000


class RenewingContract(PaymentProviderContract):
    """A provider that sells subscriptions."""

    async def _subscribed(self, rig: RenewingRig) -> tuple[CheckoutRequest, Started, PaymentReport]:
        """A subscription of a month, and the report of its first payment."""
        request, desk = a_checkout(rig, renews=MONTHLY, plan="pro", mail="ann@example.com"), NotingDesk()
        started = await rig.provider.begin(request)
        await deliver(rig, await rig.pay(started), desk)
        for report in desk.reports:
            assert_well_formed(report)
        rig.sent()
        return request, started, only_payment(desk)

    async def test_the_first_payment_is_one_and_names_its_subscription(self, rig: RenewingRig) -> None:
        """However many reports there are of it."""
        request, started, report = await self._subscribed(rig)
        assert (report.reference, report.settlement.amount) == (REFERENCE, rig.prices[0])
        assert report.settlement.subscription
        until = report.settlement.paid_until
        assert not until or 27 * _DAY_MS < until - rig.host.now() < 32 * _DAY_MS
        desk = NotingDesk()
        assert await rig.provider.look(pending(rig, started, request), desk) is Progress.CLOSED
        assert only_payment(desk).settlement == replace(report.settlement, event=only_payment(desk).settlement.event)

    @pytest.mark.parametrize("unit", PeriodUnit)
    async def test_every_period_can_be_sold(self, rig: RenewingRig, unit: PeriodUnit) -> None:
        """By the day, the week, the month and the year, and by several of them."""
        for count in (1, 2):
            reference = f"{unit}-{count}"
            request = a_checkout(rig, reference=reference, renews=Renewal(unit, count))
            desk = NotingDesk()
            await deliver(rig, await rig.pay(await rig.provider.begin(request)), desk)
            assert only_payment(desk).reference == reference

    async def test_a_renewal_is_another_payment_of_the_same(self, rig: RenewingRig) -> None:
        """With the reference of the checkout that began it, and paid for longer."""
        _, started, first = await self._subscribed(rig)
        seen, until = {first.settlement.payment}, first.settlement.paid_until
        for _ in range(3):
            desk = NotingDesk()
            await deliver(rig, await rig.renew(started), desk)
            report = only_payment(desk)
            assert (report.reference, report.settlement.amount) == (REFERENCE, rig.prices[0])
            assert report.settlement.subscription == first.settlement.subscription
            assert report.settlement.payment not in seen
            assert not until or report.settlement.paid_until > until
            seen.add(report.settlement.payment)
            until = report.settlement.paid_until

    async def test_a_renewal_that_fails_is_past_due_and_can_be_paid_later(self, rig: RenewingRig) -> None:
        """The provider goes on trying."""
        _, started, first = await self._subscribed(rig)
        desk = NotingDesk()
        await deliver(rig, await rig.fail_renewal(started), desk)
        assert not desk.payments
        told = [report for report in desk.subscriptions if report.status is SubscriptionStatus.PAST_DUE]
        assert {(each.reference, each.subscription) for each in told} == {(REFERENCE, first.settlement.subscription)}
        assert all(0 <= rig.host.now() - each.at < _DAY_MS for each in told)

    async def test_cancelled_it_ends_with_what_is_paid(self, rig: RenewingRig) -> None:
        """Nothing more is taken, and asking twice changes nothing."""
        _, started, first = await self._subscribed(rig)
        assert isinstance(rig.provider, Renewing)
        for _ in range(2):
            await rig.provider.cancel(REFERENCE, first.settlement.subscription)
        desk = NotingDesk()
        await deliver(rig, rig.sent(), desk)
        assert {report.status for report in desk.subscriptions} == {SubscriptionStatus.CANCELLED}
        await deliver(rig, await rig.renew(started), desk)
        assert not desk.payments
        assert desk.subscriptions[-1].status is SubscriptionStatus.ENDED
        await rig.provider.cancel(REFERENCE, first.settlement.subscription)

    async def test_an_end_is_reported(self, rig: RenewingRig) -> None:
        """Be it that the provider gave up trying, or that somebody ended it there."""
        _, started, first = await self._subscribed(rig)
        desk = NotingDesk()
        await deliver(rig, await rig.end(started), desk)
        assert [(each.reference, each.subscription, each.status) for each in desk.subscriptions[-1:]] == [
            (REFERENCE, first.settlement.subscription, SubscriptionStatus.ENDED)
        ]

    @pytest.mark.parametrize("share", [4, 1])
    async def test_another_plan_is_what_the_next_period_costs(self, rig: RenewingRig, share: int) -> None:
        """A dearer one at once, with what is paid taken into account; a cheaper one from the next period on."""
        request, started, first = await self._subscribed(rig)
        price = Money(request.amount.minor * share // 2, request.amount.currency)
        assert isinstance(rig.provider, Renewing)
        other: dict[str, Any] = {"plan": "other", "title": "Other", "renews": MONTHLY}
        for _ in range(2):
            await rig.provider.change(REFERENCE, first.settlement.subscription, a_checkout(rig, price, **other))
        at_once = NotingDesk()
        await deliver(rig, rig.sent(), at_once)
        taken = {report.settlement for report in at_once.payments}
        if price < request.amount:
            assert not taken
        assert all(each.amount == price and (each.charged or each.amount) <= price for each in taken)
        assert len(taken) <= 1
        desk = NotingDesk()
        await deliver(rig, await rig.renew(started), desk)
        assert only_payment(desk).settlement.amount == price

    @pytest.mark.parametrize("kind", Trouble)
    async def test_a_provider_in_trouble_is_unavailable(self, rig: RenewingRig, kind: Trouble) -> None:
        """Nothing of the library's is raised, and afterwards it is done."""
        request, started, first = await self._subscribed(rig)
        provider, subscription = rig.provider, first.settlement.subscription
        assert isinstance(provider, Renewing)
        price = Money(request.amount.minor // 2, request.amount.currency)
        other = a_checkout(rig, price, plan="other", renews=MONTHLY)
        async with rig.trouble(kind):
            for call in (
                provider.cancel(REFERENCE, subscription),
                provider.change(REFERENCE, subscription, other),
            ):
                with pytest.raises(ProviderUnavailable) as caught:
                    await call
                assert_tells_no_secret(rig, caught.value)
        await provider.change(REFERENCE, subscription, other)
        desk = NotingDesk()
        await deliver(rig, rig.sent(), desk)
        await deliver(rig, await rig.renew(started), desk)
        assert [report.settlement.amount for report in desk.payments[-1:]] == [price]
