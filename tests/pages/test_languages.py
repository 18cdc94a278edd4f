"""Every page in every language; nothing on it is said past the catalogues."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.reason import Reason
from gateway.core.rule import PeriodUnit, Plan, Renewal
from gateway.core.wording import LANGUAGES, Wording
from gateway.language.language import language
from gateway.web.runtime import DeclineReason, Site
from tests.language.pseudo import CLOSE, OPEN, PSEUDO
from tests.pages.reading import Read, header
from tests.pages.samples import PLANS, SEVERAL, TABLE, all_pages, held, offered, picture

OF_PLUGINS = ("sandbox", "invoice", "wallet")
"""The sandbox is for operators, in English; the others have words of their own (`tests/plugins/pay/test_words.py`)."""
OURS = {name: own for name, own in all_pages(PSEUDO).items() if not name.startswith(OF_PLUGINS)}
BRACKETED = re.compile(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
_OF_THE_SAMPLES = {
    "Northwind", "Reports", "flights", "csv", "chart", "png", "notes", "txt", "export", "orders", "json", "date",
    "carrier", "origin", "delay", "UA", "AA", "US", "EWR", "JFK", "LGA", "MiB", "UTC", "USD", "Pro", "Club", "Ten",
    "results", "text", "Español", "taste",
    "checkout", "upstream", "timeout", "offer", "outdated", "It", "was", "asked", "and", "said", "nothing", "for",
    "seconds", "The", "first", "third", "line", "Deutsch", "English", "Bahasa", "Indonesia",
}  # fmt: skip
"""What is no sentence of ours: names and cells, units, what the pretended owner and application said."""


def unspoken(text: str) -> set[str]:
    """Words that stand outside of what the catalogues know."""
    while BRACKETED.search(text):
        text = BRACKETED.sub(" ", text)
    return set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", text)) - _OF_THE_SAMPLES


@pytest.mark.parametrize("name", OURS)
def test_everything_is_said_by_the_catalogues(name: str) -> None:
    page = Read(OURS[name])
    attributes = [
        str(each[attribute]) for _, each in page.elements for attribute in ("aria-label", "alt") if attribute in each
    ]
    assert OPEN in page.text
    assert not unspoken(" ".join([page.text, *attributes]))


def test_what_is_said_past_the_catalogues_is_noticed() -> None:
    assert unspoken(f"{OPEN}Known, with {OPEN}a value{CLOSE} in it{CLOSE} and Unknown words") == {"Unknown", "words"}


@pytest.mark.parametrize("name", OURS)
def test_a_page_says_its_language_and_direction(name: str) -> None:
    page = Read(OURS[name])
    assert page.all("html") == [{"lang": "ar", "dir": "rtl"}]
    assert header(OURS[name], "content-language") == "ar"


@pytest.mark.parametrize("tag", LANGUAGES)
def test_an_offer_is_in_its_language(tag: str) -> None:
    spoken = language(tag)
    own = offered(record=held(**TABLE), language=spoken)
    page = Read(own)
    assert page.all("html") == [{"lang": tag, "dir": "ltr"}]
    assert header(own, "content-language") == tag
    for said in (
        spoken.say("%(name)s is ready and waits for payment", name="flights-2013.csv"),
        spoken.say("Nothing renews by itself.") if tag == "en" else spoken.say("Why not now?"),
        spoken.money(Money(1900, "USD")),
        spoken.number(336776),
        spoken.own("It is too expensive"),
    ):
        assert " ".join(said.split()) in page.text, said
    others = {str(link["hreflang"]): str(link["href"]) for link in page.all("a") if "hreflang" in link}
    assert others == {
        other: f"/_paywall/offer?route=exports&hold=hold-flights-2013.csv&lang={other}"
        for other in LANGUAGES
        if other != tag
    }


def test_a_page_whose_address_names_its_language_leads_to_pages_in_it() -> None:
    spoken = language("de").chosen()
    page = Read(offered(Reason.HOLD_LIMIT_REACHED, language=spoken, looked_up=True))
    actions = {str(form["action"]) for form in page.all("form")}
    assert actions == {"/_paywall/checkout?lang=de", "/_paywall/decline?lang=de"}
    assert "/_paywall/offer?route=exports&lang=de" in {str(link["href"]) for link in page.all("a")}
    assert "/" in {str(link["href"]) for link in page.all("a")}


def test_programs_are_answered_in_the_language_asked_for_and_in_the_same_words_of_ours() -> None:
    spoken, english = (json.loads(offered(as_page=False, language=language(tag)).body) for tag in ("ru", "en"))
    assert spoken["title"] == "Ваш результат готов и ожидает оплаты"
    assert spoken["detail"].startswith("Ваш пробный период закончился")
    assert spoken["reason"] == english["reason"] == "result-held"
    assert [each["price"] for each in spoken["checkout"]] == ["3.00 USD", "12.00 USD", "19.00 USD"]
    assert spoken["checkout"][2]["price_text"] == "19,00\u00a0$"
    assert header(offered(as_page=False, language=language("ru")), "content-language") == "ru"


def test_what_the_owner_wrote_is_read_in_the_readers_language() -> None:
    site = Site(
        Wording({"en": "Reports", "de": "Berichte"}),
        reasons=(DeclineReason("x", Wording({"en": "Too dear", "de": "Zu teuer"})),),
        languages=("en", "de"),
    )
    plans = (Plan("pro", Wording({"en": "Pro", "de": "Profi"}), Money(1900, "USD"), period_ms=30 * DAY),)
    page = Read(offered(site=site, plans=plans, language=language("de")))
    for said in ("Berichte", "Profi", "Zu teuer", "Alle Ergebnisse für 30 Tage"):
        assert said in page.text
    assert "Reports" not in page.text and "Too dear" not in page.text
    assert [link["hreflang"] for link in page.all("a") if "hreflang" in link] == ["en"]


def test_with_one_language_there_is_none_to_choose() -> None:
    page = Read(offered(site=Site("x", languages=("en",))))
    assert not page.all("nav")


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ("en", "You have had 14 results so far."), ("de", "Sie haben bisher 14 Ergebnisse erhalten."),
        ("ru", "Вы уже получили 14 результатов."), ("id", "Sejauh ini Anda telah memperoleh 14 hasil."),
        ("es", "Hasta ahora ha obtenido 14 resultados."),
    ],
)  # fmt: skip
def test_what_somebody_has_had_is_told_where_it_is_known(tag: str, said: str) -> None:
    assert said in Read(offered(Reason.PAYMENT_REQUIRED, results=14, language=language(tag))).text
    assert (
        "so-far" not in Read(offered(Reason.PAYMENT_REQUIRED, language=language(tag))).source.partition("</style>")[2]
    )


def test_one_result_is_one_result() -> None:
    assert "You have had 1 result so far." in Read(offered(results=1)).text


def test_what_renews_says_so_and_what_does_not_says_so_too() -> None:
    monthly = Plan("m", "Monthly", Money(900, "USD"), period_ms=30 * DAY, renews=Renewal(PeriodUnit.MONTH))
    quarterly = Plan("q", "Quarterly", Money(2500, "USD"), period_ms=90 * DAY, renews=Renewal(PeriodUnit.MONTH, 3))
    page = Read(offered(plans=(PLANS[0], monthly, quarterly)))
    assert page.text.count("A single payment.") == 1
    assert "Renews every month until you cancel." in page.text
    assert "Renews every 3 months until you cancel." in page.text
    assert "Nothing renews by itself" not in page.text


@pytest.mark.parametrize("tag", LANGUAGES)
def test_an_offer_is_small_in_every_language(tag: str) -> None:
    columns = ["Wörter im Überfluß, vierzig Zeichen lang"] * 12
    record = held("ы" * 116 + ".csv", facts=TABLE["facts"], columns=columns, rows=[columns] * 10, image=picture())
    waiting = tuple(replace(record, id=f"{number:032}") for number in range(1000))
    own = offered(record=record, waiting=waiting, providers=SEVERAL, language=language(tag), results=14)
    assert len(own.body) < 60_000
