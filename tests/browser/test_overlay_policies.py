"""The overlay under the policies of real services, in a real Chromium: it works, or it stays out without a word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser

from tests.flow.overlays import Overlaid, overlaid
from tests.flow.raw import RawApplication

from .overlay_rig import app_page, lay_out, somebody

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CSP = b"content-security-policy: "
NONCE = b"r4nd0m"
LET_IN: dict[str, tuple[bytes, ...]] = {
    "no policy": (),
    "own things only": (CSP + b"default-src 'self'",),
    "no style at all": (
        CSP + b"default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'none'; img-src data:; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    "own scripts, and those with a nonce": (CSP + b"default-src 'self'; script-src 'self' 'nonce-r4nd0m'",),
    "trusted types": (
        CSP + b"default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; img-src data:",
    ),
    "a sandbox with all it takes": (
        CSP + b"sandbox allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-forms; "
        b"default-src 'self'; img-src data:",
    ),
    "isolation": (
        CSP + b"default-src 'self'; img-src data:", b"cross-origin-embedder-policy: require-corp",
        b"cross-origin-opener-policy: same-origin", b"cross-origin-resource-policy: same-origin",
    ),
}  # fmt: skip
KEPT_OUT: dict[str, tuple[bytes, ...]] = {
    "nonces": (CSP + b"script-src 'nonce-r4nd0m'; object-src 'none'; base-uri 'none'",),
    "nonces that hand on their trust": (
        CSP + b"script-src 'nonce-r4nd0m' 'strict-dynamic' https: 'unsafe-inline'; object-src 'none'; base-uri 'none'",
    ),
    "scripts from elsewhere": (CSP + b"default-src 'self'; script-src https://cdn.example",),
    "nothing": (CSP + b"default-src 'none'",),
    "a sandbox": (CSP + b"sandbox allow-scripts",),
    "a policy in the page": (),
    "a policy that only reports": (b"content-security-policy-report-only: default-src 'none'",),
}
POLICIES = {**LET_IN, **KEPT_OUT}
OF_THE_PAGE = b'<meta http-equiv="Content-Security-Policy" content="script-src \'nonce-r4nd0m\'">'


@pytest.fixture(scope="module")
def raw() -> Iterator[RawApplication]:
    """The application."""
    running = RawApplication()
    lay_out(running)
    yield running
    running.close()


@pytest.fixture(scope="module")
def gateway(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overlaid]:
    """A gateway that puts the overlay into pages."""
    folder = tmp_path_factory.mktemp("injecting")
    with overlaid(folder, raw, "offer: {overlay: inject}\n") as running:
        yield running


def page_under(gateway: Overlaid, name: str, own: bool) -> str:
    """The page under this policy; with the overlay in it by the application's own hand."""
    head = OF_THE_PAGE if name == "a policy in the page" else b""
    return gateway.page(*POLICIES[name], body=app_page(head, NONCE, own=own))


async def complaints(browser: Browser, gateway: Overlaid, path: str, origin: str) -> list[str]:
    """What the browser says against this page, wherever it comes from."""
    async with somebody(browser, gateway) as person:
        await person.page.goto(origin + path)
        return without_addresses(person.complaints)


def without_addresses(said: list[str]) -> list[str]:
    """What the browser said, but where, and but of the icon, for which it asks when it likes."""
    return sorted(text.partition("'http")[0] for text in said if "favicon" not in text and "data:" not in text)


async def test_there_are_twelve_and_more() -> None:
    assert len(POLICIES) >= 12


@pytest.mark.parametrize("name", LET_IN)
async def test_it_works_where_scripts_of_the_page_may_come(browser: Browser, gateway: Overlaid, name: str) -> None:
    path = page_under(gateway, name, own=False)
    before = await complaints(browser, gateway, path, gateway.raw.url)
    async with somebody(browser, gateway) as person:
        await person.go(path)
        assert await person.page.locator("script[src^='/_paywall/overlay.js?v=']").count() == 1
        await person.press("fetch")
        dialog = await person.offered()
        width = await dialog.evaluate("each => getComputedStyle(each).borderStartStartRadius")
        assert width == "12px", "its style sheet applies"
        await person.pay("3.00 USD")
        await person.said("200")
        await person.gone()
        assert without_addresses(person.complaints) == before


@pytest.mark.parametrize("name", KEPT_OUT)
async def test_it_stays_out_without_a_word_where_they_may_not(browser: Browser, gateway: Overlaid, name: str) -> None:
    path = page_under(gateway, name, own=False)
    before = await complaints(browser, gateway, path, gateway.raw.url)
    async with somebody(browser, gateway) as person:
        await person.go(path)
        assert await person.page.locator("script[src^='/_paywall']").count() == 0
        assert without_addresses(person.complaints) == before


@pytest.mark.parametrize("name", ["nonces", "nonces that hand on their trust", "a policy in the page"])
async def test_it_works_by_the_applications_own_hand_under_nonces(
    browser: Browser, gateway: Overlaid, name: str
) -> None:
    async with somebody(browser, gateway) as person:
        await person.go(page_under(gateway, name, own=True))
        await person.press("fetch")
        await person.offered()
        await person.pay("3.00 USD")
        await person.said("200")
        assert without_addresses(person.complaints) == []


async def test_a_script_that_is_not_let_in_would_be_a_violation(browser: Browser, gateway: Overlaid) -> None:
    policy, origin = CSP + b"script-src 'nonce-r4nd0m'", gateway.service.address
    page = app_page(b"", NONCE, own=False)
    worse = page.replace(b"</head>", b'<script src="/_paywall/overlay.js"></script></head>')
    assert len(await complaints(browser, gateway, gateway.page(policy, body=worse), origin)) == 1 + len(
        await complaints(browser, gateway, gateway.page(policy, body=page), origin)
    )
