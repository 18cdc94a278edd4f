"""The overlay's dialog for everybody: the checker finds nothing, it fits on a phone, and in both directions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Route

from tests.flow.overlays import Overlaid, overlaid
from tests.flow.raw import RawApplication

from .overlay_rig import Somebody, app_page, lay_out, somebody
from .test_pages import SCHEMES, Scheme, overhang, violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOSTILE = b"""<style>* { color: red !important; font-size: 3px !important; display: block !important }
div { display: none !important; pointer-events: none } body { pointer-events: none; direction: rtl }
dialog, button { visibility: hidden !important }</style>"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overlaid]:
    """A gateway that leaves pages alone: the application has the overlay in them itself."""
    raw = RawApplication()
    lay_out(raw)
    with overlaid(tmp_path_factory.mktemp("overlay"), raw, "offer: {contact: help@example.com}\n") as running:
        yield running
    raw.close()


async def speak(person: Somebody, **words: object) -> None:
    """Let the overlay find other words."""

    async def answer(route: Route) -> None:
        came = await route.fetch()
        told: dict[str, Any] = await came.json()
        await route.fulfill(response=came, json={**told, **words})

    await person.page.route("**/_paywall/overlay.json*", answer)


async def dialog_overhang(person: Somebody) -> int:
    """By how many pixels the dialog's content is wider than the dialog."""
    width: int = await person.dialog.evaluate("each => each.scrollWidth - each.clientWidth")
    return width


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_checker_finds_nothing_in_any_state(browser: Browser, gateway: Overlaid, scheme: Scheme) -> None:
    async with somebody(browser, gateway, scheme) as person:
        # The page below has no dark colours of its own, and is not what is looked at.
        await person.go(gateway.page(body=app_page(b"<style>:root { color-scheme: light dark }</style>")))
        await person.press("fetch")
        await person.offered()
        assert await violations_of(person) == []
        assert await person.dialog.get_attribute("lang") == "en"
        name = "Your result is ready and waits for payment"
        assert await person.page.get_by_role("dialog", name=name).count() == 1
        window = await person.choose("3.00 USD")
        assert await violations_of(person) == []
        await window.close()
        await person.page.bring_to_front()
        await person.offered()
        assert await violations_of(person) == []


async def violations_of(person: Somebody) -> list[str]:
    """What the checker has to say about the dialog."""
    found = await violations(person.page)
    return [each for each in found if "dialog" in each]


async def test_nothing_in_it_moves(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        dialog = await person.offered()
        assert await dialog.evaluate("each => each.getRootNode().getAnimations().length") == 0


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("call", ["fetch", "blocked"])
async def test_a_small_phone_is_wide_enough(browser: Browser, gateway: Overlaid, direction: str, call: str) -> None:
    async with somebody(browser, gateway, width=320, height=600) as person:
        await speak(person, dir=direction)
        await person.go(gateway.page(body=app_page()))
        await person.press(call)
        await person.offered()
        assert await dialog_overhang(person) == 0
        assert await overhang(person.page) == 0
        box = await person.dialog.bounding_box()
        assert box is not None and box["width"] <= 320 and box["height"] <= 600
        close = await person.dialog.get_by_role("button", name="Close").bounding_box()
        title = await person.dialog.get_by_role("heading", level=2).bounding_box()
        assert close is not None and title is not None
        assert (close["x"] > title["x"]) == (direction == "ltr")


async def test_not_now_is_as_large_as_pay(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        dialog = await person.offered()
        pay = await dialog.get_by_role("button", name="Pay 3.00 USD").bounding_box()
        decline = await dialog.get_by_role("button", name="Not now").bounding_box()
        assert pay is not None and decline is not None
        assert decline["height"] >= pay["height"] >= 44 and decline["width"] >= pay["width"]


async def test_the_keyboard_stays_in_it_and_reaches_everything(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        await person.offered()
        assert await focused(person) == "Your result is ready and waits for payment"
        reached = []
        for _ in range(12):
            await person.page.keyboard.press("Tab")
            reached.append(await focused(person))
        wanted = {"×", "Pay 3.00 USD", "Pay 10.00 USD", "Pay 19.00 USD", "Not now", "See this offer as a page"}
        assert wanted <= set(reached)
        assert not any(name in reached for name in ("fetch", "xhr")), "the page below is not to be reached"


async def focused(person: Somebody) -> str:
    """The text of what has the focus in the dialog."""
    text: str = await person.page.evaluate(
        "(document.activeElement.shadowRoot?.activeElement ?? document.activeElement).textContent"
    )
    return text


async def test_a_hostile_page_does_not_reach_into_it(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        await person.offered()
        await person.page.evaluate(
            "style => document.head.append(document.createRange().createContextualFragment(style))", HOSTILE.decode()
        )
        size = await person.dialog.evaluate("each => getComputedStyle(each).fontSize")
        assert size == "16px"
        await person.pay("3.00 USD")
        await person.page.wait_for_function("document.querySelector('#said').textContent.startsWith('200')")


async def test_what_a_page_says_is_never_markup(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        mark = "<img src=x onerror=alert(1)>"
        await speak(person, take_it=mark, why=mark, page=mark)
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        dialog = await person.offered()
        assert await dialog.locator("img").count() == 0
        assert await dialog.get_by_text(mark).count() == 3


async def sell(person: Somebody, providers: list[list[str]], **more: object) -> None:
    """Let the offer of the report be paid so, plan by plan; the first plan has more to it."""

    async def answer(route: Route) -> None:
        came = await route.fetch()
        told: dict[str, Any] = await came.json()
        told["checkout"] = [
            {**plan, "providers": names} for plan, names in zip(told["checkout"], providers, strict=False)
        ]
        told["checkout"][0] |= more
        await route.fulfill(response=came, json=told)

    await person.page.route("**/report.csv", answer)


async def test_without_a_way_to_pay_it_says_whom_to_ask(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await sell(person, [[], []])
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        await person.dialog.get_by_text("You can't pay here yet").wait_for()
        link = person.dialog.get_by_role("link", name="Ask what can be done")
        assert await link.get_attribute("href") == "mailto:help@example.com"


async def test_of_several_ways_to_pay_each_has_its_button(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await speak(person, providers=[{"name": "a", "label": "card"}, {"name": "b", "label": "transfer"}])
        await sell(person, [["a", "b"], ["b"], ["free"]], renews="Renews every month until you end it.")
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        dialog = await person.offered()
        assert await dialog.locator(".primary").all_inner_texts() == [
            "Pay 3.00 USD with card", "Pay 3.00 USD with transfer", "Pay 10.00 USD", "Take it",
        ]  # fmt: skip
        assert await dialog.get_by_text("Renews every month until you end it.").count() == 1


async def test_it_speaks_the_language_of_the_browser(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.context.set_extra_http_headers({"x-user-id": person.name, "accept-language": "de-CH"})
        await person.go(gateway.page(body=app_page()))
        await person.press("fetch")
        await person.dialog.get_by_role("button", name="3,00 $ bezahlen").wait_for()
        assert await person.dialog.get_attribute("lang") == "de"
        assert await person.dialog.get_by_role("button", name="Schließen").count() == 1
        assert await violations_of(person) == []
