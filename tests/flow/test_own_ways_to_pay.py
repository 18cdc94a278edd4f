"""The ways to pay that are the gateway's own, from the offer to the result, as people and an operator go them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import urlencode

import pytest

from gateway_pay_invoice.number import number_of

from .application import Application
from .conftest import Paywall
from .service import FORM, NAVIGATION, Reply, Service, visible

CONFIG = """
data: {data}
upstream: {{url: "{upstream}"}}
sandbox: allowed
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
  - visitor: {{}}
plans:
  - {{id: month, name: Thirty days, price: 19.00 EUR, gives: 30d}}
  - {{id: club, name: Club, price: 5.00 EUR, gives: 1 month, renews: true}}
  - {{id: taste, name: A taste, price: 0 EUR, gives: 2 results}}
payments:
  - sandbox: {{}}
  - wallet: {{}}
  - invoice: {{payee: Northwind GmbH, iban: DE02 1203 0000 0000 2020 51}}
routes:
  - {{path: "/report.csv", class: result, name: report}}
  - {{path: "/**", class: open}}
"""


@pytest.fixture(scope="module")
def shop(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("shop")
    running = Service(folder, CONFIG.format(upstream=application.url, data=folder)).start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def buyer(shop: Service, person: str) -> str:
    shop.expire(person)
    return person


def ask(shop: Service, who: str, path: str) -> Reply:
    return shop.request("GET", path, {"x-user-id": who, **NAVIGATION})


def send(shop: Service, who: str, path: str, **fields: str) -> Reply:
    return shop.request("POST", path, {"x-user-id": who, **FORM, **NAVIGATION}, urlencode(fields).encode())


def checkout(shop: Service, who: str, plan: str, provider: str) -> Reply:
    return send(shop, who, "/_paywall/checkout", plan=plan, provider=provider, route="report")


class Operator:
    """Types commands."""

    def __init__(self, shop: Service, paywall: Paywall) -> None:
        self._shop, self._paywall = shop, paywall

    def types(self, room: str, verb: str, *arguments: str) -> tuple[int, str]:
        """A command and its arguments, behind the config; the exit code, and what was said."""
        done = self._paywall(room, verb, self._shop.config, *arguments)
        return done.code, done.output + done.messages


@pytest.fixture
def operator(shop: Service, paywall: Paywall) -> Operator:
    return Operator(shop, paywall)


def test_a_bank_transfer_from_the_offer_to_the_result(shop: Service, operator: Operator, buyer: str) -> None:
    assert ask(shop, buyer, "/report.csv").status == 402
    page = checkout(shop, buyer, "month", "invoice").header("location")
    shown = visible(ask(shop, buyer, page))
    assert "Northwind GmbH" in shown and "DE02 1203 0000 0000 2020 51" in shown and "19.00 EUR" in shown
    (number,) = re.findall(r"RF\d\d(?: [0-9A-Z]{4}){3}", shown)

    document = re.findall(r'action="([^"]+/document[^"]+)"', ask(shop, buyer, page).body.decode())
    paper = send(shop, buyer, unescape(document[0]), buyer="Ann Example")
    assert (paper.status, paper.header("content-type"), paper.body[:5]) == (200, "application/pdf", b"%PDF-")
    assert "no-store" in paper.header("cache-control") and "attachment" in paper.header("content-disposition")

    back = send(shop, buyer, page, choice="sent").header("location")
    assert "We are checking your payment" in visible(ask(shop, buyer, back))
    assert ask(shop, buyer, "/report.csv").status == 402

    told = ("payments", "confirm", number, "--amount")
    code, said = operator.types(*told, "19.00 USD", "--payment", "B 1")
    assert code == 1 and "19.00 USD is not the 19.00 EUR" in said
    assert ask(shop, buyer, "/report.csv").status == 402
    code, said = operator.types(*told, "19.00 EUR", "--payment", "B 2")
    assert code == 0 and f"19.00 EUR of person:{buyer} for 'month' is credited" in said
    assert "credited before" in operator.types(*told, "19.00 EUR", "--payment", "B 2")[1]
    assert ask(shop, buyer, "/report.csv").status == 200
    assert "Thank you" in visible(ask(shop, buyer, back))
    assert "It is paid: thank you" in visible(ask(shop, buyer, page))


def test_whoever_pressed_too_early_reads_the_account_again(shop: Service, buyer: str) -> None:
    page = checkout(shop, buyer, "month", "invoice").header("location")
    back = send(shop, buyer, page, choice="sent").header("location")
    assert "We are checking your payment" in visible(ask(shop, buyer, back))
    assert "/provider/" not in checkout(shop, buyer, "month", "invoice").header("location")
    assert "Nothing more is to do." in visible(ask(shop, buyer, page))
    (known,) = re.findall(r"checkout=([\w-]+)", back)
    send(shop, buyer, "/_paywall/paid", checkout=known)
    again = checkout(shop, buyer, "month", "invoice").header("location")
    assert "Send this amount to this account" in visible(ask(shop, buyer, again))


def test_a_slip_in_the_number_and_a_number_of_nobody(operator: Operator) -> None:
    more = ("--amount", "19.00 EUR", "--payment", "B 3")
    code, said = operator.types("payments", "confirm", "RF18 5390 0754 7035", *more)
    assert code == 1 and "is no payment number" in said
    code, said = operator.types("payments", "confirm", number_of("nobody-has-this"), *more)
    assert code == 1 and "no checkout that waits for its payment has this number" in said, said


def test_the_wallet_pays_what_is_in_it_and_not_more(shop: Service, operator: Operator, buyer: str) -> None:
    assert operator.types("wallet", "credit", f"person:{buyer}", "18.99 EUR", "--why", "a test")[0] == 0
    page = checkout(shop, buyer, "month", "wallet").header("location")
    assert "0.01 EUR too little" in visible(ask(shop, buyer, page))
    pressed = send(shop, buyer, page, choice="pay")
    assert pressed.status == 409 and "Nothing was taken" in visible(pressed)
    assert ask(shop, buyer, "/report.csv").status == 402

    assert operator.types("wallet", "credit", f"person:{buyer}", "5.01 EUR", "--why", "a test")[0] == 0
    shown = visible(ask(shop, buyer, page))
    assert "In your wallet 24.00 EUR" in shown and "Left after it 5.00 EUR" in shown
    backs = {send(shop, buyer, page, choice="pay").header("location") for _ in range(2)}
    assert "Thank you" in visible(ask(shop, buyer, backs.pop()))
    assert ask(shop, buyer, "/report.csv").status == 200
    assert "It is paid." in visible(ask(shop, buyer, page))


def test_money_goes_back_into_the_wallet_in_parts_and_with_the_last_the_plan(
    shop: Service, operator: Operator, buyer: str
) -> None:
    operator.types("wallet", "credit", f"person:{buyer}", "19.00 EUR", "--why", "a test")
    page = checkout(shop, buyer, "month", "wallet").header("location")
    send(shop, buyer, page, choice="pay")
    exported = shop.command("subject", "export", f"person:{buyer}")
    (payment,) = set(re.findall(r"wallet-[0-9a-f]{24}-1900", exported))
    code, said = operator.types("payments", "refund", f"person:{buyer}", payment, "--amount", "4.00 EUR")
    assert code == 0, said
    assert ask(shop, buyer, "/report.csv").status == 200
    assert operator.types("payments", "refund", f"person:{buyer}", payment)[0] == 0
    assert ask(shop, buyer, "/report.csv").status == 402
    again = checkout(shop, buyer, "month", "wallet").header("location")
    assert "In your wallet 19.00 EUR" in visible(ask(shop, buyer, again))


def test_what_costs_nothing_is_taken_once(shop: Service, buyer: str) -> None:
    offer = ask(shop, buyer, "/report.csv")
    assert "A taste Free 2 results" in visible(offer) and visible(offer).count("Take it") == 1
    taken = checkout(shop, buyer, "taste", "free")
    assert taken.status == 303
    thanks = visible(ask(shop, buyer, taken.header("location")))
    assert "Thank you" in thanks and "Free" in thanks and "0.00" not in thanks
    again = checkout(shop, buyer, "taste", "free")
    assert again.header("location") == taken.header("location")
    assert [ask(shop, buyer, f"/report.csv?{number}").status for number in range(3)] == [200, 200, 402]


def test_a_visitor_is_asked_to_sign_in_for_what_costs_nothing(shop: Service) -> None:
    reply = shop.request("POST", "/_paywall/checkout?plan=taste&route=report", {})
    assert (reply.status, reply.reason) == (401, "identity-required")
    assert "for those who have signed in" in reply.json()["detail"]


def test_play_money_that_takes_two_days(shop: Service, buyer: str) -> None:
    page = checkout(shop, buyer, "month", "sandbox").header("location")
    waiting = send(shop, buyer, page, choice="later")
    (onward,) = re.findall(r'href="([^"]+)">Go on, as', waiting.body.decode())
    assert "We are checking your payment" in visible(ask(shop, buyer, unescape(onward)))
    # Nobody is asked to pay a second time while the first payment is on its way.
    assert "/provider/" not in checkout(shop, buyer, "month", "sandbox").header("location")
    send(shop, buyer, page, choice="pay")
    assert ask(shop, buyer, "/report.csv").status == 200


def test_play_money_that_the_bank_refuses_after_two_days(shop: Service, buyer: str) -> None:
    page = checkout(shop, buyer, "month", "sandbox").header("location")
    (onward,) = re.findall(r'href="([^"]+)">Go on, as', send(shop, buyer, page, choice="later").body.decode())
    ask(shop, buyer, unescape(onward))
    assert "Nothing was charged" in visible(send(shop, buyer, page, choice="fail"))
    another = checkout(shop, buyer, "month", "sandbox").header("location")
    assert "/provider/sandbox/pay" in another and another != page
    send(shop, buyer, another, choice="pay")
    assert ask(shop, buyer, "/report.csv").status == 200


def test_play_money_that_goes_back(shop: Service, buyer: str) -> None:
    page = checkout(shop, buyer, "month", "sandbox").header("location")
    send(shop, buyer, page, choice="pay")
    assert ask(shop, buyer, "/report.csv").status == 200
    assert "what it gave was taken back" in visible(send(shop, buyer, page, choice="refund"))
    assert ask(shop, buyer, "/report.csv").status == 402


def test_play_money_for_a_subscription_that_renews_and_ends(shop: Service, buyer: str) -> None:
    page = checkout(shop, buyer, "club", "sandbox").header("location")
    assert "Renews every 1 month" in visible(ask(shop, buyer, page))
    send(shop, buyer, page, choice="pay")
    assert ask(shop, buyer, "/report.csv").status == 200
    for press in ("1", "1", "2"):
        assert "It was renewed and paid." in visible(send(shop, buyer, page, choice="renew", press=press))
    payments = set(re.findall(r"sandbox-[0-9a-f]{24}-500", shop.command("subject", "export", f"person:{buyer}")))
    assert len(payments) == 3
    assert "It can be tried again." in visible(send(shop, buyer, page, choice="renewal-fails"))
    assert "It ends with the period that is paid." in visible(send(shop, buyer, page, choice="unsubscribe"))
    assert ask(shop, buyer, "/report.csv").status == 200
    assert "The subscription has ended." in visible(send(shop, buyer, page, choice="end"))
    assert "ended" in shop.command("subject", "export", f"person:{buyer}")
