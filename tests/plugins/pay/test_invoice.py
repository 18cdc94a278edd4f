"""Payment by bank transfer: a page and a PDF that say what to send, a number that leads back, a person who confirms."""

from __future__ import annotations

import base64
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pypdfium2
import pytest
from pydantic import ValidationError

from gateway.core.quantity import DAY
from gateway.ports.cashbook import CheckoutStatus
from gateway.ports.payment import (
    Confirming,
    KnownCheckout,
    PaymentReport,
    Pending,
    Progress,
    ProviderAnswer,
    ProviderRequest,
    Started,
    WebhookRejected,
)
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_promises import REFERENCE, a_checkout
from gateway_pay_invoice import plugin
from gateway_pay_invoice.number import checkout_of, grouped, number_of
from gateway_pay_invoice.settings import InvoiceSettings
from tests.plugins.pay.pages import FORM, OwnPageRig, leads_to, text

SETTINGS: dict[str, Any] = {
    "payee": "Müller & Söhne", "iban": "DE02 1203 0000 0000 2020 51", "bic": "BYLADEM1001",
    "address": ["Straße 1", "10115 Berlin"], "footer": ["VAT ID DE123456789"],
}  # fmt: skip
PRICE = OwnPageRig.prices[0]
UNPAID = KnownCheckout(CheckoutStatus.OPEN, PRICE)
ROOT = Path(__file__).parents[3]


class InvoiceRig(OwnPageRig):
    def __init__(self, **settings: Any) -> None:
        super().__init__(plugin, {**SETTINGS, **settings}, "how")

    async def page(self, request: Any = None, known: KnownCheckout | None = UNPAID) -> str:
        desk = NotingDesk()
        desk.known = known
        started = await self.provider.begin(request or a_checkout(self))
        return text(await self.provider.answer(self.asked(started), desk))

    async def document(self, buyer: str = "", known: KnownCheckout = UNPAID, **more: Any) -> ProviderAnswer:
        desk = NotingDesk()
        desk.known = known
        query = urlsplit((await self.provider.begin(a_checkout(self, **more))).address).query
        body = urlencode({"buyer": buyer}).encode()
        return await self.provider.answer(ProviderRequest("POST", "document", query, FORM, body), desk)


@pytest.fixture
async def rig() -> InvoiceRig:
    made = InvoiceRig()
    await made.provider.start()
    return made


def read(answer: ProviderAnswer) -> str:
    """The text of a PDF."""
    document = pypdfium2.PdfDocument(answer.body)
    try:
        return "\n".join(page.get_textpage().get_text_range() for page in document)
    finally:
        document.close()


class TestNumber:
    def ids(self) -> Iterator[str]:
        luck = random.Random(1)
        for _ in range(300):
            yield base64.urlsafe_b64encode(luck.randbytes(15)).decode()

    def test_it_leads_back_however_it_is_typed(self) -> None:
        for checkout in self.ids():
            number = number_of(f"{checkout}.sealed")
            assert len(number) == 16 and number.isalnum() and number.isupper()
            for typed in (number, grouped(number), number.lower(), f" {grouped(number)}\n", number.replace("0", "O")):
                if typed[:4].upper() == number[:4]:
                    assert checkout_of(typed) == checkout[:10]
            assert checkout_of(f"{number[:4]}-{number[4:].replace('1', 'l')}") == checkout[:10]

    def test_it_is_a_creditor_reference(self) -> None:
        """As ISO 11649 has it; the example is of the standard's own algorithm, reckoned by hand."""
        for checkout in self.ids():
            number = number_of(checkout)
            digits = "".join(str(int(character, 36)) for character in number[4:] + number[:4])
            assert int(digits) % 97 == 1

    def test_slips_are_noticed_and_those_that_are_not_lead_to_another_checkout(self) -> None:
        checkout, alphabet = "Ab3_-xYz9Q", "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
        number = number_of(checkout)
        slips = {number[:place] + other + number[place + 1 :] for place in range(4, 16) for other in alphabet}
        slips |= {number[:at] + number[at + 1] + number[at] + number[at + 2 :] for at in range(4, 15)}
        unnoticed = []
        for slip in slips - {number}:
            try:
                unnoticed.append(checkout_of(slip))
            except ValueError as wrong:
                assert "a character of it is wrong, or two have changed places" in str(wrong)
        assert len(unnoticed) < len(slips) / 100 and checkout not in unnoticed

    def test_what_is_no_number_is_said_to_be_none(self) -> None:
        number = number_of("Ab3_-xYz9Q")
        for other in (number[:-1], number + "0", "", "RF", "19.00", "RFXX" + number[4:], "R\u212a18" + number[4:]):
            with pytest.raises(ValueError, match="is no payment number: one is written like RF"):
                checkout_of(other)

    def test_another_checkout_has_another_number(self) -> None:
        assert len({number_of(checkout) for checkout in self.ids()}) == 300


class TestSettings:
    def test_an_iban_is_kept_without_its_spaces(self) -> None:
        assert InvoiceSettings.model_validate({"payee": "P", "iban": "gb82 west 1234 5698 7654 32"}).iban == (
            "GB82WEST12345698765432"
        )

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"iban": "DE03 1203 0000 0000 2020 51"}, "its check digits do not fit"),
            ({"iban": "DE02 1203 0000 0000 2020 15"}, "its check digits do not fit"),
            ({"iban": "12345678"}, "is no IBAN: write it like DE02"),
            ({"bic": "BYLADEM10"}, "is no BIC: it has 8 or 11"),
            ({"iban": None}, "names no account"),
            ({"payee": "x" * 71}, "at most 70"),
        ],
    )
    def test_what_is_wrong_is_said(self, wrong: dict[str, Any], said: str) -> None:
        with pytest.raises(ValidationError, match=said):
            InvoiceSettings.model_validate({**SETTINGS, **wrong})

    def test_an_account_without_iban_is_one(self) -> None:
        assert InvoiceSettings.model_validate({"payee": "P", "account": ["Sort code 12-34-56"]}).iban is None


class TestPage:
    async def test_it_says_whom_to_pay_how_much_and_which_number(self, rig: InvoiceRig) -> None:
        page = await rig.page(a_checkout(rig, title="Pro <b>"))
        number = grouped(number_of(REFERENCE))
        for said in (
            "Müller &amp; Söhne",
            "DE02 1203 0000 0000 2020 51",
            "BYLADEM1001",
            "19.00 EUR",
            number,
            "Pro &lt;b",
        ):
            assert said in page
        assert "28 November 2023" in page  # 14 days after the host's clock
        assert REFERENCE not in page

    async def test_a_code_for_banking_apps_is_there_for_euros_alone(self, rig: InvoiceRig) -> None:
        assert "data:image/png" in await rig.page()
        for price in rig.prices[1:]:
            assert "data:image/png" not in await rig.page(a_checkout(rig, price))
        assert "data:image/png" not in await InvoiceRig(qr=False).page()
        assert "data:image/png" not in await InvoiceRig(iban=None, account=["A 1"]).page()

    async def test_open_until_it_is_said_to_be_sent(self, rig: InvoiceRig) -> None:
        desk = NotingDesk()
        (request,) = await rig.pay(await rig.provider.begin(a_checkout(rig)))
        assert leads_to(await rig.provider.answer(request, desk)) == "/_paywall/paid?checkout=1"
        assert not desk.reports
        ((reference, session),) = desk.notes
        assert reference == REFERENCE
        looks = [Pending(REFERENCE, "", PRICE, 0, True), Pending(REFERENCE, session, PRICE, 0, True)]
        progress = [await rig.provider.look(look, desk) for look in looks]
        assert progress == [Progress.OPEN, Progress.PROCESSING]
        sent = KnownCheckout(CheckoutStatus.UNKNOWN, PRICE, session)
        assert "Nothing more is to do." in await rig.page(known=sent)

    async def test_whoever_takes_it_back_that_it_was_sent_reads_the_account_again(self, rig: InvoiceRig) -> None:
        taken_back = Pending(REFERENCE, "sent", PRICE, 0, returned=False)
        assert await rig.provider.look(taken_back, NotingDesk()) is Progress.OPEN
        page = await rig.page(known=replace(UNPAID, session="sent"))
        assert "Send this amount to this account" in page and "Nothing more is to do." not in page

    async def test_what_is_paid_is_not_asked_for_again(self, rig: InvoiceRig) -> None:
        page = await rig.page(known=replace(UNPAID, status=CheckoutStatus.PAID))
        assert (
            "It is paid" in page and "Download the receipt" in page and "IBAN" not in page and "I have sent" not in page
        )

    async def test_a_strangers_page_is_refused(self, rig: InvoiceRig) -> None:
        """A page of ours with another's account on it would be worth something to a thief."""
        started = await rig.provider.begin(a_checkout(rig))
        query = urlsplit(started.address).query
        for name, request in rig.forgeries(started):
            for method, path in (("GET", "how"), ("POST", "how"), ("POST", "document")):
                with pytest.raises(WebhookRejected):
                    await rig.provider.answer(replace(request, method=method, path=path), NotingDesk())
                    pytest.fail(name)
        for method, path in (("GET", "document"), ("GET", ""), ("PUT", "how")):
            with pytest.raises(WebhookRejected):
                await rig.provider.answer(ProviderRequest(method, path, query, [], b""), NotingDesk())


class TestDocument:
    async def test_it_is_a_payment_request_until_it_is_paid(self, rig: InvoiceRig) -> None:
        answer = await rig.document("Ann Example\nHigh Street 1")
        said, head = read(answer), dict(answer.headers)
        assert head[b"content-type"] == b"application/pdf"
        assert (
            head[b"content-disposition"]
            == f'attachment; filename="payment-request-{number_of(REFERENCE)}.pdf"'.encode()
        )
        for part in ("Payment request", "Ann Example", "High Street 1", "19.00 EUR", "DE02 1203 0000 0000 2020 51",
                     grouped(number_of(REFERENCE)), "VAT ID DE123456789", "A report", "EPC QR code"):  # fmt: skip
            assert part in said
        assert "Receipt" not in said

    async def test_a_receipt_says_paid_and_asks_for_nothing(self, rig: InvoiceRig) -> None:
        answer = await rig.document("Ann", replace(UNPAID, status=CheckoutStatus.PAID))
        said = read(answer)
        assert "Receipt: paid" in said and "Ann" in said
        assert "How to pay" not in said and "Payment request" not in said and "IBAN" not in said
        assert b"receipt-RF" in dict(answer.headers)[b"content-disposition"]

    async def test_it_writes_german_cyrillic_greek_and_arabic(self, rig: InvoiceRig) -> None:
        said = read(await rig.document("Größe Straße\nИван Ёлкин\nΑθήνα\nمرحبا بالعالم", title="Счёт № 7"))
        for part in ("Größe Straße", "Иван Ёлкин", "Αθήνα", "مرحبا", "Счёт № 7", "Müller & Söhne"):
            assert part in said

    @pytest.mark.parametrize(
        "buyer",
        [
            "",
            "\n" * 400,
            "x" * 400,
            "a\x00b\x1b[31m\u202egnp.exe",
            "🧾" * 400,
            "日本 " * 100,
            "# **bold** [a](b)",
            "\ud800"[:0],
        ],
    )
    async def test_whatever_is_typed_it_is_one_page(self, rig: InvoiceRig, buyer: str) -> None:
        answer = await rig.document(buyer)
        document = pypdfium2.PdfDocument(answer.body)
        assert len(document) == 1
        document.close()
        assert "DE02 1203 0000 0000 2020 51" in read(answer)

    async def test_what_was_typed_is_in_no_log_and_no_report(self, rig: InvoiceRig) -> None:
        await rig.document("Ann Example")
        assert not [line for line in rig.host.lines if "Ann" in line]

    async def test_without_pdf_there_is_no_button_and_no_document(self) -> None:
        rig = InvoiceRig(pdf=False)
        assert "Download" not in await rig.page()
        with pytest.raises(WebhookRejected):
            await rig.document()

    async def test_a_font_of_ones_own_is_used_and_must_be_there(self, tmp_path: Path) -> None:
        with pytest.raises(RuntimeError, match=r"nowhere\.ttf of the plugin invoice is not there"):
            await InvoiceRig(font=str(tmp_path / "nowhere.ttf")).provider.start()

    @pytest.mark.parametrize("absent", ["fpdf", "segno", "uharfbuzz"])
    def test_a_missing_library_is_said_at_the_start_with_the_mend(self, absent: str) -> None:
        program = f"""
import asyncio, importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == {absent!r} else found(name, *more)
from gateway_pay_invoice import plugin
from gateway.testing.host import StandingHost
settings = plugin.settings.model_validate({{"payee": "P", "iban": "DE02120300000000202051"}})
try:
    asyncio.run(plugin.create(settings, StandingHost()).start())
except RuntimeError as error:
    print(error)
bare = plugin.settings.model_validate({{"payee": "P", "iban": "DE02120300000000202051", "pdf": False, "qr": False}})
asyncio.run(plugin.create(bare, StandingHost()).start())
"""
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
        assert not done.returncode, done.stderr
        assert f"needs {absent}: pip install 'paywall-gateway[invoice]'" in done.stdout


class TestCode:
    async def test_it_says_to_a_banking_app_what_the_page_says(self, rig: InvoiceRig) -> None:
        """Line by line as EPC069-12 version 2 has it."""
        from segno.helpers import make_epc_qr

        expected = make_epc_qr(
            name="Müller & Söhne", iban="DE02120300000000202051", amount=Decimal(19), text=number_of(REFERENCE),
            bic="BYLADEM1001", encoding="utf-8",
        )  # fmt: skip
        address = (await rig.page()).partition('<img src="')[2].partition('"')[0]
        assert address == expected.png_data_uri(scale=5, border=4)


class TestConfirming:
    async def test_what_has_come_is_reported_once_for_one_transfer(self, rig: InvoiceRig) -> None:
        provider = rig.provider
        assert isinstance(provider, Confirming)
        assert provider.number(REFERENCE) == number_of(REFERENCE)
        assert REFERENCE.startswith(provider.checkout_of(provider.number(REFERENCE)))
        first, again, other = (provider.confirm(REFERENCE, PRICE, name) for name in ("B 1", " B 1 ", "B 2"))
        assert isinstance(first, PaymentReport) and first == again != other
        assert (first.reference, first.settlement.amount, first.settlement.payment) == (REFERENCE, PRICE, "B 1")
        assert first.settlement.event != other.settlement.event

    @pytest.mark.parametrize("name", ["", "  ", "x" * 141, "a\nb", "a\x00"])
    async def test_a_transfer_needs_a_name(self, rig: InvoiceRig, name: str) -> None:
        assert isinstance(rig.provider, Confirming)
        with pytest.raises(ValueError, match="as the bank's statement does"):
            rig.provider.confirm(REFERENCE, PRICE, name)


def test_loading_the_plugin_loads_nothing_heavy() -> None:
    program = "import sys, gateway_pay_invoice; print({'fpdf', 'segno', 'uharfbuzz', 'PIL'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "set()"


async def test_the_page_stays_payable_after_its_date(rig: InvoiceRig) -> None:
    started: Started = await rig.provider.begin(a_checkout(rig))
    rig.host.pass_time(90 * DAY)
    desk = NotingDesk()
    desk.known = UNPAID
    assert "I have sent it" in text(await rig.provider.answer(rig.asked(started), desk))
