"""Every page in a real Chromium: readable by everybody, in light and dark, from 320 px on, in both directions."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, Route

from gateway.core.reason import Reason
from gateway.web.answers import OwnAnswer
from tests.pages.samples import all_pages

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
ORIGIN = "https://northwind.example"
PAGES = all_pages()
RULES = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}


def axe() -> str:
    """The accessibility checker's script."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")


@asynccontextmanager
async def opened(
    browser: Browser, pages: Mapping[str, OwnAnswer], scheme: Scheme = "light", width: int = 1200
) -> AsyncIterator[Page]:
    """A tab on a service that answers with these pages, each at its name."""

    async def answer(route: Route) -> None:
        own = pages.get(route.request.url.removeprefix(f"{ORIGIN}/"))
        if own is None:
            await route.fulfill(status=404)
            return
        headers = {name.decode(): value.decode() for name, value in own.all_headers()}
        await route.fulfill(status=own.status, headers=headers, body=own.body)

    context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    try:
        await context.route("**/*", answer)
        yield await context.new_page()
    finally:
        await context.close()


def staying(own: OwnAnswer) -> OwnAnswer:
    """The page without the order to go on to the download, so that it can be looked at."""
    return replace(own, body=re.sub(rb'<meta http-equiv="refresh"[^>]*>', b"", own.body))


async def violations(page: Page) -> list[str]:
    """What the checker has to say about the page, rule and place."""
    await page.evaluate(axe())
    found: dict[str, Any] = await page.evaluate("options => axe.run(document, options)", RULES)
    return [f"{each['id']}: {node['target']}" for each in found["violations"] for node in each["nodes"]]


async def overhang(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    width: int = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return width


@pytest.mark.parametrize("name", PAGES)
async def test_everybody_can_use_the_page(browser: Browser, name: str) -> None:
    async with opened(browser, {name: staying(PAGES[name])}) as page:
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
        await page.goto(f"{ORIGIN}/{name}")
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            assert not await violations(page), scheme
        assert not refused


async def test_what_keeps_somebody_out_is_noticed(browser: Browser) -> None:
    own = PAGES["held-table"]
    spoiled = own.body.replace(b'scope="col"', b'scope="nothing"').replace(b'<label for="note">', b"<label>")
    async with opened(browser, {"spoiled": replace(own, body=spoiled)}) as page:
        await page.goto(f"{ORIGIN}/spoiled")
        found = {violation.partition(":")[0] for violation in await violations(page)}
    assert found == {"label", "scope-attr-valid"}


@pytest.mark.parametrize("name", PAGES)
async def test_a_small_phone_is_wide_enough(browser: Browser, name: str) -> None:
    async with opened(browser, {name: staying(PAGES[name])}, width=320) as page:
        await page.goto(f"{ORIGIN}/{name}")
        for direction in ("ltr", "rtl"):
            await page.evaluate("direction => { document.documentElement.dir = direction }", direction)
            assert await overhang(page) == 0, direction


async def test_a_page_too_wide_is_noticed(browser: Browser) -> None:
    own = PAGES["error"]
    body = own.body.replace(b"It was asked", b"<img width=900 alt=''>It was asked")
    async with opened(browser, {"wide": replace(own, body=body)}, width=320) as page:
        await page.goto(f"{ORIGIN}/wide")
        assert await overhang(page) > 0


async def test_the_style_sheet_applies_and_another_does_not(browser: Browser) -> None:
    own = PAGES["held-table"]
    body = own.body.replace(b"</head>", b"<style>body{padding-inline-start:99px}</style></head>")
    async with opened(browser, {"page": replace(own, body=body)}) as page:
        await page.goto(f"{ORIGIN}/page")
        margin, padding = await page.evaluate(
            "[getComputedStyle(document.body).margin, getComputedStyle(document.body).paddingInlineStart]"
        )
    assert (margin, padding) == ("0px", "0px")


async def test_the_keyboard_reaches_every_control_and_shows_where_it_is(browser: Browser) -> None:
    async with opened(browser, PAGES) as page:
        await page.goto(f"{ORIGIN}/held-table")
        everything = await page.locator(
            "a, button, textarea, [tabindex='0'], input[type=radio] >> visible=true"
        ).count()
        radios = await page.locator("input[type=radio]").count()
        seen = []
        for _ in range(everything):
            await page.keyboard.press("Tab")
            seen.append(
                await page.evaluate(
                    "(e => [e.tagName, getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth])"
                    "(document.activeElement)"
                )
            )
    reached = [each for each in seen if each[0] != "BODY"]
    # A group of radio buttons is one stop: the arrow keys move within it.
    assert len(reached) >= everything - radios + 1
    assert {(style, width) for _, style, width in reached} == {("solid", "3px")}


async def test_not_now_is_as_large_as_pay(browser: Browser) -> None:
    async with opened(browser, PAGES) as page:
        await page.goto(f"{ORIGIN}/held-table")
        pay = await page.get_by_role("button", name="Pay 3.00 USD").bounding_box()
        decline = await page.get_by_role("button", name="Not now").bounding_box()
        headings = await page.evaluate(
            "['pay-title', 'not-now-title'].map(id => getComputedStyle(document.getElementById(id)).fontSize)"
        )
    assert pay and decline
    assert decline["height"] >= pay["height"] >= 44
    assert decline["width"] >= pay["width"]
    assert headings[0] == headings[1]


async def test_the_download_of_what_was_paid_starts_by_itself(browser: Browser) -> None:
    headers = [(b"content-type", b"text/csv"), (b"content-disposition", b'attachment; filename="flights-2013.csv"')]
    result = OwnAnswer(200, Reason.RELEASED, headers, b"date,carrier\n2013-01-01,UA\n")
    async with opened(browser, {**PAGES, "_paywall/hold/hold-1?download": result}) as page:
        async with page.expect_download() as download:
            await page.goto(f"{ORIGIN}/thanks")
        begun = await download.value
        assert begun.suggested_filename == "flights-2013.csv"
        assert await page.get_by_role("link", name="Take the result").is_visible()


async def test_paper_has_the_offer_and_no_buttons(browser: Browser) -> None:
    async with opened(browser, PAGES, "dark") as page:
        await page.emulate_media(media="print", color_scheme="dark")
        await page.goto(f"{ORIGIN}/held-table")
        assert await page.get_by_text("19.00 USD", exact=True).is_visible()
        assert not await page.get_by_role("button").count()
        background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
