"""The overlay in a real Chromium: an application's own calls wait for the offer, and have what is paid for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Route

from gateway.cli.store_access import with_store
from gateway.core.subject import Subject, SubjectKind
from gateway.ports.cashbook import CheckoutStatus
from gateway.settings.load import load_settings
from tests.flow.overlays import Overlaid, overlaid
from tests.flow.raw import RawApplication

from .overlay_rig import PAY, Somebody, app_page, lay_out, somebody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HEAD = "name,amount"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overlaid]:
    """A gateway that leaves pages alone: the application has the overlay in them itself."""
    raw = RawApplication()
    lay_out(raw)
    with overlaid(tmp_path_factory.mktemp("overlay"), raw) as running:
        yield running
    raw.close()


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser, gateway: Overlaid) -> AsyncIterator[Somebody]:
    """Somebody whose trial is over, on the application's page."""
    async with somebody(browser, gateway) as opened:
        await opened.go(gateway.page(body=app_page()))
        yield opened


async def test_a_held_result_comes_to_the_call_that_asked_for_it(person: Somebody) -> None:
    before = person.gateway.executed("/report.csv")
    await person.press("fetch")
    dialog = await person.offered()
    assert "Your result is ready and waits for payment" in await dialog.inner_text()
    assert await person.nothing_said()
    await person.pay("3.00 USD")
    assert await person.said("200") == f"200 {HEAD}\n"
    await person.gone()
    assert person.gateway.executed("/report.csv") == before + 1, "it was not made a second time"
    assert person.complaints == []


@pytest.mark.parametrize("call", ["request", "priced"])
async def test_other_calls_for_a_result_have_it_too(person: Somebody, call: str) -> None:
    await person.press(call)
    await person.offered()
    await person.pay("4.50 USD" if call == "priced" else "3.00 USD")
    assert await person.said("200") == f"200 {HEAD}\n"


async def test_what_needs_no_payment_is_as_it_was(person: Somebody) -> None:
    await person.press("open")
    assert await person.said("200") == "200 open\n"
    assert await person.dialog.count() == 0
    assert await person.page.evaluate("[fetch.name, fetch.length, String(fetch), 'prototype' in fetch]") == [
        "fetch", 1, "function () { [native code] }", False,
    ]  # fmt: skip


async def test_several_calls_share_the_dialog_and_all_are_released(person: Somebody) -> None:
    await person.press("several")
    await person.offered()
    await person.pay("19.00 USD")
    await person.page.wait_for_function("document.querySelector('#said').textContent.match(/^200/gm)?.length === 3")
    await person.gone()


async def test_a_payment_for_one_result_leaves_the_others_on_offer(person: Somebody) -> None:
    await person.press("several")
    await person.offered()
    await person.pay("3.00 USD")
    await person.said("200")
    dialog = await person.offered()
    assert "This is another result, which is not paid for yet." in await dialog.inner_text()
    await person.dialog.get_by_role("button", name="Close").click()
    said = await person.said("402 ")
    assert (said.count("200 "), said.count("402 ")) == (1, 2)


@pytest.mark.parametrize(
    ("call", "came"),
    [
        ("blocked", HEAD), ("preview", HEAD), ("text", "echo: a text"), ("parameters", "echo: a=parameter"),
        ("bytes", "echo: some bytes"), ("form", "echo: ------WebKitFormBoundary"),
        ("request with a body", "echo: in a request"), ("xhr post", "echo: posted by a request"),
    ],
)  # fmt: skip
async def test_what_was_not_kept_is_asked_for_again(person: Somebody, call: str, came: str) -> None:
    await person.press(call)
    await person.offered()
    await person.pay("19.00 USD")
    assert (await person.said("200")).startswith(f"200 {came}")
    await person.gone()


async def test_what_can_not_be_sent_again_is_to_be_done_again(person: Somebody) -> None:
    await person.page.evaluate("() => { Request.prototype.clone = () => { throw new TypeError('a stream') } }")
    await person.press("request with a body")
    assert "please do once more what you were doing" in await (await person.offered()).inner_text()
    await person.pay("19.00 USD")
    assert (await person.said("402")).startswith('402 {"type"')
    await person.dialog.get_by_text("Please do once more what you were doing: now the result comes.").wait_for()


async def test_not_now_and_the_app_has_the_answer_as_it_came(person: Somebody) -> None:
    await person.press("fetch")
    dialog = await person.offered()
    await dialog.get_by_label("It is too expensive").check()
    await dialog.get_by_role("button", name="Not now").click()
    assert (await person.said("402")).startswith('402 {"type":"/_paywall/problems/result-held"')
    await person.gone()
    me = person.gateway.service.me
    await person.page.wait_for_function("fetch('/_paywall/me').then(a => a.json()).then(me => me.declined)")
    assert me(person.name)["declined"] == "too-expensive"


@pytest.mark.parametrize("how", ["Escape", "Close", "Not now"])
async def test_it_can_be_closed_without_an_answer(person: Somebody, how: str) -> None:
    await person.press("fetch")
    dialog = await person.offered()
    await (person.page.keyboard.press(how) if how == "Escape" else dialog.get_by_role("button", name=how).click())
    await person.said("402")
    await person.gone()
    assert person.gateway.service.me(person.name)["declined"] is None
    assert await person.page.evaluate("document.activeElement.textContent") == "fetch"


async def test_who_closed_it_is_asked_again_only_for_what_they_do(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        # The tests' own looking at a page counts as somebody's act, so what the browser would say is said here.
        await person.page.add_init_script(
            "Object.defineProperty(navigator, 'userActivation', { get: () => ({ isActive: !!window.isActing }) })"
        )
        await person.go(gateway.page(body=app_page().replace(b"<body", b'<body data-at-once="fetch"')))
        await person.offered()
        await person.page.keyboard.press("Escape")
        await person.said("402")
        await person.press("blocked")
        await person.said('result-held"', "payment-required")
        assert await person.dialog.count() == 0
        await person.page.evaluate("window.isActing = true")
        await person.press("fetch")
        await person.offered()


async def test_who_said_not_now_is_left_alone_by_what_happens_by_itself(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.page.add_init_script(
            "Object.defineProperty(navigator, 'userActivation', { get: () => ({ isActive: false }) })"
        )
        refused = {"x-user-id": person.name}
        assert gateway.service.request("POST", "/_paywall/decline?reason=not-now", refused).status == 204
        await person.go(gateway.page(body=app_page().replace(b"<body", b'<body data-at-once="fetch"')))
        await person.said('"reason":"declined"')
        assert await person.dialog.count() == 0


async def test_a_call_that_is_aborted_takes_the_dialog_along(person: Somebody) -> None:
    for call in ("abortable", "a Request that is aborted"):
        await person.press(call)
        await person.offered()
        await person.page.evaluate("stop.abort()")
        await person.gone()
    assert await person.said("AbortError\nAbortError") == "AbortError\nAbortError\n"


async def test_a_call_that_waited_too_long_does_not_close_it(person: Somebody) -> None:
    await person.press("impatient")
    await person.offered()
    assert await person.said("Error") == "TimeoutError\n"
    await person.pay("3.00 USD")
    taken = person.dialog.get_by_role("link", name="Take the result")
    async with person.page.expect_download() as downloading:
        await taken.evaluate("each => { each.removeAttribute('target'); each.click() }")
    assert (await downloading.value).suggested_filename == "report.csv"


async def test_a_call_that_is_aborted_while_somebody_pays_does_not_lose_the_payment(person: Somebody) -> None:
    await person.press("abortable")
    await person.offered()
    window = await person.choose("3.00 USD")
    await person.page.evaluate("stop.abort()")
    await person.said("AbortError")
    await window.get_by_role("button", name=PAY).click(no_wait_after=True)
    await person.dialog.get_by_role("heading", name="Thank you, your payment has arrived").wait_for()


async def test_a_window_closed_without_paying_leads_back_to_the_offer(person: Somebody) -> None:
    await person.press("fetch")
    await person.offered()
    window = await person.choose("3.00 USD")
    assert await person.dialog.get_by_role("link", name="Go to the payment page").count() == 1
    await window.close()
    await person.page.bring_to_front()
    await person.offered()
    assert "no payment has arrived so far" in await person.dialog.inner_text()
    await person.pay("3.00 USD")
    await person.said("200")


async def test_turning_back_ends_at_a_page_that_says_to_close_it(person: Somebody) -> None:
    await person.press("fetch")
    await person.offered()
    window = await person.choose("3.00 USD")
    await window.get_by_role("button", name="Turn back").click()
    assert await window.inner_text("h1") == "You can close this window"
    await person.page.bring_to_front()
    await person.dialog.get_by_role("button", name="Back to the offer").click()
    await person.offered()


async def test_two_clicks_are_one_payment(person: Somebody) -> None:
    await person.press("fetch")
    dialog = await person.offered()
    async with person.context.expect_page() as opening:
        await dialog.get_by_role("button", name="Pay 3.00 USD").dblclick()
    window = await opening.value
    await window.get_by_role("button", name=PAY).click(no_wait_after=True)
    await person.said("200")
    assert len(await asyncio.to_thread(person.gateway.service.ledger, person.name)) == 1


async def test_a_payment_that_is_being_checked_is_not_asked_for_again(person: Somebody) -> None:
    status = {"now": "unknown"}

    async def answer(route: Route) -> None:
        if status["now"]:
            await route.fulfill(json={"checkout": "c", "status": status["now"], "plan": "single", "again": False})
        else:
            await route.continue_()

    await person.page.route("**/_paywall/paid?*", answer)
    await person.press("fetch")
    await person.offered()
    window = await person.choose("3.00 USD")
    await person.dialog.get_by_role("heading", name="We are checking your payment").wait_for()
    assert await person.dialog.get_by_role("button", name="Pay").count() == 0
    assert await person.dialog.get_by_role("link").all_inner_texts() == ["See what became of it"]
    await window.get_by_role("button", name=PAY).click()
    status["now"] = ""
    await person.said("200")


async def test_who_may_have_paid_before_is_not_asked_for_money_until_that_is_known(person: Somebody) -> None:
    await person.press("fetch")
    await person.offered()
    window = await person.choose("3.00 USD")
    await window.close()
    await person.page.bring_to_front()
    await asyncio.to_thread(forget_what_became_of_it, person)
    await person.page.reload()
    await person.press("fetch")
    await person.dialog.get_by_role("heading", name="We are checking your payment").wait_for()
    assert await person.dialog.get_by_role("button", name="Pay").count() == 0
    # The sandbox knows that nothing was paid, and is asked.
    await person.offered()
    assert "has arrived" not in await person.dialog.inner_text()
    await person.pay("3.00 USD")
    await person.said("200")


def forget_what_became_of_it(person: Somebody) -> None:
    """Let the person's newest checkout be one of which nobody knows whether it was paid."""
    subject, settings = Subject(SubjectKind.PERSON, person.name), load_settings(person.gateway.service.config).settings
    held = person.gateway.service.request("GET", "/report.csv", {"x-user-id": person.name}).json()
    begun = person.gateway.service.request("POST", held["checkout"][0]["address"], {"x-user-id": person.name}).json()
    unknown = CheckoutStatus.UNKNOWN
    with_store(settings, lambda store: store.payments.close_checkout(subject, begun["checkout"], unknown))


async def test_a_payment_that_failed_leads_back_to_the_offer(person: Somebody) -> None:
    answer = {"checkout": "c", "status": "failed", "plan": "single", "again": False}
    await person.page.route("**/_paywall/paid?*", lambda route: route.fulfill(json=answer))
    await person.press("fetch")
    await person.offered()
    await person.choose("3.00 USD")
    await person.offered()
    assert "did not go through, and nothing was charged" in await person.dialog.inner_text()


async def test_a_payment_that_can_not_begin_says_so(person: Somebody) -> None:
    await person.page.route("**/_paywall/checkout?*", lambda route: route.abort())
    await person.press("fetch")
    dialog = await person.offered()
    await dialog.get_by_role("button", name="Pay 3.00 USD").click()
    await dialog.get_by_text("Nothing was charged. Try again.").wait_for()
    assert len(person.context.pages) == 1


@pytest.mark.parametrize("status", ["surplus", "mismatch"])
async def test_a_payment_that_gave_nothing_is_told_and_not_asked_for_again(person: Somebody, status: str) -> None:
    answer = {"checkout": "c", "status": status, "plan": "single", "again": False}
    await person.page.route("**/_paywall/paid?*", lambda route: route.fulfill(json=answer))
    await person.press("fetch")
    await person.offered()
    await person.choose("3.00 USD")
    await person.dialog.get_by_role("heading", name="Your payment needs a look").wait_for()
    link = person.dialog.get_by_role("link", name="See what became of it")
    assert "/_paywall/paid?checkout=" in (await link.get_attribute("href") or "")
    assert await person.dialog.get_by_role("button", name="Pay").count() == 0
    await person.dialog.get_by_role("button", name="Go on browsing").click()
    await person.said("402")


async def test_where_no_window_may_open_a_link_leads_to_the_payment(person: Somebody) -> None:
    await person.page.evaluate("() => { window.open = () => null }")
    await person.press("fetch")
    dialog = await person.offered()
    await dialog.get_by_role("button", name="Pay 3.00 USD").click()
    async with person.context.expect_page() as opening:
        await dialog.get_by_role("link", name="Go to the payment page").click()
    window = await opening.value
    assert await window.evaluate("window.opener") is None
    await window.get_by_role("button", name=PAY).click()
    assert await window.inner_text("h1") == "You can close this window"
    await person.said("200")


async def test_the_window_of_the_payment_can_not_reach_back(person: Somebody) -> None:
    await person.press("fetch")
    await person.offered()
    window = await person.choose("3.00 USD")
    assert await window.evaluate("window.opener") is None


async def test_without_its_words_the_app_has_the_answer_as_it_came(person: Somebody) -> None:
    await person.page.route("**/_paywall/overlay.json*", lambda route: route.fulfill(status=502, body="{}"))
    await person.press("several")
    await person.page.wait_for_function("document.querySelector('#said').textContent.match(/^402/gm)?.length === 3")
    assert await person.dialog.count() == 0


async def test_what_was_paid_for_in_another_tab_comes_here_too(person: Somebody) -> None:
    await person.press("fetch")
    await person.offered()
    other = await person.context.new_page()
    await other.goto(person.page.url)
    await other.get_by_role("button", name="blocked", exact=True).click()
    async with person.context.expect_page() as opening:
        await other.get_by_role("button", name="Pay 19.00 USD").click()
    window = await opening.value
    await window.get_by_role("button", name=PAY).click(no_wait_after=True)
    await person.said("200")
    await person.gone()


async def test_it_knows_the_person_as_the_call_does(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway, known=False) as person:
        body = app_page().replace(b"<body", b'<body data-person="%s"' % person.name.encode())
        await person.go(gateway.page(body=body))
        await person.press("known")
        await person.offered()
        await person.pay("3.00 USD")
        assert await person.said("200") == f"200 {HEAD}\n"


async def test_a_button_that_was_disabled_meanwhile_has_the_focus_again(person: Somebody) -> None:
    await person.press("busy")
    await person.offered()
    await person.page.keyboard.press("Escape")
    await person.page.wait_for_function("document.activeElement.textContent === 'busy'")


async def test_the_applications_shortcuts_are_not_pressed_in_it(person: Somebody) -> None:
    await person.page.evaluate("window.heard = []; document.onkeydown = event => { heard.push(event.key) }; 0")
    await person.press("fetch")
    await person.offered()
    await person.page.keyboard.press("Tab")
    await person.page.keyboard.press("d")
    assert await person.page.evaluate("heard") == []
    assert await person.page.evaluate("document.activeElement.shadowRoot !== null"), "the focus is in the dialog"


async def test_stop_gives_back_what_waits_and_leaves_nothing(browser: Browser, gateway: Overlaid) -> None:
    module = b"""<script type="module">import { start, stop } from "/_paywall/overlay.mjs";
    Object.assign(window, { overlay: { start, stop }, was: [fetch, XMLHttpRequest.prototype.open] });</script>"""
    async with somebody(browser, gateway) as person:
        await person.go(gateway.page(body=app_page(module, own=False)))
        await person.press("open")
        assert await person.page.evaluate("[fetch === was[0], overlay.start(), overlay.start(), fetch === was[0]]") == [
            True, True, False, False,
        ]  # fmt: skip
        await person.press("fetch")
        await person.offered()
        await person.page.evaluate("overlay.stop()")
        await person.said("402")
        await person.gone()
        assert await person.page.evaluate(
            "[fetch === was[0], XMLHttpRequest.prototype.open === was[1], overlay.start()]"
        ) == [True, True, True]
        assert person.complaints == []
