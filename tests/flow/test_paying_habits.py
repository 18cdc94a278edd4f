"""What people do on the way to pay: click twice, go back, reload, use an old tab, come when they need not pay."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl

import pytest

from .application import CSV
from .service import FORM, NAVIGATION, Reply, Service, visible


class Browser:
    """A person who looks at pages and presses their buttons."""

    def __init__(self, service: Service, person: str) -> None:
        self._service, self._person = service, {"x-user-id": person}

    def get(self, address: str) -> Reply:
        """Go somewhere, and on where one is sent."""
        return self._follow(self._service.request("GET", address, {**self._person, **NAVIGATION}))

    def post(self, address: str, fields: str) -> Reply:
        """Press a button, and go where one is sent."""
        headers = {**self._person, **NAVIGATION, **FORM}
        return self._follow(self._service.request("POST", address, headers, fields.encode()))

    def _follow(self, reply: Reply) -> Reply:
        self.at = reply.header("location") or getattr(self, "at", "")
        return self.get(reply.header("location")) if reply.status in (302, 303, 307, 308) else reply


def pay_button(page: Reply, plan: str) -> str:
    """The fields of the form that the button of a plan belongs to."""
    forms = re.findall(r'<form method="post" action="/_paywall/checkout".*?</form>', page.body.decode(), re.DOTALL)
    for form in forms:
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
        if fields["plan"] == plan:
            return "&".join(f"{name}={value}" for name, value in fields.items())
    raise AssertionError(f"no button for {plan}: {visible(page)}")


def hold_of(page: Reply) -> str:
    return dict(parse_qsl(pay_button(page, "month")))["hold"]


def paid_once(service: Service, person: str, credits: int = 0) -> None:
    assert [entry["kind"] for entry in service.ledger(person)] == ["payment"]
    assert service.me(person)["results_paid_for"] == credits


def test_every_button_pressed_twice_is_one_payment_and_the_same_page(service: Service, expired: str) -> None:
    browser = Browser(service, expired)
    offer = browser.get("/report.csv")
    for _ in range(2):
        page = browser.post("/_paywall/checkout", pay_button(offer, "single"))
        assert "Sandbox checkout" in visible(page)
    provider = browser.at
    said = {visible(browser.post(provider, "choice=pay")) for _ in range(2)}
    assert len(said) == 1 and "Thank you: report.csv is yours" in said.pop()
    paid_once(service, expired)


def test_the_thank_you_page_reloaded_starts_no_second_download(service: Service, expired: str) -> None:
    browser = Browser(service, expired)
    browser.post("/_paywall/checkout", pay_button(browser.get("/report.csv"), "single"))
    thanks = browser.post(browser.at, "choice=pay")
    (download,) = re.findall(r'http-equiv="refresh" content="0; url=([^"]+)"', thanks.body.decode())
    assert browser.get(download).body == CSV
    checkout = service.ledger(expired)[0]["checkout"]
    for _ in range(2):
        again = browser.get(f"/_paywall/paid?checkout={checkout}")
        assert b"http-equiv" not in again.body
        assert "Thank you: report.csv is yours Take it here; it stays here until" in visible(again)
        assert f'href="{download}"' in again.body.decode()
    paid_once(service, expired)


def test_back_after_paying_finds_what_is_paid_and_pays_nothing(service: Service, expired: str) -> None:
    browser = Browser(service, expired)
    browser.post("/_paywall/checkout", pay_button(browser.get("/report.csv"), "single"))
    provider = browser.at
    browser.post(provider, "choice=pay")
    assert "Sandbox checkout" in visible(browser.get(provider))
    assert "Thank you: report.csv is yours" in visible(browser.post(provider, "choice=pay"))
    assert "report.csv is yours to take It is paid for." in visible(browser.get("/report.csv"))
    paid_once(service, expired)


@pytest.mark.parametrize("plan", ["single", "five", "month"])
def test_an_old_tab_with_a_result_that_is_paid_says_so(service: Service, expired: str, plan: str) -> None:
    browser = Browser(service, expired)
    old = browser.get("/report.csv")
    browser.post("/_paywall/checkout", pay_button(old, "single"))
    browser.post(browser.at, "choice=pay")
    page = browser.post("/_paywall/checkout", pay_button(old, plan))
    assert page.status == 200
    assert "report.csv is yours to take It is paid for." in visible(page)
    assert "See the plans for further results." in visible(page)
    paid_once(service, expired)


def test_an_old_tab_without_a_result_leads_to_what_is_paid_or_to_a_new_offer(service: Service, expired: str) -> None:
    browser = Browser(service, expired)
    old = browser.get("/blocked/x")
    browser.post("/_paywall/checkout", pay_button(old, "single"))
    browser.post(browser.at, "choice=pay")
    assert "You have 1 result to use" in visible(browser.post("/_paywall/checkout", pay_button(old, "single")))
    outdated = browser.post("/_paywall/checkout", pay_button(old, "month"))
    assert (outdated.status, outdated.reason) == (409, "offer-outdated")
    assert 'href="/_paywall/offer"' in outdated.body.decode()
    said = visible(browser.get("/_paywall/offer"))
    assert "You have 1 result to use" in said and "A plan chosen now adds to what you have." in said
    paid_once(service, expired, credits=1)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("grant", "--period", "30d"), "The period that you have paid for covers it."),
        (("grant", "--results", "2"), "Taking it uses one of the results that you have paid for."),
        (("extend", "7d"), "Your trial is not over, so it is open to you."),
    ],
)
def test_whoever_need_not_pay_any_more_is_not_sent_to_pay(
    service: Service, expired: str, command: tuple[str, ...], said: str
) -> None:
    browser = Browser(service, expired)
    old = browser.get("/report.csv")
    hold = hold_of(old)
    name, *rest = command
    service.command("subject", name, expired, *rest)
    for page in (
        browser.post("/_paywall/checkout", pay_button(old, "single")),
        browser.get(f"/_paywall/offer?route=report&hold={hold}"),
    ):
        assert page.status == 200
        assert "report.csv is yours to take" in visible(page) and said in visible(page)
    begun = service.request("POST", f"/_paywall/checkout?plan=single&hold={hold}", {"x-user-id": expired})
    assert (begun.status, begun.header("location")) == (303, f"/_paywall/hold/{hold}")
    assert begun.json()["outcome"] == "already-paid"
    assert browser.get(f"/_paywall/hold/{hold}").body == CSV
    assert "payment" not in [entry["kind"] for entry in service.ledger(expired)]


def test_results_by_number_do_not_pass_for_a_result_that_has_a_price_of_its_own(service: Service, expired: str) -> None:
    browser = Browser(service, expired)
    service.command("subject", "grant", expired, "--results", "2")
    page = browser.get("/priced")
    assert "priced is ready and waits for payment" in visible(page)
    hold = hold_of(page)
    for address in (f"/_paywall/hold/{hold}", f"/_paywall/offer?hold={hold}"):
        page = browser.get(address)
        assert "priced is ready and waits for payment" in visible(page), "else it could neither be taken nor be paid"
    browser.post("/_paywall/checkout", pay_button(page, "route-priced"))
    assert "Thank you: priced is yours" in visible(browser.post(browser.at, "choice=pay"))
    assert service.request("GET", f"/_paywall/hold/{hold}", {"x-user-id": expired}).status == 200
    assert service.me(expired)["results_paid_for"] == 2


def test_turning_back_and_a_refused_card_lead_on(service: Service, expired: str) -> None:
    browser = Browser(service, expired)
    offer = browser.get("/report.csv")
    browser.post("/_paywall/checkout", pay_button(offer, "single"))
    provider = browser.at
    assert "Nothing was charged." in visible(browser.post(provider, "choice=refuse"))
    assert "report.csv is ready and waits for payment" in visible(browser.post(provider, "choice=cancel"))
    (checkout,) = json.loads(service.command("subject", "export", expired))["checkouts"]
    said = visible(browser.get(f"/_paywall/paid?checkout={checkout['id']}"))
    assert "We are checking your payment" in said and "I did not pay" in said and "Back to the offer" in said
    assert service.ledger(expired) == []
