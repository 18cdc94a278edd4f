"""Paying by Paddle in a real Chromium: the page lets a script of the provider's fill it, and nobody else's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from tests.flow.application import Application
from tests.flow.conftest import CONFIG
from tests.flow.conftest import application as application
from tests.flow.service import Service
from tests.plugins.pay.paddle_rig import ENVIRONMENT, PaddleRig

from .test_pages import violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCRIPT = """
window.Paddle = {
  calls: [],
  Environment: { set: function (name) { Paddle.calls.push(["environment", name]); } },
  Initialize: function (told) { Paddle.calls.push(["initialize", told.token]); },
  Checkout: { open: function (told) {
    Paddle.calls.push(["open", told.transactionId, told.settings.successUrl]);
    var style = document.createElement("style");
    style.textContent = ".overlay { position: fixed; inset: 0; width: 100%; height: 100%; border: 0; }";
    document.head.appendChild(style);
    var frame = document.createElement("iframe");
    frame.className = "overlay"; frame.title = "Paddle"; frame.src = BASE + "/paddle/buy";
    document.body.appendChild(frame);
    window.addEventListener("message", function (said) {
      if (said.data === "paid") window.location.href = told.settings.successUrl;
    });
  } },
};
"""
"""A stand-in for Paddle.js: it does to the page what that does."""
FRAME = """<!doctype html><title>Pay</title><button>Pay now</button><script>
document.querySelector("button").onclick = () => fetch("/paddle/paid").then(() => parent.postMessage("paid", "*"));
</script>"""
"""What stands in for Paddle's checkout."""

Shop = tuple[Service, PaddleRig]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop(application: Application, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    """A gateway that sells by the fake of Paddle. Nothing is reported: that somebody has paid is found on return."""
    rig, folder = PaddleRig(), tmp_path_factory.mktemp("paddle")
    rig.host.now_ms = time.time_ns() // 1_000_000

    async def script(request: web.Request) -> web.Response:
        text = SCRIPT.replace("BASE", json.dumps(rig.fake.address))
        return web.Response(content_type="text/javascript", text=text)

    async def frame(request: web.Request) -> web.Response:
        return web.Response(content_type="text/html", text=FRAME)

    async def paid(request: web.Request) -> web.Response:
        rig.fake.pay(next(name for name, each in rig.fake.transactions.items() if each["status"] == "draft"))
        return web.Response()

    for path, handler in (("v2/paddle.js", script), ("buy", frame), ("paid", paid)):
        rig.fake.app.router.add_get(f"/paddle/{path}", handler)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        await rig.start()
    its = (
        "- paddle: {api_key: {env: PADDLE_KEY}, client_token: test_fake, webhook_secrets: [{env: PADDLE_SECRET}], "
        f"test: true, api_base: {rig.fake.address}}}"
    )
    text = CONFIG.format(upstream=application.url, data=folder).replace("- sandbox: {}", its)
    service = Service(folder, text.replace("sandbox: allowed\n", ""), environment=ENVIRONMENT)
    await asyncio.to_thread(service.start)
    yield service, rig
    assert await asyncio.to_thread(service.stop) == 0
    await rig.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A tab of somebody new."""
    context = await browser.new_context(extra_http_headers={"x-user-id": f"payer-{time.monotonic_ns()}"})
    page = await context.new_page()
    yield page
    await context.close()


async def at_the_checkout(service: Service, page: Page, who: str) -> list[str]:
    """Go to pay; what the browser refused on the way."""
    await page.context.set_extra_http_headers({"x-user-id": who})
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
    await asyncio.to_thread(service.expire, who)
    await page.goto(f"{service.address}/report.csv")
    await page.get_by_role("button", name="Pay 3.00 USD").click()
    return refused


async def test_paying_on_the_page(shop: Shop, page: Page) -> None:
    service, rig = shop
    refused = await at_the_checkout(service, page, "ann")
    assert "/provider/paddle/pay?" in page.url
    await page.locator("iframe").wait_for()
    calls: list[Any] = await page.evaluate("Paddle.calls")
    [transaction] = [name for name, each in rig.fake.transactions.items() if each["status"] == "draft"]
    assert calls[:2] == [["environment", "sandbox"], ["initialize", "test_fake"]]
    assert calls[2][:2] == ["open", transaction]
    assert calls[2][2].startswith(f"{service.address}/_paywall/paid?checkout=")
    assert await page.locator("iframe").evaluate("frame => getComputedStyle(frame).position") == "fixed"
    await page.frame_locator("iframe").get_by_role("button", name="Pay now").click()
    await page.wait_for_url("**/_paywall/paid?**")
    assert "Thank you" in await page.inner_text("h1")
    assert refused == []


async def test_the_checkout_can_be_opened_again_and_left(shop: Shop, page: Page) -> None:
    service, _ = shop
    await at_the_checkout(service, page, "bob")
    await page.locator("iframe").evaluate("frame => frame.remove()")
    assert not await violations(page)
    await page.get_by_role("button", name="Open the checkout").click()
    assert [call[0] for call in await page.evaluate("Paddle.calls")] == ["environment", "initialize", "open", "open"]
    await page.locator("iframe").evaluate("frame => frame.remove()")
    await page.get_by_role("link", name="Turn back").click()
    assert "/_paywall/offer" in page.url


async def test_a_script_that_does_not_load_is_told(shop: Shop, page: Page) -> None:
    service, _ = shop
    await page.route("**/paddle/v2/paddle.js", lambda route: route.abort())
    await at_the_checkout(service, page, "eve")
    assert await page.get_by_text("The checkout did not load. Nothing was charged.").is_visible()
    assert not await page.get_by_role("button", name="Open the checkout").is_visible()


async def test_scripts_of_others_do_not_run_there(shop: Shop, page: Page) -> None:
    service, _ = shop
    refused = await at_the_checkout(service, page, "mallory")
    await page.evaluate(
        "for (const src of ['https://evil.example/a.js', 'data:text/javascript,1']) {"
        " const script = document.createElement('script'); script.src = src; document.head.appendChild(script); }"
    )
    await page.evaluate("document.body.setAttribute('onclick', 'window.caught = true')")
    await page.evaluate("document.body.click()")
    assert await page.evaluate("window.caught") is None
    assert len(refused) >= 2
