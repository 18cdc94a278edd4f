"""The overlay and `XMLHttpRequest`, in a real Chromium: the same object, with the events that it would have had."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.flow.overlays import CSV, Overlaid, overlaid
from tests.flow.raw import RawApplication

from .overlay_rig import Somebody, app_page, lay_out, somebody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PLAIN = "1 loadstart 2 3 progress 4 load loadend"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overlaid]:
    """A gateway that leaves pages alone: the application has the overlay in them itself."""
    raw = RawApplication()
    lay_out(raw)
    with overlaid(tmp_path_factory.mktemp("overlay"), raw) as running:
        yield running
    raw.close()


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser, gateway: Overlaid) -> AsyncIterator[Somebody]:
    """Somebody whose trial is over, on the application's page."""
    async with somebody(browser, gateway) as opened:
        await opened.go(gateway.page(body=app_page()))
        yield opened


@pytest.mark.parametrize(
    ("call", "came"),
    [
        ("xhr", "200 name,amount"), ("xhr json", '200 {"rows":2}'), ("xhr arraybuffer", "200 name,amount"),
        ("xhr blob", f"200 {len(CSV)} bytes"),
    ],
)  # fmt: skip
async def test_the_result_comes_as_if_there_had_been_no_offer(person: Somebody, call: str, came: str) -> None:
    await person.press(call)
    await person.offered()
    assert await person.nothing_said()
    await person.pay("3.00 USD")
    assert await person.said("loadend") == f"{came}\n{PLAIN}\n"
    await person.gone()
    assert person.complaints == []


async def test_a_request_that_is_sent_again_has_its_headers_and_its_body(person: Somebody) -> None:
    await person.press("xhr post")
    await person.offered()
    assert person.gateway.executed("/blocked/echo") == 0
    await person.pay("19.00 USD")
    assert await person.said("loadend") == f"200 echo: posted by a request\n{PLAIN}\n"
    assert b"x-of-the-app: yes" in person.gateway.raw.head_of(b"/blocked/echo").lower()


async def test_not_now_gives_the_answer_as_it_came(person: Somebody) -> None:
    await person.press("xhr")
    await person.offered()
    await person.page.keyboard.press("Escape")
    said = await person.said("loadend")
    assert said.startswith('402 {"type":"/_paywall/problems/result-held"')
    assert said.endswith("\n1 loadstart 4 load loadend\n")


async def test_an_abort_is_told_as_one(person: Somebody) -> None:
    await person.press("xhr")
    await person.offered()
    await person.page.evaluate("pending.abort()")
    await person.gone()
    assert await person.said("loadend") == "0 \n1 loadstart abort loadend\n"


async def test_what_is_opened_anew_is_another_request(person: Somebody) -> None:
    await person.press("xhr")
    await person.offered()
    await person.page.evaluate("() => { pending.open('GET', '/open'); pending.send(); }")
    await person.gone()
    assert (await person.said("loadend")).startswith("200 open\n")


async def test_a_synchronous_request_is_left_alone(person: Somebody) -> None:
    await person.press("xhr sync")
    assert await person.said("at once") == "402 at once\n"
    assert await person.dialog.count() == 0


async def test_requests_are_what_they_were(person: Somebody) -> None:
    found = await person.page.evaluate(
        """() => {
            class Own extends XMLHttpRequest {}
            const own = new Own(), { open } = XMLHttpRequest.prototype;
            return [own instanceof XMLHttpRequest, own instanceof Own, XMLHttpRequest.DONE, XMLHttpRequest.name,
                    String(open), open.length];
        }"""
    )
    assert found == [True, True, 4, "XMLHttpRequest", "function () { [native code] }", 2]


async def test_uploads_tell_of_their_progress_as_before(person: Somebody) -> None:
    events = await person.page.evaluate(
        """() => new Promise(done => {
            const xhr = new XMLHttpRequest(), events = [];
            for (const name of ["loadstart", "load", "loadend"]) xhr.upload[`on${name}`] = () => events.push(name);
            xhr.onloadend = () => done([xhr.status, ...events]);
            xhr.open("POST", "/open");
            xhr.send("a body");
        })"""
    )
    assert events == [200, "loadstart", "load", "loadend"]


async def test_other_origins_are_left_alone(person: Somebody) -> None:
    """The application's own address is another origin: even an answer that looks like an offer is its own."""
    told = await person.page.evaluate(
        """async origin => {
            const answer = await fetch(`${origin}/static/away.js`, { mode: "no-cors" });
            const failed = await new Promise(done => {
                const xhr = new XMLHttpRequest();
                xhr.onerror = () => done("error");
                xhr.open("GET", `${origin}/open`);
                xhr.send();
            });
            return [answer.type, failed];
        }""",
        person.gateway.raw.url,
    )
    assert told == ["opaque", "error"]
