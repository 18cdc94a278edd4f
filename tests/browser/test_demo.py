"""The demo in a real Chromium, without scripts: flights, export, offer, sandbox, download; and "not now"."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.demo.conftest import demo as demo
from tests.flow.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A tab of somebody new, on a telephone, with scripts switched off."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    yield await context.new_page()
    await context.close()


async def test_export_offer_payment_and_the_exact_file(demo: Service, page: Page, tmp_path: Path) -> None:
    await page.goto(f"{demo.address}/_demo/expired")
    assert await page.get_by_text("336,776 rows").count() == 1
    await page.get_by_role("link", name="CSV", exact=True).click()
    assert "flights.csv" in await page.inner_text("h1")
    await page.get_by_role("button", name="Pay 3.00 USD").click()
    assert "/provider/sandbox/pay" in page.url
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Pay 3.00 USD").click(no_wait_after=True)
    download = await downloading.value
    assert download.suggested_filename == "flights.csv"
    taken = tmp_path / "flights.csv"
    await download.save_as(taken)
    exact = await asyncio.to_thread(_exact, demo)
    assert taken.read_bytes() == exact
    assert "Thank you" in await page.inner_text("h1")


async def test_a_refused_card_and_turning_back_cost_nothing(demo: Service, page: Page) -> None:
    await page.goto(f"{demo.address}/_demo/expired")
    await page.goto(f"{demo.address}/flights/airlines.csv?_size=max")
    await page.get_by_role("button", name="Pay 19.00 USD").click()
    await page.get_by_role("button", name="Play a refused card").click()
    assert "Nothing was charged" in await page.inner_text("main")
    await page.get_by_role("button", name="Turn back").click()
    assert "airlines.csv" in await page.inner_text("h1")
    await page.goto(f"{demo.address}/flights/airlines.csv?_size=max")
    assert await page.get_by_role("button", name="Pay 3.00 USD").count() == 1


async def test_not_now_is_taken_for_an_answer(demo: Service, page: Page) -> None:
    await page.goto(f"{demo.address}/_demo/expired")
    await page.goto(f"{demo.address}/flights/planes.csv?_size=max")
    await page.get_by_label("Not right now").check()
    await page.get_by_role("button", name="Not now").click()
    assert "not now" in (await page.inner_text("h1")).lower()
    await page.goto(f"{demo.address}/flights/airports")
    assert "airports" in await page.inner_text("h1")
    await page.goto(f"{demo.address}/flights/airports.csv?_size=max")
    assert await page.get_by_role("button", name="Pay 3.00 USD").count() == 1
    assert "You said not now" in await page.inner_text("main")


def _exact(demo: Service) -> bytes:
    cookie = demo.request("GET", "/_demo/paying").header("set-cookie").partition(";")[0]
    return demo.request("GET", "/flights/flights.csv?_size=max", {"cookie": cookie}).body
