"""A real Chromium for the tests that look at pages as people do.

The browser lives on the session's event loop, so a test that uses it must live there too:

    pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """Where Chromium is. Without one the tests are skipped, except where everything must be tested."""
    if not CHROMIUM.exists():
        missing = f"there is no {CHROMIUM}: install Chromium (on Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return CHROMIUM


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """One Chromium for all tests; each makes itself a context of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        await browser.close()
