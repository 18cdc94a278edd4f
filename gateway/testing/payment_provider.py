"""What every payment provider promises, as tests. Derive a class for your plugin and give it a rig:

    class TestMyProvider(HostedContract, SignedContract, RefundingContract):
        @pytest.fixture
        async def rig(self):
            async with my_fake() as rig:
                yield rig

`PaymentProviderContract` is for every provider, `HostedContract` for one elsewhere that has an API, `SignedContract`
for one that signs its webhooks; `RefundingContract` and `RenewingContract` stand in modules of their own. Asserts tell
more after `pytest.register_assert_rewrite("gateway.testing")` in a conftest.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from gateway.core.money import Money
from gateway.ports.cashbook import SettleOutcome
from gateway.ports.payment import Progress, ProviderRequest, ProviderUnavailable, Started, WebhookRejected
from gateway.ports.state import StoreUnavailable
from gateway.testing.desk import AwayDesk, NotingDesk, WaitingDesk
from gateway.testing.malformed import BODIES, replaced, with_body, with_header
from gateway.testing.payment_promises import (
    REFERENCE,
    a_checkout,
    assert_tells_no_secret,
    assert_well_formed,
    deliver,
    heard,
    only_payment,
    pending,
    rejected,
)
from gateway.testing.payment_rig import HostedRig, Rig, SignedRig, Trouble

TITLES = ("Отчёт № 7 «итог»", "報告書 🧾", "تقرير", '<b>"5" & 6\'</b>', "a\nb\tc", "x" * 3_000, "🧾" * 1_000)
LOCALES = ("en", "de-AT", "pt-BR", "pt", "zh-Hant-TW", "sr-Latn", "ar", "tlh", "x-none", "EN")


class PaymentProviderContract:
    """Every provider."""

    pytestmark: ClassVar[Any] = pytest.mark.asyncio

    @pytest.fixture
    def rig(self) -> Any:
        """The plugin, and the provider's side of it."""
        raise NotImplementedError("give the class a fixture `rig`: see gateway.testing.payment_rig")

    async def test_it_leads_to_its_own_pages_or_to_the_provider_s(self, rig: Rig) -> None:
        """The address is one that the forms of our pages may lead to."""
        started = await rig.provider.begin(a_checkout(rig))
        homes = rig.provider.form_origins or (f"{rig.host.prefix}/provider",)
        assert any(started.address.startswith(f"{home}/") for home in homes)
        assert started.address.isascii() and started.address.isprintable() and " " not in started.address
        assert len(started.session) <= 255
        assert_tells_no_secret(rig)
        assert not [secret for secret in rig.secrets if secret in started.address]

    async def test_a_payment_is_reported_with_its_reference_and_what_was_paid(self, rig: Rig) -> None:
        """The reference comes back character for character, and the amount in the minor units of its currency."""
        for number, price in enumerate(rig.prices):
            request = a_checkout(rig, price, f"{number}{REFERENCE[1:]}")
            desk = NotingDesk()
            await deliver(rig, await rig.pay(await rig.provider.begin(request)), desk)
            report = only_payment(desk)
            assert (report.reference, report.settlement.amount) == (request.reference, price)
            assert_well_formed(report)

    async def test_begun_again_it_is_the_same_payment(self, rig: Rig) -> None:
        """A double click, a second tab, a gateway that was killed in between: it can be paid once."""
        begun = [await rig.provider.begin(a_checkout(rig)) for _ in range(2)]
        begun += await asyncio.gather(*(rig.provider.begin(a_checkout(rig)) for _ in range(8)))
        desk = NotingDesk()
        for started in begun:
            await deliver(rig, await rig.pay(started), desk)
        assert only_payment(desk).reference == REFERENCE

    async def test_begun_again_in_other_words_it_is_the_same_payment(self, rig: Rig) -> None:
        """From another browser, with another language, with what the gateway has kept of it or without."""
        first = await rig.provider.begin(a_checkout(rig))
        others = [
            a_checkout(rig, session=session, title="Un rapport", locale="fr", mail=mail, success=f"{success}&again=1")
            for session in (first.session, "")
            for mail in ("ann@example.com", "")
            for success in (a_checkout(rig).success,)
        ]
        desk = NotingDesk()
        for started in [await rig.provider.begin(request) for request in others]:
            await deliver(rig, await rig.pay(started), desk)
        await deliver(rig, await rig.pay(first), desk)
        assert only_payment(desk).reference == REFERENCE

    async def test_two_checkouts_are_two_payments(self, rig: Rig) -> None:
        """Otherwise the second would be taken for a repetition of the first."""
        desk = NotingDesk()
        for reference in (REFERENCE, REFERENCE[::-1]):
            await deliver(rig, await rig.pay(await rig.provider.begin(a_checkout(rig, reference=reference))), desk)
        assert {report.reference for report in desk.payments} == {REFERENCE, REFERENCE[::-1]}
        assert len({report.settlement.payment for report in desk.payments}) == 2
        assert len({report.settlement.event for report in desk.payments}) >= 2

    async def test_any_title_and_any_language(self, rig: Rig) -> None:
        """Titles are what an operator writes; languages what a browser says."""
        for number, title in enumerate(TITLES):
            request = a_checkout(rig, reference=f"title-{number}", title=title)
            assert (await rig.provider.begin(request)).address
        for locale in LOCALES:
            assert (await rig.provider.begin(a_checkout(rig, reference=f"locale-{locale}", locale=locale))).address

    async def test_a_repeated_report_is_the_same_report(self, rig: Rig) -> None:
        """Providers repeat themselves for days: the event and payment ids are what tells it."""
        requests = await rig.pay(await rig.provider.begin(a_checkout(rig)))
        once, again = NotingDesk(), NotingDesk()
        await deliver(rig, requests, once)
        await deliver(rig, requests, again)
        assert again.reports == once.reports

    async def test_reports_may_come_in_any_order_and_at_once(self, rig: Rig) -> None:
        """It is for the desk to sort them out."""
        requests = await rig.pay(await rig.provider.begin(a_checkout(rig)))
        first, backwards, at_once = NotingDesk(), NotingDesk(), NotingDesk()
        await deliver(rig, requests, first)
        await deliver(rig, requests[::-1], backwards)
        await asyncio.gather(*(deliver(rig, [request], at_once) for request in requests * 4))
        assert set(backwards.reports) == set(first.reports) == set(at_once.reports)

    async def test_a_success_is_answered_after_the_desk_has_returned(self, rig: Rig) -> None:
        """Whoever is told of a success does not report again: what was not durable then would be lost."""
        requests = await rig.pay(await rig.provider.begin(a_checkout(rig)))
        desk = WaitingDesk()
        answering = asyncio.create_task(deliver(rig, requests, desk))
        asked = asyncio.create_task(desk.asked.wait())
        await asyncio.wait([answering, asked], return_when=asyncio.FIRST_COMPLETED)
        for _ in range(50):
            await asyncio.sleep(0)
        assert desk.asked.is_set() and not answering.done()
        desk.durable.set()
        await answering
        assert desk.payments

    async def test_what_the_store_can_not_take_goes_on_to_the_gateway(self, rig: Rig) -> None:
        """The gateway answers 503, and the provider reports again."""
        requests = await rig.pay(await rig.provider.begin(a_checkout(rig)))
        with pytest.raises(StoreUnavailable):
            await deliver(rig, requests, AwayDesk())
        desk = NotingDesk()
        await deliver(rig, requests, desk)
        assert only_payment(desk)

    @pytest.mark.parametrize("outcome", SettleOutcome)
    async def test_whatever_comes_of_a_payment_is_answered(self, rig: Rig, outcome: SettleOutcome) -> None:
        """Also where nothing was credited: that is on the ledger, and reporting it again does not help."""
        desk = NotingDesk(outcome)
        for request in await rig.pay(await rig.provider.begin(a_checkout(rig))):
            assert (await rig.provider.answer(request, desk)).status < 500
        assert desk.payments

    async def test_a_stranger_is_not_believed(self, rig: Rig) -> None:
        """Nothing that can be made without the provider's secrets is a payment."""
        started = await rig.provider.begin(a_checkout(rig))
        forgeries = rig.forgeries(started)
        assert forgeries, "a rig tries at least one forgery"
        for name, request in forgeries:
            desk = NotingDesk()
            await heard(rig, request, desk)
            assert not desk.reports, name
        assert_tells_no_secret(rig)

    async def test_what_is_no_report_is_none(self, rig: Rig) -> None:
        """Whatever comes in, it is rejected or ignored, and nothing else breaks."""
        (*_, real) = await rig.pay(await rig.provider.begin(a_checkout(rig)))
        for name, body in BODIES.items():
            for method, path in ((real.method, real.path), ("GET", real.path), ("POST", ""), ("POST", "a/../b\x00")):
                desk = NotingDesk()
                await heard(rig, ProviderRequest(method, path, "", list(real.headers), body), desk)
                assert not desk.reports, name
        for query in ("", "a=%FF", "=&=&", "%", "order=x&tag=y", "x" * 8_000):
            desk = NotingDesk()
            await heard(rig, ProviderRequest("GET", real.path, query, [], b""), desk)
            assert not desk.reports, query

    async def test_it_can_be_stopped_twice(self, rig: Rig) -> None:
        """`stop` is called also after a failed start, and must not raise."""
        await rig.provider.stop()
        await rig.provider.stop()


class SignedContract(PaymentProviderContract):
    """A provider that signs its webhooks."""

    async def _report(self, rig: SignedRig) -> ProviderRequest:
        """A true report of a payment."""
        for request in await rig.pay(await rig.provider.begin(a_checkout(rig))):
            desk = NotingDesk()
            await deliver(rig, [request], desk)
            if desk.payments:
                return request
        raise AssertionError("no payment was reported")

    async def test_another_s_signature_is_rejected(self, rig: SignedRig) -> None:
        """Signed with what is not our secret: a guess, another endpoint's, or nothing."""
        true = await self._report(rig)
        for secret in ("guessed", rig.webhook_secrets[0][:-1], rig.webhook_secrets[0].upper() + "x"):
            await rejected(rig, rig.sign(true, true.body, secret), f"signed with {secret!r}")

    async def test_every_secret_in_use_is_accepted(self, rig: SignedRig) -> None:
        """While secrets are changed, the old and the new one hold."""
        true = await self._report(rig)
        assert len(rig.webhook_secrets) > 1
        for secret in rig.webhook_secrets:
            desk = NotingDesk()
            await deliver(rig, [rig.sign(true, true.body, secret)], desk)
            assert desk.payments

    async def test_an_altered_body_is_rejected(self, rig: SignedRig) -> None:
        """Cut anywhere, grown, or with one character changed anywhere."""
        true = await self._report(rig)
        size = len(true.body)
        for cut in {0, 1, size // 3, size // 2, size - 2, size - 1}:
            await rejected(rig, with_body(true, true.body[:cut]), f"cut after {cut} bytes")
        for more in (b" ", b"\n", b"}", b"&a=b", true.body):
            await rejected(rig, with_body(true, true.body + more), f"{more[:10]!r} at the end")
        for at in range(0, size, max(1, size // 40)):
            altered = true.body[:at] + bytes([true.body[at] ^ 1]) + true.body[at + 1 :]
            await rejected(rig, with_body(true, altered), f"another byte at {at}")

    async def test_an_altered_signature_is_rejected(self, rig: SignedRig) -> None:
        """Missing, empty, cut, or with one character changed anywhere."""
        name = rig.signature_header
        if not name:
            pytest.skip("the signature stands in the body, of which every byte was altered")
        true = await self._report(rig)
        (value,) = (value for key, value in true.headers if key.lower() == name)
        await rejected(rig, with_header(true, name), "no signature")
        for other in (b"", b" ", b"=", b",,,", b"\xff\xfe", "ё=ё".encode(), b"0" * 60_000, b"t=9e99999," + value):
            await rejected(rig, with_header(true, name, other), f"the signature {other[:20]!r}")
        for at in range(len(value)):
            altered = value[:at] + (b"0" if value[at : at + 1] != b"0" else b"1") + value[at + 1 :]
            await rejected(rig, with_header(true, name, altered), f"the signature's character {at} changed")

    async def test_an_old_report_is_rejected_and_so_is_one_of_the_future(self, rig: SignedRig) -> None:
        """Whoever has seen one can't send it again for ever; the instant is part of what is signed."""
        if not rig.tolerance_ms:
            pytest.skip("the provider signs no instant")
        true, now = await self._report(rig), rig.host.now()
        for off in (-rig.tolerance_ms, 0, rig.tolerance_ms):
            await deliver(rig, [rig.sign(true, true.body, at=now + off)], NotingDesk())
        for off in (-rig.tolerance_ms - 2_000, rig.tolerance_ms + 2_000, -(10**12), 10**15):
            await rejected(rig, rig.sign(true, true.body, at=now + off), f"{off} ms from now")

    async def test_what_is_signed_and_no_report_is_none(self, rig: SignedRig) -> None:
        """A proof says who speaks, and not that it makes sense."""
        true = await self._report(rig)
        for name, body in BODIES.items():
            desk = NotingDesk()
            await heard(rig, rig.sign(true, body), desk)
            assert not desk.reports, name

    async def test_a_report_with_anything_wrong_in_it_gives_a_whole_report_or_none(self, rig: SignedRig) -> None:
        """Values of the wrong kind, of any size, or missing: nothing else is raised, and nothing half goes on."""
        true = await self._report(rig)
        for where, body in replaced(true.body):
            desk = NotingDesk()
            try:
                await heard(rig, rig.sign(true, body), desk)
                for report in desk.reports:
                    assert_well_formed(report)
            except Exception as error:
                raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error

    async def test_what_it_has_not_heard_of_is_taken_and_ignored(self, rig: SignedRig) -> None:
        """Providers add kinds of reports; what is refused is sent for days, and then the endpoint is switched off."""
        desk = NotingDesk()
        (answer,) = await deliver(rig, [rig.unheard_of()], desk)
        assert 200 <= answer.status < 300
        assert not desk.reports

    async def test_play_money_is_none_and_real_money_no_play(self, rig: SignedRig) -> None:
        """A report of the provider's other mode gives nothing, be it signed ever so well."""
        other = rig.other_mode(await self._report(rig))
        if other is None:
            pytest.skip("the provider's reports do not say in which mode they were made")
        await rejected(rig, other, "the other mode")


class HostedContract(PaymentProviderContract):
    """A provider elsewhere, that is asked by an API."""

    @pytest.mark.parametrize("kind", Trouble)
    async def test_a_provider_in_trouble_is_unavailable_and_then_begun_once(
        self, rig: HostedRig, kind: Trouble
    ) -> None:
        """Nothing of the library's is raised, and what it did unheard is found again."""
        async with rig.trouble(kind):
            with pytest.raises(ProviderUnavailable) as caught:
                await rig.provider.begin(a_checkout(rig))
            assert_tells_no_secret(rig, caught.value)
            assert str(caught.value).strip()
        assert (await rig.provider.begin(a_checkout(rig))).address
        assert rig.payable(REFERENCE) == 1

    @pytest.mark.parametrize("kind", Trouble)
    async def test_of_a_provider_in_trouble_nothing_is_known(self, rig: HostedRig, kind: Trouble) -> None:
        """`look` must not take silence for "not paid"."""
        request = a_checkout(rig)
        started = await rig.provider.begin(request)
        await rig.pay(started)
        desk = NotingDesk()
        async with rig.trouble(kind):
            with pytest.raises(ProviderUnavailable) as caught:
                await rig.provider.look(pending(rig, started, request), desk)
            assert_tells_no_secret(rig, caught.value)
        assert not desk.reports
        assert await rig.provider.look(pending(rig, started, request), desk) is Progress.CLOSED

    async def test_what_can_still_be_paid_is_open(self, rig: HostedRig) -> None:
        """And nothing is reported of it."""
        request, desk = a_checkout(rig), NotingDesk()
        started = await rig.provider.begin(request)
        assert await rig.provider.look(pending(rig, started, request), desk) is Progress.OPEN
        assert not desk.reports

    async def test_what_is_being_paid_is_not_open(self, rig: HostedRig) -> None:
        """Nobody is asked to pay a second time because a bank takes days."""
        if not rig.takes_days:
            pytest.skip("the provider has no payments that take days")
        request, desk = a_checkout(rig), NotingDesk()
        started = await rig.provider.begin(request)
        await deliver(rig, await rig.process(started), desk)
        assert await rig.provider.look(pending(rig, started, request), desk) is Progress.PROCESSING
        assert not desk.reports

    async def test_looking_reports_a_payment_as_its_webhook_does(self, rig: HostedRig) -> None:
        """Both may report it, in any order; under one payment id it counts once."""
        request = a_checkout(rig)
        started = await rig.provider.begin(request)
        requests = await rig.pay(started)
        told, asked = NotingDesk(), NotingDesk()
        await deliver(rig, requests, told)
        for _ in range(2):
            assert await rig.provider.look(pending(rig, started, request), asked) is Progress.CLOSED
        assert only_payment(asked).reference == REFERENCE
        by_itself, by_asking = only_payment(told).settlement, only_payment(asked).settlement
        assert by_asking == replace(by_itself, event=by_asking.event)

    async def test_without_a_session_nothing_is_taken_for_unpaid(self, rig: HostedRig) -> None:
        """The gateway may have been killed before it could keep the session."""
        request = a_checkout(rig)
        started = await rig.provider.begin(request)
        await rig.pay(started)
        for other in (None, Started("", "never-given-out"), Started("", "../x?y=z#ё")):
            desk = NotingDesk()
            progress = await rig.provider.look(pending(rig, other, request), desk)
            assert progress is not Progress.OPEN
            assert bool(desk.payments) is (progress is Progress.CLOSED)

    async def test_another_s_session_credits_nobody_but_its_own(self, rig: HostedRig) -> None:
        """A session that was mixed up must not have one reference paid by another's money."""
        first, second = a_checkout(rig), a_checkout(rig, reference=REFERENCE[::-1])
        paid, unpaid = await rig.provider.begin(first), await rig.provider.begin(second)
        assert unpaid.session != paid.session or not paid.session
        await rig.pay(paid)
        desk = NotingDesk()
        await rig.provider.look(pending(rig, paid, second), desk)
        assert not [report for report in desk.payments if report.reference == second.reference]

    async def test_a_checkout_that_ended_is_said_to_have_failed(self, rig: HostedRig) -> None:
        """By its webhook, where there is one, and by looking."""
        request, told, asked = a_checkout(rig), NotingDesk(), NotingDesk()
        started = await rig.provider.begin(request)
        await deliver(rig, await rig.fail(started), told)
        assert await rig.provider.look(pending(rig, started, request), asked) is Progress.CLOSED
        assert [report.reference for report in asked.failures] == [REFERENCE]
        assert {report.reference for report in told.failures} <= {REFERENCE}
        assert not told.payments and not asked.payments

    async def test_what_was_really_paid_is_reported(self, rig: HostedRig) -> None:
        """Amount and currency are the provider's word: to compare them with the checkout's is for the desk."""
        price = rig.prices[0]
        for number, other in enumerate((replace(price, minor=price.minor - 1), Money(price.minor, "CHF"))):
            started = await rig.provider.begin(a_checkout(rig, reference=f"other-{number}"))
            desk = NotingDesk()
            for request in await rig.pay(started, other):
                try:
                    await rig.provider.answer(request, desk)
                except WebhookRejected as why:
                    assert_tells_no_secret(rig, why)
            assert all(report.settlement.amount == other for report in desk.payments)
