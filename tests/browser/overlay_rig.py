"""A page with a button for each kind of call, behind a real gateway, and somebody who uses it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Locator, Page

from tests.flow.overlays import CSV, HTML, ICON, Overlaid
from tests.flow.raw import RawApplication, answer

from .test_pages import Scheme

APP = (Path(__file__).parent / "overlay_app.js").read_bytes()
CALLS = re.findall(rb'^  "?([a-z][\w -]*?)"?: (?:async )?\(', APP, re.MULTILINE)
TYPE = b"content-type: text/csv"
PAY = re.compile(r"^Pay \d")
"""The button on the sandbox's page."""
_people = itertools.count()


def lay_out(raw: RawApplication) -> None:
    """The application of these tests."""
    script = b"content-type: text/javascript"
    raw.answers |= {
        b"/static/app.js": answer(script, body=APP),
        b"/static/away.js": answer(script, body=b"window.isThere = true;"),
        b"/favicon.ico": answer(b"content-type: image/x-icon"),
        b"/open": answer(b"content-type: text/plain", body=b"open"),
        b"/reports/json": answer(b"content-type: application/json", body=b'{"rows":2}'),
        b"/blocked/echo": echo,
    }
    for path in (b"/report.csv", b"/priced", b"/reports/1", b"/reports/2", b"/blocked/csv", b"/preview/csv"):
        raw.answers[path] = answer(TYPE, body=CSV)


def echo(connection: socket.socket, request: bytes) -> None:
    """Answers with what was sent."""
    head, _, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    if length is None:
        while not body.endswith(b"0\r\n\r\n"):
            body += connection.recv(65536)
        body = b"chunked"
    while length is not None and len(body) < int(length[1]):
        body += connection.recv(65536)
    said = re.sub(rb"\s+", b" ", body)
    connection.sendall(answer(b"content-type: text/plain", b"connection: close", body=b"echo: " + said))


def app_page(head: bytes = b"", nonce: bytes = b"", body: bytes = b"", own: bool = True) -> bytes:
    """The page; with the overlay in it, where the application is its own."""
    mark = b' nonce="%s"' % nonce if nonce else b""
    overlay = b'<script src="/_paywall/overlay.js"%s defer></script>' % mark if own else b""
    buttons = b"".join(b"<button>%s</button> " % name for name in CALLS)
    return (
        b'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports</title>%s%s'
        b'<meta name="viewport" content="width=device-width, initial-scale=1">%s'
        b'<script src="/static/app.js"%s defer></script></head>'
        b'<body%s><main><h1>Reports</h1><p>%s</p><pre id="said"></pre></main></body></html>\n'
    ) % (ICON, head, overlay, mark, body, buttons)


class Somebody:
    """A person with the page in front of them."""

    def __init__(self, gateway: Overlaid, name: str, context: BrowserContext, page: Page) -> None:
        self.gateway, self.name, self.context, self.page = gateway, name, context, page
        self.complaints: list[str] = []
        page.on("console", lambda told: self._hear(told.text) if told.type != "log" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, text: str) -> None:
        # Every browser tells of an answer that is an error; that there was none would be the surprise.
        if "402 (Payment Required)" not in text:
            self.complaints.append(text)

    @property
    def dialog(self) -> Locator:
        """The overlay's dialog."""
        return self.page.get_by_role("dialog")

    async def go(self, path: str) -> None:
        """Open the page."""
        await self.page.goto(self.gateway.service.address + path)

    async def press(self, name: str) -> None:
        """Make this call."""
        await self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    async def offered(self) -> Locator:
        """The dialog, once it is there with the offer."""
        await self.dialog.get_by_role("button", name=re.compile("^Pay ")).first.wait_for()
        return self.dialog

    async def said(self, *texts: str) -> str:
        """What the application has written down, once all this is in it."""
        for text in texts:
            await self.page.locator("#said", has_text=text).wait_for()
        return await self.page.locator("#said").inner_text()

    async def nothing_said(self) -> bool:
        """Whether the application still waits."""
        return await self.page.locator("#said").inner_text() == ""

    async def choose(self, price: str) -> Page:
        """Press a button to pay; the window that opens."""
        async with self.context.expect_page() as opening:
            await self.dialog.get_by_role("button", name=f"Pay {price}").click()
        window = await opening.value
        await window.get_by_role("heading", name="Sandbox checkout").wait_for()
        return window

    async def pay(self, price: str) -> Page:
        """Pay by the window that opens."""
        window = await self.choose(price)
        with contextlib.suppress(Exception):  # it may be closed as soon as the payment is seen
            await window.get_by_role("button", name=PAY).click(no_wait_after=True)
        return window

    async def gone(self) -> None:
        """Wait until there is no dialog any more."""
        await self.dialog.wait_for(state="detached")


@contextlib.asynccontextmanager
async def somebody(
    browser: Browser,
    gateway: Overlaid,
    scheme: Scheme = "light",
    width: int = 1000,
    known: bool = True,
    expired: bool = True,
    height: int = 800,
) -> AsyncIterator[Somebody]:
    """Somebody whose trial is over, with an empty tab."""
    name = f"overlaid-{next(_people)}"
    if expired:
        await asyncio.to_thread(gateway.service.expire, name)
    context = await browser.new_context(
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        extra_http_headers={"x-user-id": name} if known else {},
    )
    try:
        yield Somebody(gateway, name, context, await context.new_page())
    finally:
        await context.close()


__all__ = ["CSV", "HTML", "PAY", "Somebody", "app_page", "lay_out", "somebody"]
