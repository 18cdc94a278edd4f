"""The notice in a real Chromium: under strict policies, in pages that make it difficult, for everybody to read."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.flow.notices import Noticing, noticing
from tests.flow.raw import RawApplication, answer

from .test_pages import SCHEMES, Scheme, overhang, violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SAID = "Your trial is over: browsing stays open, results beyond the free ones need a plan. See the offer"
PAGE = b"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Flights</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>h1 { margin: 3rem }</style></head>
<body><main><h1>Flights</h1><p>From New York.</p></main></body></html>
"""
CSP = b"content-security-policy: "
LET_IN: dict[str, tuple[bytes, ...]] = {
    "no policy": (),
    "own things only": (CSP + b"default-src 'self'",),
    "nothing but own style": (CSP + b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'",),
    "strict, by nonces": (CSP + b"script-src 'nonce-r4nd0m' 'strict-dynamic'; object-src 'none'; base-uri 'none'",),
    "trusted types": (CSP + b"require-trusted-types-for 'script'; trusted-types 'none'; default-src 'self'",),
    "a sandbox": (CSP + b"sandbox",),
    "a sandbox with its own things": (CSP + b"sandbox allow-scripts; default-src 'self'",),
    "isolation": (
        CSP + b"default-src 'self'", b"cross-origin-embedder-policy: require-corp",
        b"cross-origin-opener-policy: same-origin", b"cross-origin-resource-policy: same-origin",
    ),
}  # fmt: skip
KEPT_OUT: dict[str, tuple[bytes, ...]] = {
    "nothing": (CSP + b"default-src 'none'",),
    "style by nonces": (CSP + b"default-src 'self'; style-src 'nonce-r4nd0m'",),
    "style by hashes": (CSP + b"style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",),
    "style from elsewhere": (CSP + b"default-src 'self'; style-src https://cdn.example",),
    "two policies": (CSP + b"default-src 'self'", CSP + b"style-src 'none'"),
    "two policies in one header": (CSP + b"default-src 'self', style-src-elem 'none'",),
    "a policy that only reports": (b"content-security-policy-report-only: default-src 'none'",),
    "a policy in the page": (),
}
POLICIES = {**LET_IN, **KEPT_OUT}
OF_THE_PAGE = b'<head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'


@pytest.fixture(scope="module")
def application() -> Iterator[RawApplication]:
    """The application."""
    raw = RawApplication()
    raw.answers[b"/favicon.ico"] = answer(b"content-type: image/x-icon")
    yield raw
    raw.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gateway(application: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Noticing]:
    """A gateway that knows somebody whose trial is over."""
    with noticing(tmp_path_factory.mktemp("gateway"), application, "after-trial") as running:
        await asyncio.to_thread(running.expire, "ed")
        yield running


@contextlib.asynccontextmanager
async def tab(browser: Browser, scheme: Scheme = "light", width: int = 1000) -> AsyncIterator[tuple[Page, list[str]]]:
    """A tab of somebody whose trial is over, and what the browser says against the page."""
    context = await browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 700}, extra_http_headers={"x-user-id": "ed"}
    )
    try:
        page, said = await context.new_page(), list[str]()
        page.on("console", lambda message: said.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        yield page, said
    finally:
        await context.close()


async def complaints(browser: Browser, address: str) -> list[str]:
    """What the browser says against this page, without the addresses it names."""
    async with tab(browser) as (page, said):
        await page.goto(address)
        return without_addresses(said)


def without_addresses(said: list[str]) -> list[str]:
    """What the browser said, but where, and but of the icon, for which it asks when it likes."""
    return sorted(text.partition("'http")[0] for text in said if "/favicon.ico" not in text)


async def seen(page: Page) -> str:
    """The notice as somebody reads it, who sees it."""
    notice = page.locator(".paywall-notice")
    await notice.scroll_into_view_if_needed()
    assert await notice.is_visible() and await notice.locator("a").is_visible()
    return " ".join((await notice.inner_text()).split())


async def is_styled(page: Page) -> bool:
    """Whether the style sheet has come."""
    colour: str = await page.locator(".paywall-notice").evaluate("each => getComputedStyle(each).backgroundColor")
    return colour != "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("name", POLICIES)
async def test_no_policy_is_violated_and_the_notice_is_read(browser: Browser, gateway: Noticing, name: str) -> None:
    body = PAGE.replace(b"<head>", OF_THE_PAGE) if name == "a policy in the page" else PAGE
    path = gateway.page(*POLICIES[name], body=body)
    before = await complaints(browser, gateway.raw.url + path)
    async with tab(browser) as (page, said):
        await page.goto(gateway.service.address + path)
        assert await seen(page) == SAID
        assert await is_styled(page) == (name in LET_IN)
        assert without_addresses(said) == before
        await page.click(".paywall-notice a")
        await page.wait_for_url("**/_paywall/offer")
        assert "Results need a plan now" in await page.inner_text("h1")


async def test_a_style_sheet_that_is_not_let_in_would_be_a_violation(browser: Browser, gateway: Noticing) -> None:
    styled = PAGE.replace(b"</body>", b'<link rel="stylesheet" href="/_paywall/notice.css"></body>')
    policy = CSP + b"default-src 'none'"
    plain, worse = gateway.page(policy, body=PAGE), gateway.page(policy, body=styled)
    assert len(await complaints(browser, gateway.service.address + worse)) == 1 + len(
        await complaints(browser, gateway.service.address + plain)
    )


HOSTILE = b"""<style>* { color: #fff !important; font-size: 3px !important } body { background: #fff }
div { display: none; position: fixed; inset: 0 } p { text-indent: -999px; margin: 60px }
body#x div a { color: #fff !important; visibility: hidden; pointer-events: none } time { display: none }</style>"""
PAGES = {
    "ordinary": PAGE,
    "without an end": PAGE.partition(b"</main>")[0],
    "with more behind its end": PAGE.replace(b"</html>", b"<script>document.title += '!'</script></html>"),
    "with its end in a script": PAGE.replace(b"</main>", b"<script>document.title = '</body></html>'</script></main>"),
    "with scripts alone": b"<!doctype html><title>t</title><script>document.title = '</body>'</script>",
    "hostile": PAGE.replace(b"</head>", HOSTILE + b"</head>").replace(b"<body>", b"<body id=x>"),
    "narrow": PAGE.replace(b"</style>", b"body { width: 200px; float: left }</style>"),
    "in a row": PAGE.replace(b"</style>", b"body { display: flex; min-height: 100vh; align-items: center }</style>"),
    "in a grid": PAGE.replace(b"</style>", b"body { display: grid; grid-template-columns: 100px 1fr }</style>"),
    "of small letters": PAGE.replace(b"</style>", b"html { font-size: 50% } a { color: inherit }</style>"),
    "based": PAGE.replace(b"<head>", b'<head><base href="/app/deep/" target="_blank">'),
    "old": PAGE.replace(b"<!doctype html>", b"").replace(b"utf-8", b"windows-1252"),
    "of unclosed elements": PAGE.replace(b"</main>", b"<div><p><ul><li><b>bold"),
}  # fmt: skip


async def outline(page: Page) -> Any:
    """Title, texts and elements of the page, without the notice."""
    return await page.evaluate(
        """() => {
            document.querySelectorAll(".paywall-notice").forEach(each => each.remove());
            return [document.title, [...document.querySelectorAll("*")].map(each => each.tagName + each.className),
                    [...document.scripts, ...document.querySelectorAll("style")].map(each => each.textContent),
                    document.body.textContent.trim()];
        }"""
    )


@pytest.mark.parametrize("name", [*PAGES, "in gzip"])
async def test_a_difficult_page_works_as_before(browser: Browser, gateway: Noticing, name: str) -> None:
    coded = name == "in gzip"
    made = PAGES["ordinary" if coded else name]
    path = gateway.page(*(b"content-encoding: gzip",) * coded, body=gzip.compress(made) if coded else made)
    outlines = []
    for origin in (gateway.raw.url, gateway.service.address):
        async with tab(browser) as (page, said):
            await page.goto(origin + path)
            if origin == gateway.service.address:
                assert await seen(page) == SAID
                assert await is_styled(page)
            outlines.append(await outline(page))
            assert said == []
    assert outlines[0] == outlines[1]


@pytest.mark.parametrize("policy", ["own things only", "nothing"])
@pytest.mark.parametrize("width", [1000, 320])
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_everybody_can_use_it(
    browser: Browser, gateway: Noticing, scheme: Scheme, width: int, policy: str
) -> None:
    path = gateway.page(*POLICIES[policy], body=PAGE.replace(b"<style>h1 { margin: 3rem }</style>", b""))
    async with tab(browser, scheme, width) as (page, _):
        await page.goto(gateway.service.address + path)
        assert await seen(page) == SAID
        assert await violations(page) == []
        assert await overhang(page) == 0
        assert await page.get_by_role("region", name="Your access").count() == 1


async def test_a_hostile_page_can_not_make_it_unreadable(browser: Browser, gateway: Noticing) -> None:
    path = gateway.page(body=PAGES["hostile"])
    for scheme in SCHEMES:
        async with tab(browser, scheme) as (page, _):
            await page.goto(gateway.service.address + path)
            found = [each for each in await violations(page) if "paywall-notice" in each and "contrast" in each]
            assert found == []
            size = await page.locator(".paywall-notice a").evaluate("each => getComputedStyle(each).fontSize")
            assert size == "16px"
            await page.click(".paywall-notice a")
            await page.wait_for_url("**/_paywall/offer")


async def test_it_covers_nothing_and_is_not_printed(browser: Browser, gateway: Noticing) -> None:
    path = gateway.page(body=PAGE.replace(b"</main>", b"<p>row</p>" * 100 + b"<p id=last>last</p></main>"))
    async with tab(browser) as (page, _):
        await page.goto(gateway.service.address + path)
        await page.locator("#last").scroll_into_view_if_needed()
        last = await page.locator("#last").bounding_box()
        notice = await page.locator(".paywall-notice").bounding_box()
        assert last is not None and notice is not None
        assert notice["y"] >= last["y"] + last["height"]
        await page.emulate_media(media="print")
        assert not await page.locator(".paywall-notice").is_visible()


async def test_keys_lead_to_the_offer(browser: Browser, gateway: Noticing) -> None:
    async with tab(browser) as (page, _):
        await page.goto(gateway.service.address + gateway.page(body=PAGE))
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "See the offer"
        outline = await page.locator(".paywall-notice a").evaluate("each => getComputedStyle(each).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/_paywall/offer")


async def test_a_page_that_is_shown_again_after_paying_is_asked_for_again(browser: Browser, gateway: Noticing) -> None:
    path = gateway.page(b"cache-control: max-age=3600", b'etag: "1"', body=PAGE)
    await asyncio.to_thread(gateway.expire, "pat")
    context = await browser.new_context(extra_http_headers={"x-user-id": "pat"})
    try:
        page = await context.new_page()
        await page.goto(gateway.service.address + path)
        assert await page.locator(".paywall-notice").count() == 1
        await asyncio.to_thread(gateway.entitle, "pat")
        await page.goto("about:blank")
        await page.goto(gateway.service.address + path)
        assert await page.locator(".paywall-notice").count() == 0
    finally:
        await context.close()
