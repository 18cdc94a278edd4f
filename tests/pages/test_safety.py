"""No page lets anything in: no script, nothing from elsewhere, no names that turn into markup."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from gateway.core.reason import Reason
from gateway.ports.cashbook import CheckoutStatus
from gateway.web.answers import OwnAnswer
from tests.pages.reading import Read, header
from tests.pages.samples import CHECKOUT, PLANS, SEVERAL, SITE, TABLE, all_pages, held, offered, paid, picture

PAGES = all_pages()
SIZE_LIMIT = 60_000
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</style><script>1</script>",
    "{{ 7 * 7 }}",
    "report\u202efdp.exe",
    "\u2066\u2067\u2068\u2069\u202a\u202b\u202d",
)
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def foreign_addresses(page: Read) -> list[str]:
    """What the page would load, or send a form to, that is not its own."""
    loaded = [
        str(value)
        for _, attributes in page.elements
        for name, value in attributes.items()
        if name in ("src", "srcset", "action", "formaction", "data", "poster", "background", "xlink:href")
    ]
    loaded += [str(link.get("href")) for tag in ("link", "base", "use") for link in page.all(tag)]
    loaded += re.findall(r"url\(|@import|image-set\(", page.style)
    return [address for address in loaded if not re.match(r"/(?!/)|data:image/(jpeg|png);base64,", address)]


def foreign_links(page: Read) -> set[str]:
    hrefs = {str(link["href"]) for link in page.all("a")}
    return {href for href in hrefs if urlsplit(href).scheme or href.startswith("//")}


def active_parts(page: Read) -> Iterator[str]:
    for tag, attributes in page.elements:
        if tag in ("script", "iframe", "object", "embed", "template", "svg"):
            yield tag
        yield from (name for name in attributes if name.startswith("on") or name == "style")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_runs_nothing_and_loads_nothing(name: str) -> None:
    page = Read(PAGES[name])
    assert not list(active_parts(page))
    assert not foreign_addresses(page)
    assert foreign_links(page) <= {"https://northwind.example/terms", "mailto:help@northwind.example"}


def test_what_runs_or_loads_is_noticed() -> None:
    body = b"""<style>a{background:url(x)}</style><script src="//a.example/x.js"></script><p onclick=x style="a:b">
        <img src="https://a.example/x.png"><form action="//a.example"><a href="//a.example">x</a>"""
    page = Read(OwnAnswer(200, Reason.PAGE, [], body))
    assert list(active_parts(page)) == ["script", "onclick", "style"]
    assert len(foreign_addresses(page)) == 4
    assert foreign_links(page) == {"//a.example"}


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_allows_the_style_sheet_of_the_page_and_no_other(name: str) -> None:
    own = PAGES[name]
    inside = re.findall(r"<style>(.*?)</style>", own.body.decode(), re.DOTALL)
    assert len(inside) == 1
    digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
    policy = header(own, "content-security-policy")
    assert f"style-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy and "http" not in policy and "script-src" not in policy


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_and_cells_stay_text(hostile: str) -> None:
    teaser: dict[str, Any] = {
        "facts": {hostile: hostile},
        "columns": [hostile, "b"],
        "rows": [[hostile, hostile]],
        "lines": [hostile],
        "image": picture(),
    }
    record = replace(held(hostile, **teaser), media_type=hostile)
    harmless = held("x", facts={"x": "x"}, columns=["x", "b"], rows=[["x", "x"]], lines=["x"], image=picture())
    plans = (replace(PLANS[0], id=hostile, name=hostile),)
    providers = ((hostile, hostile), ("b", "b"))
    site = replace(SITE, name=hostile)
    own = offered(record=record, waiting=(replace(record, id="2"),), plans=plans, providers=providers, site=site)
    like = offered(
        record=harmless, waiting=(replace(harmless, id="2"),), plans=PLANS[:1], providers=(("a", "a"), ("b", "b"))
    )
    page = Read(own)
    assert [tag for tag, _ in page.elements if tag != "a"] == [tag for tag, _ in Read(like).elements if tag != "a"]
    assert not list(active_parts(page))
    assert not TURNS.search(page.source)
    visible = TURNS.sub("", hostile)
    assert " ".join(visible.split()) in page.text
    assert {button["value"] for button in page.all("button") if "value" in button} == {visible, "b"}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_the_name_of_what_was_paid_stays_text(hostile: str) -> None:
    record = held(hostile)
    for own in (paid(result=record), paid(replace(CHECKOUT, status=CheckoutStatus.SURPLUS), record)):
        page = Read(own)
        assert not list(active_parts(page))
        assert not TURNS.search(page.source)


def test_the_largest_offer_is_small() -> None:
    columns = ["Wörter im Überfluß, vierzig Zeichen lang"] * 12
    record = held(
        "n" * 116 + ".csv", facts=TABLE["facts"], columns=columns, rows=[columns] * 10, lines=["x" * 120] * 20,
        image=picture(),
    )  # fmt: skip
    waiting = tuple(replace(record, id=f"{number:032}") for number in range(1000))
    own = offered(record=record, waiting=waiting, providers=SEVERAL)
    assert len(own.body) < SIZE_LIMIT
    assert "980 older ones" in Read(own).text


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_small(name: str) -> None:
    assert len(PAGES[name].body) < SIZE_LIMIT / 2
