"""The pages of the gateway's own ways to pay are in the languages that all its pages are in."""

from __future__ import annotations

import ast
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gateway.core.money import Money
from gateway.core.wording import LANGUAGES, Phrasebook
from gateway.ports.cashbook import CheckoutStatus, SettleOutcome
from gateway.ports.payment import KnownCheckout, ProviderAnswer
from gateway.testing.desk import NotingDesk
from gateway.testing.payment_promises import a_checkout
from gateway_pay_invoice import plugin as invoice
from gateway_pay_invoice.words import WORDS as INVOICE
from gateway_pay_paddle.words import WORDS as PADDLE
from gateway_pay_wallet import plugin as wallet
from gateway_pay_wallet.words import WORDS as WALLET
from tests.plugins.pay.pages import OwnPageRig, text
from tests.plugins.pay.test_invoice import SETTINGS, InvoiceRig, read

PLUGINS = Path(__file__).parents[3] / "plugins"
BOOKS = {"gateway_pay_invoice": INVOICE, "gateway_pay_paddle": PADDLE, "gateway_pay_wallet": WALLET}
FOREIGN = [tag for tag in LANGUAGES if tag != "en"]
PRICE = Money(1_900, "EUR")
OPEN = KnownCheckout(CheckoutStatus.OPEN, PRICE)


def english(page: str, book: Phrasebook) -> list[str]:
    """Sentences that stand on a page in English, though they have a translation."""
    return [sentence for sentence in book._translations if len(sentence) > 9 and f">{sentence}" in page]


async def shown(
    rig: OwnPageRig, locale: str, known: KnownCheckout, balance: int, pressed: bool = False
) -> ProviderAnswer:
    desk = NotingDesk(SettleOutcome.ANOTHERS if pressed else SettleOutcome.SETTLED, Money(balance, "EUR"))
    desk.known = known
    started = await rig.provider.begin(a_checkout(rig, locale=locale))
    (button,) = await rig.pay(started)
    return await rig.provider.answer(button if pressed else rig.asked(started), desk)


@pytest.mark.parametrize("tag", FOREIGN)
@pytest.mark.parametrize("plugin", BOOKS)
def test_every_sentence_is_known_in_every_language(plugin: str, tag: str) -> None:
    assert not BOOKS[plugin].gaps(tag)


def test_a_gap_is_noticed() -> None:
    book = Phrasebook({"A": {"de": "B"}, "%(a)s": {"de": "%(b)s"}, "C": {"de": ""}})
    assert book.gaps("de") == ["%(a)s", "C"] and book.gaps("es") == ["A", "%(a)s", "C"]
    assert (book.speaks("de-AT"), book.speaks("es"), book.say("es", "A")) == ("de", "en", "A")


@pytest.mark.parametrize("plugin", BOOKS)
def test_every_sentence_is_said_somewhere(plugin: str) -> None:
    """One that is said in other words than the book has would stand there in English."""
    written = {
        node.value
        for path in (PLUGINS / plugin).glob("*.py")
        if path.name != "words.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not set(BOOKS[plugin]._translations) - written


@pytest.mark.parametrize("locale", [*LANGUAGES, "de-AT", "ja", "x-none", ""])
async def test_pages_are_in_the_language_of_whoever_pays(locale: str) -> None:
    expected = locale[:2] if locale[:2] in LANGUAGES else "en"
    rigs: list[tuple[OwnPageRig, Phrasebook]] = [
        (OwnPageRig(invoice, SETTINGS, "how"), INVOICE), (OwnPageRig(wallet, {}, "pay"), WALLET),
    ]  # fmt: skip
    for rig, book in rigs:
        for known in (
            OPEN,
            replace(OPEN, status=CheckoutStatus.UNKNOWN, session="sent"),
            replace(OPEN, status=CheckoutStatus.PAID),
        ):
            for balance in (0, 5_000):
                answer = await shown(rig, locale, known, balance)
                assert dict(answer.headers)[b"content-language"].decode() == expected
                assert bool(english(text(answer), book)) is (expected == "en")
    refused = await shown(OwnPageRig(wallet, {}, "pay"), locale, OPEN, 0, pressed=True)
    assert bool(english(text(refused), WALLET)) is (expected == "en")


@pytest.mark.parametrize("tag", LANGUAGES)
async def test_the_paper_is_in_it_too(tag: str) -> None:
    for status, title in ((CheckoutStatus.OPEN, "Payment request"), (CheckoutStatus.PAID, "Receipt: paid")):
        paper: Any = await InvoiceRig().document("Ann", replace(OPEN, status=status), locale=tag)
        said = read(paper)
        assert INVOICE.say(tag, title) in said and INVOICE.say(tag, "Payment number") in said
        assert (title in said) is (tag == "en")


def test_the_books_are_those_of_the_plugins() -> None:
    for name, book in BOOKS.items():
        assert import_module(f"{name}.words").WORDS is book
