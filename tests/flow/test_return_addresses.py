"""Wherever a stranger's address is put in, no answer of ours leads a browser away from the service. Chromium judges."""

from __future__ import annotations

import itertools
import re
from html import unescape
from urllib.parse import quote, urlencode

import pytest
from playwright.async_api import Browser

from tests.browser.conftest import browser, chromium
from tests.flow.service import Reply, Service

__all__ = ["browser", "chromium"]

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ORIGIN = "https://service.example"
EVIL = "evil.example"
HOSTS = (
    EVIL, f"{EVIL}:443", f"service.example@{EVIL}", f"service.example.{EVIL}", f"{EVIL}%2f..",
    f"{EVIL}\\@service.example",
)  # fmt: skip
SHAPES = (
    "https://{}", "http://{}/", "//{}", "///{}", "////{}", "/\\{}", "\\\\{}", "/\t/{}", "\t//{}", " //{}", "/ /{}",
    "https:{}", "https:/{}", "https:\\\\{}", "hTTps://{}", "%2f%2f{}", "/%2f{}", "/%5c{}", "/./{}", "/..//{}", "/.//{}",
    "//{}/%2e%2e", "?next=//{}", "#//{}", "/\r\nLocation: //{}", "%0d%0aLocation:%20https://{}",
    "javascript://{}/%0aalert(1)", "data:text/html,<script src=//{}></script>",
    "\"><meta http-equiv=refresh content=0;url=//{}>", "';location='//{}'//",
    "x\u2028//{}", "\u3002//{}", "\uff0f\uff0f{}", "//{}\u3002example",
)  # fmt: skip
FIELDS = ("route", "hold", "checkout", "plan", "provider", "offer", "return", "next", "back", "reason", "lang", "url")
_LEADS = re.compile(rb"""(?:href|action|src|formaction|data|poster|ping)\s*=\s*["']?([^"'\s>]*)|url=([^"'>]*)""", re.I)


def hostile() -> list[str]:
    """Every host in every shape, and what that is once more encoded."""
    plain = [shape.format(host) for shape, host in itertools.product(SHAPES, HOSTS)]
    return [
        *plain,
        *(quote(each, safe="") for each in plain),
        *(each.upper() for each in plain),
        *(f" {each}" for each in plain),
    ]


def leads(reply: Reply) -> list[str]:
    """Every address that an answer could lead to."""
    found = [unescape((one or other).decode("utf-8", "replace")) for one, other in _LEADS.findall(reply.body)]
    headers = (reply.header(name) for name in ("location", "refresh", "link", "content-location"))
    for header in filter(None, headers):
        found.append(header.partition("url=")[2] or header.strip("<").partition(">")[0])
    return found


@pytest.fixture
def found(service: Service, person: str) -> set[str]:
    """Where the answers lead to whoever has a stranger's address in every field."""
    service.expire(person)
    page = {"accept": "text/html", "sec-fetch-mode": "navigate", "x-user-id": person}
    sends = {**page, "content-type": "application/x-www-form-urlencoded"}
    leading: set[str] = set()
    for number, value in enumerate(hostile()):
        name, field = ("offer", "paid", "checkout", "decline")[number % 4], FIELDS[number % len(FIELDS)]
        everywhere = urlencode(dict.fromkeys(FIELDS, value)) if number % 5 == 0 else urlencode({field: value})
        leading.update(leads(service.request("GET", f"/_paywall/{name}?{everywhere}", page)))
        form = {"reason": "not-now", "plan": "single", "route": "report"} | {field: value}
        begun = service.request("POST", f"/_paywall/{name}?{everywhere}", sends, urlencode(form).encode())
        leading.update(leads(begun))
        if "/provider/" in begun.header("location"):
            for choice in ("cancel", "pay")[: 1 + (number % 40 == 0)]:
                chosen = service.request("POST", begun.header("location"), sends, f"choice={choice}".encode())
                leading.update(leads(chosen))
    return leading


async def test_no_answer_leads_away(found: set[str], browser: Browser) -> None:
    assert len(hostile()) >= 800
    tab = await browser.new_page()
    judged: list[str] = await tab.evaluate(
        """([base, leads]) => leads.filter(lead => {
            try { const url = new URL(lead, base + '/_paywall/offer'); return url.origin !== base && lead !== '' }
            catch { return false }
        })""",
        [ORIGIN, sorted(found)],
    )
    await tab.close()
    assert judged == []
    assert len(found) > 5


async def test_the_judge_finds_a_page_that_leads_away(browser: Browser) -> None:
    """A known-bad twin: the judge reads addresses as a browser does."""
    tab = await browser.new_page()
    for lead in (f"//{EVIL}", f"/\\{EVIL}", f"\t//{EVIL}", f"https:{EVIL}"):
        origin = await tab.evaluate("([lead, base]) => new URL(lead, base).origin", [lead, "http://service.example/x"])
        assert EVIL in origin
    await tab.close()
