"""What a payment provider promises that can give money back (`gateway.ports.payment.Refunding`), as tests."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from gateway.core.money import Money
from gateway.ports.payment import ProviderUnavailable, Refunding, RefundRefused, RefundReport
from gateway.ports.state import StoreUnavailable
from gateway.testing.desk import AwayDesk, NotingDesk
from gateway.testing.payment_promises import (
    REFERENCE,
    a_checkout,
    assert_tells_no_secret,
    assert_well_formed,
    deliver,
    only_payment,
)
from gateway.testing.payment_provider import PaymentProviderContract
from gateway.testing.payment_rig import RefundingRig, Trouble


class RefundingContract(PaymentProviderContract):
    """A provider that can give money back."""

    async def _paid(self, rig: RefundingRig, reference: str = REFERENCE) -> tuple[str, Money]:
        """The id and the amount of a payment."""
        desk = NotingDesk()
        await deliver(rig, await rig.pay(await rig.provider.begin(a_checkout(rig, reference=reference))), desk)
        settlement = only_payment(desk).settlement
        rig.sent()
        return settlement.payment, settlement.charged or settlement.amount

    async def _refund(
        self, rig: RefundingRig, payment: str, amount: Money, operation: str, before: Collection[str] = ()
    ) -> RefundReport:
        """Give money back: what is reported at once or by the webhooks that follow, which must be the same. Those
        from `before` may be reported again beside it."""
        assert isinstance(rig.provider, Refunding)
        desk = NotingDesk()
        report = await rig.provider.refund(REFERENCE, payment, amount, operation)
        if report is not None:
            await desk.refunded(report)
        await deliver(rig, rig.sent(), desk)
        told = [each for each in desk.refunds if each.refund not in before]
        assert told, "a refund is reported at once, or by a webhook"
        assert len(set(told)) == 1, "told twice it is the same refund"
        assert_well_formed(told[0])
        return told[0]

    async def test_a_whole_refund(self, rig: RefundingRig) -> None:
        """Nothing of the payment is left, and the report says so."""
        payment, amount = await self._paid(rig)
        report = await self._refund(rig, payment, amount, "first")
        assert (report.reference, report.payment, report.amount) == (REFERENCE, payment, amount)
        assert report.is_whole and not report.is_chargeback
        assert rig.given_back(payment) == amount

    async def test_a_part_and_then_the_rest(self, rig: RefundingRig) -> None:
        """Only with the rest nothing is left."""
        payment, amount = await self._paid(rig)
        part = Money(amount.minor // 4, amount.currency)
        first = await self._refund(rig, payment, part, "first")
        rest = Money(amount.minor - part.minor, amount.currency)
        second = await self._refund(rig, payment, rest, "second", [first.refund])
        assert [(each.amount, each.is_whole) for each in (first, second)] == [(part, False), (rest, True)]
        assert first.refund != second.refund

    async def test_one_operation_is_one_refund(self, rig: RefundingRig) -> None:
        """Whoever was not answered asks again."""
        payment, amount = await self._paid(rig)
        part = Money(amount.minor // 4, amount.currency)
        reports = [await self._refund(rig, payment, part, "the same")]
        assert isinstance(rig.provider, Refunding)
        for _ in range(2):
            again = await rig.provider.refund(REFERENCE, payment, part, "the same")
            reports += [again] if again is not None else []
        await asyncio.gather(*(rig.provider.refund(REFERENCE, payment, part, "the same") for _ in range(4)))
        assert {report.refund for report in reports} == {reports[0].refund}
        assert rig.given_back(payment) == part

    @pytest.mark.parametrize("kind", Trouble)
    async def test_a_provider_in_trouble_is_asked_again(self, rig: RefundingRig, kind: Trouble) -> None:
        """It may have happened: the same operation finds out, and gives back nothing twice."""
        payment, amount = await self._paid(rig)
        part = Money(amount.minor // 4, amount.currency)
        assert isinstance(rig.provider, Refunding)
        async with rig.trouble(kind):
            with pytest.raises(ProviderUnavailable) as caught:
                await rig.provider.refund(REFERENCE, payment, part, "in trouble")
            assert_tells_no_secret(rig, caught.value)
        assert (await self._refund(rig, payment, part, "in trouble")).amount == part
        assert rig.given_back(payment) == part

    async def test_more_than_there_is_is_refused(self, rig: RefundingRig) -> None:
        """And so is what was never paid. The refusal says why."""
        payment, amount = await self._paid(rig)
        assert isinstance(rig.provider, Refunding)
        for named, sum_ in ((payment, Money(amount.minor + 1, amount.currency)), ("never-paid", amount)):
            with pytest.raises(RefundRefused) as caught:
                await rig.provider.refund(REFERENCE, named, sum_, f"too much of {named}")
            assert_tells_no_secret(rig, caught.value)
            assert str(caught.value).strip()
        await self._refund(rig, payment, amount, "all of it")
        with pytest.raises(RefundRefused):
            await rig.provider.refund(REFERENCE, payment, amount, "all of it again")
        assert rig.given_back(payment) == amount

    async def test_refunds_at_the_provider_s_own_desk_are_reported(self, rig: RefundingRig) -> None:
        """Whoever gives money back there does not tell the gateway: the webhook does."""
        payment, amount = await self._paid(rig)
        part = Money(amount.minor // 4, amount.currency)
        first, second, again = NotingDesk(), NotingDesk(), NotingDesk()
        requests = await rig.refund(payment, part)
        await deliver(rig, requests, first)
        assert {(each.amount, each.is_whole) for each in first.refunds} == {(part, False)}
        (name,) = {each.refund for each in first.refunds}
        rest = await rig.refund(payment)
        await deliver(rig, rest, second)
        told = {(each.amount.minor, each.is_whole) for each in second.refunds if each.refund != name}
        assert told == {(amount.minor - part.minor, True)}
        await deliver(rig, [*rest, *requests], again)
        assert {each.refund for each in again.refunds} == {each.refund for each in second.refunds} | {name}
        for desk in (first, second, again):
            assert {(each.reference, each.payment) for each in desk.refunds} == {(REFERENCE, payment)}
        with pytest.raises(StoreUnavailable):
            await deliver(rig, requests, AwayDesk())

    async def test_a_lost_dispute_is_a_chargeback(self, rig: RefundingRig) -> None:
        """The payer's bank took it all."""
        payment, amount = await self._paid(rig)
        requests = await rig.lose_dispute(payment)
        if not requests:
            pytest.skip("the provider does not report disputes")
        desk = NotingDesk()
        await deliver(rig, requests, desk)
        (report,) = set(desk.refunds)
        assert report.is_chargeback and report.is_whole
        assert (report.reference, report.payment, report.amount) == (REFERENCE, payment, amount)

    @pytest.mark.parametrize("kind", Trouble)
    async def test_a_refund_told_of_while_the_provider_is_in_trouble_is_not_lost(
        self, rig: RefundingRig, kind: Trouble
    ) -> None:
        """Whoever must ask the provider to understand its report does not take it before that is answered."""
        payment, amount = await self._paid(rig)
        requests, desk = await rig.refund(payment), NotingDesk()
        for request in requests:
            at_ease, in_trouble = NotingDesk(), NotingDesk()
            await deliver(rig, [request], at_ease)
            async with rig.trouble(kind):
                try:
                    await deliver(rig, [request], in_trouble)
                except ProviderUnavailable as error:
                    assert_tells_no_secret(rig, error)
                else:
                    assert in_trouble.reports == at_ease.reports, "it was taken, and not all came of it"
        await deliver(rig, requests, desk)
        assert {(each.amount, each.is_whole) for each in desk.refunds} == {(amount, True)}
