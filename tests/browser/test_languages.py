"""The offer in every language, and from right to left: readable by everybody, in one piece, on small telephones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from playwright.async_api import Browser

from gateway.core.theme import Colour, Shades, Theme
from gateway.core.wording import LANGUAGES
from gateway.language.language import Language, language
from gateway.web.answers import OwnAnswer
from tests.language.pseudo import PSEUDO
from tests.pages.samples import CARD, SEVERAL, SITE, TABLE, all_pages, held, offered

from .test_pages import ORIGIN, SCHEMES, opened, overhang, staying, violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SPOKEN = {**{tag: language(tag) for tag in LANGUAGES}, "right to left": PSEUDO}
MADE = {tag: all_pages(spoken) for tag, spoken in SPOKEN.items()}
KINDS = ("held-table", "held-and-others", "checking", "mismatch", "thanks", "error", "declined")


def longest(spoken: Language) -> OwnAnswer:
    """An offer with everything in it."""
    record = held(**TABLE)
    others = (replace(record, id="2", filename="orders.json"), replace(record, id="3", paid=True))
    return offered(record=record, providers=(*SEVERAL, *CARD), waiting=others, language=spoken, results=14)


@pytest.mark.parametrize("tag", SPOKEN)
async def test_everybody_can_read_it(browser: Browser, tag: str) -> None:
    spoken = SPOKEN[tag]
    made = MADE[tag]
    pages = {"longest": longest(spoken), **{kind: staying(made[kind]) for kind in KINDS}}
    for width in (1200, 320):
        async with opened(browser, pages, width=width) as page:
            for name in pages:
                await page.goto(f"{ORIGIN}/{name}")
                assert await overhang(page) == 0, (name, width)
                if name in ("longest", "checking"):
                    for scheme in SCHEMES:
                        await page.emulate_media(color_scheme=scheme)
                        assert not await violations(page), (name, scheme, width)


@pytest.mark.parametrize("tag", SPOKEN)
async def test_an_offer_comes_in_one_piece(browser: Browser, tag: str) -> None:
    async with opened(browser, {"longest": longest(SPOKEN[tag])}) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{ORIGIN}/longest", wait_until="networkidle")
        pictures = [url for url in asked if url.startswith("data:")]
        assert [url for url in asked if url not in pictures and "favicon" not in url] == [f"{ORIGIN}/longest"]


async def test_what_begins_stands_at_the_right_where_one_reads_from_there(browser: Browser) -> None:
    async with opened(browser, {"rtl": longest(PSEUDO), "ltr": longest(SPOKEN["ru"])}) as page:
        places = {}
        for name in ("rtl", "ltr"):
            await page.goto(f"{ORIGIN}/{name}")
            boxes = [await page.locator(place).bounding_box() for place in ("#pay", "#not-now")]
            assert boxes[0] and boxes[1]
            places[name] = boxes[0]["x"] < boxes[1]["x"]
            assert await page.locator("h1").evaluate("each => getComputedStyle(each).direction") == name
    assert places == {"rtl": False, "ltr": True}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_a_theme_without_a_warning_can_be_read(browser: Browser, scheme: str) -> None:
    theme = Theme(Shades(Colour.parse("#8a1c5c"), Colour.parse("#fff7f0")), Shades(background=Colour.parse("#14101c")))
    own = offered(record=held(**TABLE), site=replace(SITE, theme=theme))
    async with opened(browser, {"themed": own}) as page:
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if "Content Security" in said.text else None)
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.goto(f"{ORIGIN}/themed")
        button = await page.locator(".primary").first.evaluate("each => getComputedStyle(each).backgroundColor")
        assert not await violations(page) and not refused
    assert button == ("rgb(138, 28, 92)" if scheme == "light" else f"rgb({_rgb(theme)})")


def _rgb(theme: Theme) -> str:
    accent = theme.dark_accent()
    assert accent is not None
    return f"{accent.red}, {accent.green}, {accent.blue}"


async def test_a_theme_with_a_warning_can_not(browser: Browser) -> None:
    own = offered(record=held(**TABLE), site=replace(SITE, theme=Theme(Shades(Colour.parse("#ff9900")))))
    async with opened(browser, {"themed": own}) as page:
        await page.goto(f"{ORIGIN}/themed")
        found = await violations(page)
    assert found and all(each.startswith("color-contrast") for each in found)


async def test_a_reader_goes_over_to_another_language_by_keys_alone(browser: Browser) -> None:
    pages = {
        "offer": offered(record=held(**TABLE)),
        "_paywall/offer?route=exports&hold=hold-flights-2013.csv&lang=de": offered(
            record=held(**TABLE), language=language("de").chosen(), looked_up=True
        ),
    }
    async with opened(browser, pages) as page:
        await page.goto(f"{ORIGIN}/offer")
        link = page.get_by_role("navigation").get_by_role("link", name="Deutsch")
        await link.focus()
        await page.keyboard.press("Enter")
        await page.wait_for_url("**lang=de")
        assert await page.locator("html").get_attribute("lang") == "de"
        assert await page.get_by_role("button", name="Jetzt nicht").count() == 1
