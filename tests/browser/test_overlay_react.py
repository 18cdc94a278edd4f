"""A React application, built by Vite, that knows nothing of the gateway: from the trial to the paid result."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.flow.overlays import Overlaid, overlaid
from tests.flow.raw import RawApplication, answer

from .overlay_rig import HTML, lay_out, somebody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SOURCE = Path(__file__).parent / "react_app"
VITE = SOURCE / "node_modules" / "vite" / "bin" / "vite.js"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application as Vite builds it. Without Node.js the tests are skipped, unless everything must be tested."""
    node = shutil.which("node")
    if node is None or not VITE.exists():
        missing = "there is no Node.js, or not what is built with it: make environment"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    folder = tmp_path_factory.mktemp("react")
    command = [node, str(VITE), "build", "--outDir", str(folder), "--emptyOutDir", "--logLevel", "error"]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def gateway(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overlaid]:
    """A gateway that puts the overlay into the page of the application."""
    raw = RawApplication()
    lay_out(raw)
    raw.answers[b"/"] = answer(
        HTML, b"content-security-policy: default-src 'self'; img-src data:", body=(built / "index.html").read_bytes()
    )
    for script in (built / "assets").iterdir():
        raw.answers[f"/assets/{script.name}".encode()] = answer(
            b"content-type: text/javascript", body=script.read_bytes()
        )
    with overlaid(tmp_path_factory.mktemp("gateway"), raw, "offer: {overlay: inject}\n") as running:
        yield running
    raw.close()


async def test_from_the_trial_to_the_paid_result_without_leaving_the_page(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway, expired=False) as person:
        page, status = person.page, person.page.get_by_role("status")
        gateway.service.request("GET", "/_paywall/me", {"x-user-id": person.name})
        gateway.service.request("GET", "/report.csv", {"x-user-id": person.name})  # the trial begins
        await person.go("/")
        await page.get_by_role("button", name="Looked 0 times").click()
        await person.page.get_by_role("button", name="Make the report").click()
        await status.get_by_text("The report has 2 rows.").wait_for()
        await asyncio.to_thread(gateway.service.expire, person.name)
        await page.get_by_role("button", name="Make the report").click()
        await person.offered()
        assert await status.get_by_text("The report is being made.").count() == 1
        await person.pay("3.00 USD")
        await status.get_by_text("The report has 2 rows.").wait_for()
        assert await page.get_by_role("cell", name="second").count() == 1
        assert await page.get_by_role("button", name="Looked 1 times").count() == 1, "the page is the one it was"
        await expect(page.get_by_role("button", name="Make the report")).to_be_focused()
        assert person.complaints == []


async def test_who_refuses_sees_what_the_application_says_then(browser: Browser, gateway: Overlaid) -> None:
    async with somebody(browser, gateway) as person:
        await person.go("/")
        await person.page.get_by_role("button", name="Make the report").click()
        dialog = await person.offered()
        await dialog.get_by_role("button", name="Not now").click()
        await person.page.get_by_text("The report did not come: 402").wait_for()


async def test_the_lock_names_no_host() -> None:
    lock = (SOURCE / "package-lock.json").read_text()
    assert not re.search(r'"resolved"', lock)
