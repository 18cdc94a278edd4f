"""How soon somebody sees the offer on a slow telephone: `python -m tests.browser.first_paint`.

A real gateway keeps a result back and shows the offer in a real Chromium whose processor is slowed down four times
(Chrome DevTools Protocol, `Emulation.setCPUThrottlingRate`), over loopback. The time is Chromium's own: from setting
out to the first paint (Paint Timing). It is told, not tested: it says as much of the machine as of the page.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from tests.flow.conftest import CONFIG
from tests.flow.raw import RawApplication, answer
from tests.flow.service import running

from .conftest import ARGUMENTS, CHROMIUM

SLOWER = 4
GOAL_MS = 200
_RESULT = b"date,carrier,origin,delay\n" + b"2013-01-01,UA,EWR,2\n" * 20_000
_PAINT = """() => {
    const painted = performance.getEntriesByType("paint").find(each => each.name === "first-contentful-paint");
    const [page] = performance.getEntriesByType("navigation");
    return [painted ? painted.startTime : -1, page.responseEnd, page.transferSize,
            performance.getEntriesByType("resource").map(each => each.name)
                .filter(name => !name.endsWith("/favicon.ico"))];
}"""


async def measure(browser: Browser, address: str, person: str) -> tuple[float, float, int, list[str]]:
    """First contentful paint and end of the answer (ms), bytes of the page, and what else it loaded."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, extra_http_headers={"x-user-id": person}
    )
    try:
        page = await context.new_page()
        protocol = await context.new_cdp_session(page)
        await protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        await page.goto(address)
        measured: Any = await page.evaluate(_PAINT)
        while measured[0] < 0:
            await asyncio.sleep(0.05)
            measured = await page.evaluate(_PAINT)
        return float(measured[0]), float(measured[1]), int(measured[2]), list(measured[3])
    finally:
        await context.close()


async def report(offer: str, empty: str, rounds: int) -> None:
    """Measure and tell."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        await measure(browser, offer, "ed")  # warms up
        found = [await measure(browser, address, "ed") for _ in range(rounds) for address in (offer, empty)]
        await browser.close()
    offers, floor = found[::2], [each[0] for each in found[1::2]]
    paints, answers = [each[0] for each in offers], [each[1] for each in offers]
    size, loaded = offers[-1][2:]
    print(f"first paint of the offer at {SLOWER}x slow-down, {rounds} times (goal: {GOAL_MS} ms): {_told(paints)}")
    print(f"of that until the answer is there: {_told(answers)}")
    print(f"first paint of a page with one word, measured in between: {_told(floor)}")
    print(f"the page: {size:,} bytes, and {len(loaded)} further requests {loaded or ''}")


def _told(times: list[float]) -> str:
    return f"best {min(times):.0f} ms, median {statistics.median(times):.0f} ms, worst {max(times):.0f} ms"


def main() -> None:
    """Start everything, measure, tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="how often to measure")
    rounds = parser.parse_args().rounds
    application = RawApplication()
    application.answers[b"/favicon.ico"] = answer(b"content-type: image/x-icon", body=b"")
    application.answers[b"/report.csv"] = answer(b"content-type: text/csv", body=_RESULT)
    application.answers[b"/word"] = answer(b"content-type: text/html", body=b"<!doctype html><title>t</title><p>word")
    try:
        with tempfile.TemporaryDirectory() as folder:
            config = CONFIG.format(upstream=application.url, data=Path(folder) / "data")
            with running(Path(folder), config) as service:
                service.expire("ed")
                asyncio.run(report(f"{service.address}/report.csv", f"{service.address}/word", rounds))
    finally:
        application.close()


if __name__ == "__main__":
    main()
