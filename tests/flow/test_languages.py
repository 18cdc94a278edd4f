"""Languages over the wire: what a browser asks for, what an address says, and what the config allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .application import Application
from .conftest import CONFIG
from .notices import NAVIGATION as PAGES
from .notices import Noticing, noticing, split
from .raw import RawApplication
from .service import FORM, NAVIGATION, Reply, Service, running, visible


def of(person: str, accepted: str = "", page: bool = False) -> dict[str, str]:
    """The headers of somebody whose browser asks for these languages."""
    asked = {"accept-language": accepted} if accepted else {}
    return {"x-user-id": person, **asked, **(NAVIGATION if page else {})}


def language_of(reply: Reply) -> str:
    """What a page says itself; it must be what its head says."""
    [said] = re.findall(rb'<html lang="(\w+)"', reply.body)
    assert reply.header("content-language") == said.decode()
    return str(said.decode())


def test_a_program_is_answered_in_the_language_it_asks_for(service: Service, expired: str) -> None:
    held = service.request("GET", "/report.csv", of(expired, "fr, ru;q=0.8, en;q=0.5"))
    assert (held.status, held.header("content-language")) == (402, "ru")
    assert held.json()["title"] == "Ваш результат готов и ожидает оплаты"
    assert held.json()["checkout"][0]["name"] == "Этот результат"
    assert "Accept-Language" in held.header("vary")
    english = service.request("GET", "/report.csv", of(expired))
    assert english.header("content-language") == "en" and "Accept-Language" in english.header("vary")
    assert english.json()["reason"] == held.json()["reason"]
    assert "lang" not in held.json()["offer"] + held.json()["decline"]


def test_an_error_is_told_in_the_language_asked_for(service: Service, expired: str) -> None:
    gone = service.request("GET", "/_paywall/hold/" + "x" * 32, of(expired, "es"))
    assert (gone.status, gone.json()["title"]) == (404, "No existe tal resultado")
    wrong = service.request("POST", "/_paywall/decline", of(expired, "id"))
    assert wrong.status == 422 and wrong.json()["detail"].startswith("Pilih salah satu alasan: ")
    away = service.request("DELETE", "/_paywall/offer", of(expired, "de"))
    assert (away.status, away.json()["detail"]) == (405, "Diese Adresse nimmt DELETE nicht an.")
    told = service.request("GET", "/_paywall/problems/result-held", of(expired, "de"))
    assert told.json()["title"] == "Ihr Ergebnis ist fertig und wartet auf die Zahlung"
    assert (told.header("content-language"), told.header("vary")) == ("de", "Accept-Language")


def test_the_language_of_an_address_goes_along_from_the_offer_to_the_receipt(service: Service, expired: str) -> None:
    browser = of(expired, "ru", page=True)
    met = service.request("GET", "/report.csv", browser)
    assert language_of(met) == "ru" and "Этот результат, и" not in visible(met)
    offers = {unescape(address) for address in re.findall(r'href="([^"]*lang=de)"', met.body.decode())}
    [offer] = offers
    page = service.request("GET", offer, browser)
    assert language_of(page) == "de"
    assert "Jetzt nicht" in visible(page)
    actions = set(re.findall(r'action="([^"]*)"', page.body.decode()))
    assert actions == {"/_paywall/checkout?lang=de", "/_paywall/decline?lang=de"}

    fields = dict(
        re.findall(r'name="(plan|route|hold|offer)" value="([^"]*)"', page.body.decode().partition("</form>")[0])
    )
    form = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    begun = service.request("POST", "/_paywall/checkout?lang=de", {**browser, **FORM}, form)
    assert begun.status == 303
    checkout = begun.header("location")
    assert language_of(service.request("GET", checkout, browser)) == "en"  # the provider's own page
    paid = urlsplit(service.request("POST", checkout, {**browser, **FORM}, b"choice=pay").header("location"))
    thanks = service.request("GET", f"{paid.path}?{paid.query}", browser)
    assert language_of(thanks) == "de"
    assert "Danke: report.csv gehört Ihnen" in visible(thanks)


def test_a_refusal_is_thanked_for_in_the_language_of_the_page(service: Service, expired: str) -> None:
    browser = {**of(expired, "ru", page=True), **FORM}
    thanks = service.request("POST", "/_paywall/decline?lang=es", browser, b"reason=not-now")
    assert language_of(thanks) == "es" and "Entendido: ahora no" in visible(thanks)
    assert 'href="/_paywall/offer?lang=es"' in thanks.body.decode()


def test_at_an_address_of_the_application_its_lang_is_its_own(service: Service, expired: str) -> None:
    met = service.request("GET", "/report.csv?lang=de", of(expired, "ru", page=True))
    assert language_of(met) == "ru"


@pytest.mark.parametrize("query", ["lang=fr", "lang=", "lang=%00", "lang=de%2F..%2F..", "lang=" + "de-" * 2000])
def test_a_language_that_is_none_changes_nothing(service: Service, expired: str, query: str) -> None:
    page = service.request("GET", f"/_paywall/offer?{query}", of(expired, "es", page=True))
    assert (page.status, language_of(page)) == (200, "es")


def test_the_config_says_which_languages_there_are(application: Application, tmp_path: Path) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    named = "Thirty days, price"
    assert named in config
    config = config.replace(named, "{de: Dreißig Tage, en: Thirty days}, price")
    config += "offer: {languages: [de, en], name: {de: Berichte, en: Reports}}\n"
    with running(tmp_path, config) as service:
        service.expire("ed")
        for accepted, language, name in (("ru", "de", "Berichte"), ("en", "en", "Reports"), ("", "de", "Berichte")):
            page = service.request("GET", "/report.csv", of("ed", accepted, page=True))
            assert language_of(page) == language
            assert name in visible(page)
        assert "Dreißig Tage" in visible(service.request("GET", "/_paywall/offer", of("ed", page=True)))
        assert language_of(service.request("GET", "/_paywall/offer?lang=ru", of("ed", page=True))) == "de"
        refused = service.raw(b"GET / HTTP/1.1\r\nhost: x\r\nbad_name: 1\r\nconnection: close\r\n\r\n")
        assert "content-language: de" in refused.decode()
        assert "Zeichen, das Systeme verschieden lesen." in refused.decode()


@pytest.fixture(scope="module")
def gateway(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noticing]:
    """A gateway with notices."""
    with noticing(tmp_path_factory.mktemp("gateway"), raw, "always") as started:
        yield started


@pytest.mark.parametrize(
    ("accepted", "language", "said"),
    [
        ("de", "de", "Ihre Testphase endet in 14 Tagen."),
        ("ru", "ru", "Ваш пробный период закончится через 14 дней."),
        ("fr", "en", "Your trial ends in 14 days."),
    ],
)
def test_the_notice_is_in_the_readers_language(gateway: Noticing, accepted: str, language: str, said: str) -> None:
    reply = gateway.visit(gateway.page(), f"reader-{language}", {**PAGES, "accept-language": accepted})
    notice, _ = split(reply)
    assert f'lang="{language}" dir="ltr"' in notice.decode("ascii")
    assert said in re.sub(r"<[^>]*>", "", unescape(notice.decode("ascii")))
    assert "Accept-Language" in reply.header("vary")
    assert not reply.header("content-language")  # the page is the application's
