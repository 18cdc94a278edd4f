"""An offer says what is withheld, why, what it costs and how to say no; and it plays no tricks."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.resources import files

import pytest

from gateway.access.cover import Cover
from gateway.core.money import Money
from gateway.core.quantity import DAY
from gateway.core.reason import Reason
from gateway.core.standing import Standing
from gateway.ports.cashbook import CheckoutRecord, CheckoutStatus, SettleOutcome
from gateway.ports.state import HoldRecord
from gateway.web.answers import TITLES
from gateway.web.offer_face import COVERS, DETAILS, HEADLINES
from gateway.web.paid_page import checking
from tests.pages.reading import Read, header
from tests.pages.samples import (
    CHECKOUT,
    EXPIRES,
    PLANS,
    SEVERAL,
    SITE,
    TABLE,
    all_pages,
    held,
    message,
    offered,
    paid,
    sandbox,
)  # fmt: skip

_IN_ORDER = list(Reason)
PROMPTS = _IN_ORDER[_IN_ORDER.index(Reason.RESULT_HELD) : _IN_ORDER.index(Reason.HOLD_UNPAID) + 1]
"""The reasons under which an offer is shown; they stand together in the vocabulary."""
PAGES = all_pages()
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border)-(?:left|right|top|bottom)|left|right|(?:min-|max-)?(?:width|height)"
    r"|float|text-align:\s*(?:left|right))\s*:|text-align:\s*(?:left|right)"
)


@pytest.mark.parametrize("reason", PROMPTS)
def test_every_reason_for_an_offer_says_what_is_so(reason: Reason) -> None:
    assert TITLES[reason]
    assert DETAILS[reason].endswith(".")
    page = Read(offered(reason))
    assert TITLES[reason] in page.text
    assert DETAILS[reason] in page.text


def test_there_are_no_words_for_reasons_without_an_offer() -> None:
    assert set(DETAILS) == set(PROMPTS)
    assert set(HEADLINES) <= set(PROMPTS)
    assert all("%(name)s" in headline for headline in HEADLINES.values())


def test_the_offer_of_a_held_result_says_everything() -> None:
    page = Read(offered(record=held(**TABLE)))
    for said in (
        "flights-2013.csv is ready and waits for payment",
        "Your trial is over, so this result is withheld.",
        "Browsing stays open",
        "29.6 MiB",
        "336,776",
        "The first 3 rows. The rest is withheld.",
        "Kept until 30 November 2026, 00:53 UTC",
        "Pay 3.00 USD",
        "1 result: this one",
        "10 results, this one among them",
        "This result, and all others for 30 days",
        "Nothing renews by itself.",
        "New results are not made for you until you choose a plan.",
        "It is too expensive",
        "You can simply go on browsing",
    ):
        assert said in page.text, said
    assert page.form("/checkout") and page.form("/decline")


def test_programs_read_the_same_words() -> None:
    own = offered(record=held(**TABLE), as_page=False)
    assert json.loads(own.body)["detail"] == DETAILS[Reason.RESULT_HELD]


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_chosen_beforehand_and_nothing_hurries(name: str) -> None:
    page = Read(PAGES[name])
    assert not any("checked" in each for each in page.all("input"))
    assert not any("autofocus" in attributes for _, attributes in page.elements)
    assert not re.search(r"hurry|only today|last chance|recommended|best value|limited offer", page.text, re.IGNORECASE)
    assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert len(page.all("h1")) == len(page.all("title")) == 1


def test_without_a_way_to_pay_the_page_says_so_and_whom_to_ask() -> None:
    page = Read(offered(record=held(), providers=()))
    assert "You can't pay here yet" in page.text
    assert "3.00 USD" in page.text
    assert {"href": "mailto:help@northwind.example"} in page.all("a")
    assert not [button for button in page.all("button") if "value" in button]
    nobody = Read(offered(record=held(), providers=(), site=replace(SITE, contact="")))
    assert "Ask Northwind Reports for it." in nobody.text
    assert not any(str(link["href"]).startswith("mailto:") for link in nobody.all("a"))


def test_a_contact_may_be_an_address_of_the_web() -> None:
    page = Read(offered(providers=(), site=replace(SITE, contact="https://northwind.example/help")))
    assert {"href": "https://northwind.example/help"} in page.all("a")


def test_each_way_to_pay_has_a_button_of_its_own_for_each_plan() -> None:
    page = Read(offered(record=held(), providers=SEVERAL))
    assert [button["value"] for button in page.all("button") if "value" in button] == ["card", "bank"] * len(PLANS)
    assert "Pay 19.00 USD with bank transfer" in page.text


def test_whoever_said_not_now_is_told_that_it_stands() -> None:
    page = Read(offered(Reason.DECLINED, standing=Standing.DECLINED))
    assert "You said not now, and that stands." in page.text
    assert page.form("/decline") and page.form("/checkout")


def test_without_reasons_to_choose_from_going_on_is_the_answer() -> None:
    page = Read(offered(record=held(), site=replace(SITE, reasons=())))
    assert not page.form("/decline")
    assert "You can simply go on browsing" in page.text


@pytest.mark.parametrize("cover", Cover)
def test_nobody_is_asked_to_pay_for_what_is_theirs_to_take(cover: Cover) -> None:
    record = held(**TABLE, lines=["The first."])
    page = Read(offered(Reason.HOLD_UNPAID, record, looked_up=True, cover=cover))
    assert "flights-2013.csv is yours to take" in page.text
    assert COVERS[cover] in page.text
    assert {"href": f"/_paywall/hold/{record.id}", "class": "button primary"} in page.all("a")
    assert {"href": "/_paywall/offer"} in page.all("a")
    assert not page.all("form")
    assert "withheld" not in page.text


def test_whoever_has_paid_reads_what_is_left_of_it() -> None:
    rights = ("Results are open to you until tomorrow.", "You have 2 results to use.")
    page = Read(offered(Reason.PAYMENT_REQUIRED, standing=Standing.ENTITLED, looked_up=True, rights=rights))
    assert " ".join(rights) in page.text and "A plan chosen now adds to what you have." in page.text


def test_a_result_that_is_a_page_does_not_take_the_place_of_the_thank_you_page() -> None:
    page = Read(paid(result=held("report", "text/html")))
    assert not page.all("meta")[-1].get("http-equiv")
    assert "Thank you: report is yours" in page.text and "it stays here until" in page.text
    assert "After payment a link leads to it." in Read(offered(record=held("report", "text/html"))).text


@pytest.mark.parametrize("standing", [Standing.TRIAL, Standing.ENTITLED, Standing.WINDOW, Standing.GRACE])
def test_nobody_is_told_that_the_trial_is_over_to_whom_nothing_is_withheld(standing: Standing) -> None:
    page = Read(offered(Reason.PAYMENT_REQUIRED, standing=standing, looked_up=True))
    assert DETAILS[Reason.PAYMENT_REQUIRED] not in page.text
    assert page.form("/checkout") and not page.form("/decline")


def test_other_results_that_wait_are_listed_once_each() -> None:
    first, second = held(), replace(held("orders.json"), paid=True)
    page = Read(offered(Reason.HOLD_UNPAID, first, waiting=(first, second), looked_up=True))
    links = [str(link["href"]) for link in page.all("a") if "hreflang" not in link]
    assert f"/_paywall/hold/{second.id}" in links
    assert not any(first.id in link for link in links)


def test_the_page_of_an_open_payment_looks_again_until_told_not_to() -> None:
    record = CheckoutRecord("1", "offer", "single", Money(300, "USD"), "card")
    address = "/_paywall/paid?checkout=1"
    context, headers = checking(record, address, "/_paywall/offer", by_itself=True)
    assert headers == [(b"refresh", b"5")]
    assert {"href": f"{address}&by-itself=no", "class": "button"} in Read(message(context)).all("a")
    context, headers = checking(record, address, "/_paywall/offer", by_itself=False)
    assert not headers
    assert {"href": address, "class": "button"} in Read(message(context)).all("a")


def test_the_thank_you_page_starts_the_download_and_links_to_it() -> None:
    page = Read(PAGES["thanks"])
    assert {"http-equiv": "refresh", "content": "0; url=/_paywall/hold/hold-1?download"} in page.all("meta")
    assert {"href": "/_paywall/hold/hold-1?download", "class": "button primary"} in page.all("a")
    assert "Thank you: flights-2013.csv is yours" in page.text and "3.00 USD" in page.text
    assert "once taken, it stays here for 30 days" in page.text, "the date until which it waits is not that"


def test_the_thank_you_page_does_not_start_a_download_that_was_taken() -> None:
    page = Read(PAGES["thanks-again"])
    assert not page.all("meta")[-1].get("http-equiv")
    assert "it stays here until 30 November 2026, 00:53 UTC." in page.text
    assert {"href": "/_paywall/hold/hold-1?download", "class": "button primary"} in page.all("a")


MONTH = replace(CHECKOUT, plan="pro", results=0, period_ms=30 * DAY)
LATE = replace(CHECKOUT, took_hold=False)


@pytest.mark.parametrize(
    ("record", "credits", "until", "title", "said"),
    [
        (replace(MONTH, hold=""), 0, EXPIRES, "Thank you. Results are open",
         "Results are open to you until 30 November 2026, 00:53 UTC."),
        (replace(MONTH, hold=""), 0, EXPIRES - 2 * DAY, "Thank you for your payment",
         "Results were open to you until 28 November 2026, 00:53 UTC."),
        (replace(LATE, hold=""), 1, 0, "Thank you. Results are open", "You have 1 result to use: ask for one"),
        (replace(LATE, hold=""), 0, 0, "Thank you for your payment", "The results that you paid for have been used."),
        (LATE, 1, 0, "Thank you. Results are open", "is no longer kept. You have 1 result to use: ask for one"),
        (replace(CHECKOUT, results=5), 4, 0, "Thank you. Results are open", "You have 4 results to use"),
        (CHECKOUT, 3, 0, "Thank you for your payment", "was kept for you until its time was over"),
        (replace(LATE, again=True), 1, 0, "You paid twice, and nothing is lost", "You have 1 result to use"),
        (replace(MONTH, again=True), 0, EXPIRES, "You paid twice, and nothing is lost", "until 30 November 2026"),
    ],
)  # fmt: skip
def test_the_page_of_a_payment_says_what_it_gave(
    record: CheckoutRecord, credits: int, until: int, title: str, said: str
) -> None:
    page = Read(paid(record, None, credits, until))
    assert title in page.text and said in page.text
    assert not any("/hold/" in str(link["href"]) for link in page.all("a"))


@pytest.mark.parametrize(
    ("result", "said"),
    [(held(), "but flights-2013.csv was yours already, so it"), (None, "or is no longer kept, so it")],
)
def test_a_payment_that_gave_nothing_says_that_it_comes_back_and_how(result: HoldRecord | None, said: str) -> None:
    record = replace(CHECKOUT, status=CheckoutStatus.SURPLUS)
    page = Read(paid(record, result))
    for each in ("Your payment of 3.00 USD has arrived", said, "It will be given back: write to Northwind Reports"):
        assert each in page.text
    assert "checkout-1" in page.text
    assert {"href": "mailto:help@northwind.example", "class": "button primary"} in page.all("a")
    nobody = Read(paid(record, result, site=replace(SITE, contact="")))
    assert "It will be given back: ask Northwind Reports" in nobody.text
    assert not any(str(link["href"]).startswith("mailto:") for link in nobody.all("a"))


def test_a_payment_of_another_amount_says_that_it_is_not_lost() -> None:
    page = Read(PAGES["mismatch"])
    assert "it is not 3.00 USD" in page.text and "It is not lost: write to Northwind Reports" in page.text


@pytest.mark.parametrize("outcome", SettleOutcome)
def test_the_sandbox_goes_on_where_the_payment_counts_and_else_says_why_not(outcome: SettleOutcome) -> None:
    own = sandbox("pay", outcome)
    if outcome in (SettleOutcome.SETTLED, SettleOutcome.REPLAYED, SettleOutcome.SURPLUS):
        assert (own.status, header(own, "location")) == (303, "/paid")
    else:
        assert own.status == 409
        assert re.search(r"The gateway did not take this payment: \w+ \w+", Read(own).text)


def test_errors_carry_the_word_to_ask_for_help_with() -> None:
    page = Read(PAGES["error"])
    assert "upstream-timeout" in page.text
    assert {"href": "mailto:help@northwind.example"} in page.all("a")


def test_the_style_sheet_knows_no_left_and_right() -> None:
    style = files("gateway.web").joinpath("templates/style.css").read_text("utf-8")
    assert not PHYSICAL.findall(re.sub(r"@media[^{]*", "", style))


@pytest.mark.parametrize("bad", ["a{margin-left:1px}", "a{max-width: 3rem}", "a{left:0}", "a{text-align: right}"])
def test_left_and_right_are_noticed(bad: str) -> None:
    assert PHYSICAL.search(bad)


def test_a_page_is_never_stored() -> None:
    assert (b"cache-control", b"private, no-store") in PAGES["held-table"].all_headers()
    assert header(PAGES["held-table"], "referrer-policy") == "same-origin"
