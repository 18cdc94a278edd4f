"""Paying at Stripe in a real Chromium, without scripts: the offer leads there, and back to the file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.flow.application import CSV, Application
from tests.flow.service import Service
from tests.flow.stripe import selling
from tests.plugins.pay.fake_stripe.thread import StripeThread

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, StripeThread]]:
    application = Application().start()
    with selling(tmp_path_factory.mktemp("stripe"), application.url) as shop:
        yield shop
    application.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Somebody on a telephone, with scripts switched off."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    yield context
    await context.close()


@pytest.mark.parametrize("is_mute", [True, False], ids=["the webhook is lost", "the webhook is first"])
async def test_from_the_offer_to_stripe_and_back_to_the_file(
    shop: tuple[Service, StripeThread], context: BrowserContext, tmp_path: Path, is_mute: bool
) -> None:
    service, stripe = shop
    stripe.fake.is_mute = is_mute
    person = f"browser-{is_mute}"
    await context.set_extra_http_headers({"x-user-id": person})
    await asyncio.to_thread(service.request, "GET", "/report.csv", {"x-user-id": person})
    await asyncio.to_thread(service.expire, person)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"{service.address}/report.csv")
    await page.get_by_role("button", name="Pay 3.00 USD").click()
    assert page.url.startswith(f"{stripe.fake.address}/c/pay/cs_test_"), complaints
    assert await page.inner_text("h1") == "This report"
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Pay", exact=True).click(no_wait_after=True)
    taken = tmp_path / "report.csv"
    await (await downloading.value).save_as(taken)
    assert taken.read_bytes() == CSV
    assert "Thank you" in await page.inner_text("h1")
    assert page.url.startswith(f"{service.address}/_paywall/paid")


async def test_turning_back_leads_to_the_offer(shop: tuple[Service, StripeThread], context: BrowserContext) -> None:
    service, _ = shop
    await context.set_extra_http_headers({"x-user-id": "browser-back"})
    await asyncio.to_thread(service.request, "GET", "/report.csv", {"x-user-id": "browser-back"})
    await asyncio.to_thread(service.expire, "browser-back")
    page = await context.new_page()
    await page.goto(f"{service.address}/report.csv")
    await page.get_by_role("button", name="Pay 3.00 USD").click()
    await page.get_by_role("link", name="Back").click()
    assert await page.get_by_role("button", name="Pay 3.00 USD").count() == 1
