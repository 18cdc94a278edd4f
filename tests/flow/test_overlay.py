"""The overlay's addresses, what a script needs of the others, and the script in the application's pages."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.web.overlay.script import joined, scripts, source
from gateway.web.overlay.words import WORDS

from .notices import NAVIGATION, PAGE, Noticing, noticing, split
from .raw import RawApplication
from .service import FORM, Service, visible

LIMIT = 8 * 1024
"""Bytes in gzip."""
TAG = re.compile(rb'<script src="(/_paywall/overlay\.js\?v=\w+)"></script>')


@pytest.fixture(scope="module")
def injecting(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Noticing]:
    """Puts the overlay into pages, and no notice."""
    with noticing(tmp_path_factory.mktemp("injecting"), raw, "never", offer="{overlay: inject}") as running:
        yield running


# The script


@pytest.mark.parametrize("name", ["overlay.js", "overlay.mjs"])
def test_the_script_is_small(name: str) -> None:
    assert len(scripts()[name].zipped) <= LIMIT
    assert gzip.decompress(scripts()[name].zipped) == scripts()[name].plain


def test_the_script_holds_nothing_that_a_strict_policy_forbids() -> None:
    forbidden = (
        "eval(", "new Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", ".style.", "cssText",
        "createContextualFragment", "https://", "http://", "import(",
    )  # fmt: skip
    assert not [word for word in forbidden if word in joined()]


def test_the_modules_fit_together_without_their_imports() -> None:
    text = joined()
    names = re.findall(r"^(?:async )?(?:const|let|function) (\w+)", text, re.MULTILINE)
    tops = set(names)
    assert {"start", "stop"} <= tops and "import " not in text and not re.search(r"^export ", text, re.MULTILINE)


def test_every_word_is_used_and_every_word_used_is_there() -> None:
    text = source("dialog.mjs") + source("desk.mjs")
    used = set(re.findall(r"\b(?:words|texts)\.(\w+)", text)) | {"providers", "reasons"}
    assert used == {*WORDS, "lang", "dir", "facts", "providers", "reasons", "contact"}


def test_the_types_tell_of_what_the_module_has() -> None:
    (exported,) = re.findall(r"^export \{ (.*) \};$", scripts()["overlay.mjs"].plain.decode(), re.MULTILINE)
    assert set(exported.split(", ")) == set(
        re.findall(r"^export function (\w+)", source("overlay.d.mts"), re.MULTILINE)
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [("overlay.js", "text/javascript"), ("overlay.mjs", "text/javascript"), ("overlay.d.mts", "text/plain")],
)
def test_it_may_be_kept_and_belongs_to_nobody(service: Service, name: str, kind: str) -> None:
    script = scripts()[name]
    reply = service.request("GET", f"/_paywall/{name}?v={script.version}", {"cookie": "theme=dark"})
    assert (reply.status, reply.body) == (200, script.plain)
    assert reply.header("content-type") == f"{kind}; charset=utf-8"
    assert reply.header("cache-control") == "public, max-age=604800, immutable"
    assert (reply.header("set-cookie"), reply.header("content-encoding")) == ("", "")
    assert service.request("GET", f"/_paywall/{name}").header("cache-control") == "no-cache"
    zipped = service.request("GET", f"/_paywall/{name}", {"accept-encoding": "gzip, br"})
    assert zipped.header("content-encoding") == "gzip" and gzip.decompress(zipped.body) == script.plain
    refused = service.request("GET", f"/_paywall/{name}", {"accept-encoding": "gzip;q=0"})
    assert refused.body == script.plain
    assert zipped.header("vary").lower() == "accept-encoding"


@pytest.mark.parametrize(
    ("asked", "close", "rows"),
    [("de-AT,en;q=0.5", "Schließen", "Zeilen"), ("ru", "Закрыть", "Строки")],
)
def test_its_words_are_in_the_language_asked_for(service: Service, asked: str, close: str, rows: str) -> None:
    reply = service.request("GET", "/_paywall/overlay.json", {"accept-language": asked})
    told = reply.json()
    assert (told["close"], told["facts"]["Rows"], told["lang"]) == (close, rows, asked[:2])
    assert (reply.header("content-language"), reply.header("vary")) == (asked[:2], "Accept-Language")
    assert told["providers"][0]["label"] != "the sandbox (no money moves)"
    assert told["reasons"][0]["text"] != "It is too expensive"
    assert "%(price)s" in told["pay"]


def test_its_words_come_from_the_gateway(service: Service) -> None:
    told = service.request("GET", "/_paywall/overlay.json").json()
    assert {name: told[name] for name in WORDS} == WORDS
    assert (told["lang"], told["dir"], told["contact"]) == ("en", "ltr", "")
    assert [each["id"] for each in told["reasons"]] == [
        "too-expensive", "not-now", "still-trying", "missing-something", "other",
    ]  # fmt: skip
    assert told["providers"] == [{"name": "sandbox", "label": "the sandbox (no money moves)"}]


# What a script needs of the other addresses


def test_a_plan_says_what_it_gives(service: Service, expired: str) -> None:
    plans = service.request("GET", "/report.csv", {"x-user-id": expired}).json()["checkout"]
    assert {plan["plan"]: plan["gives"] for plan in plans} == {
        "single": "1 result: this one",
        "five": "5 results, this one among them",
        "month": "This result, and all others for 30 days",
    }


def test_a_checkout_beside_the_application_is_no_redirect_and_ends_at_a_page_of_nobody(
    service: Service, expired: str
) -> None:
    headers = {"x-user-id": expired, **FORM, "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin"}
    held = service.request("GET", "/report.csv", {"x-user-id": expired}).json()
    begun = service.request("POST", held["checkout"][0]["address"], headers, b"provider=sandbox&beside=app")
    assert (begun.status, begun.header("location"), begun.json()["outcome"]) == (200, "", "begun")
    turned = service.request("POST", begun.json()["address"], FORM, b"choice=cancel")
    assert (turned.status, turned.header("location")) == (303, "/_paywall/back")
    paid = service.request("POST", begun.json()["address"], FORM, b"choice=pay")
    back = f"/_paywall/back?checkout={begun.json()['checkout']}"
    assert (paid.status, paid.header("location")) == (303, back)
    page = service.request("GET", back, NAVIGATION)
    assert page.status == 200 and "You can close this window" in visible(page)
    assert f'href="/_paywall/paid?checkout={begun.json()["checkout"]}"'.encode() in page.body
    again = service.request("POST", held["checkout"][0]["address"], headers, b"beside=app")
    assert (again.status, again.json()) == (200, {"outcome": "already-paid", "address": held["hold"]["release"]})


def test_without_the_word_a_checkout_is_what_it_was(service: Service, expired: str) -> None:
    held = service.request("GET", "/report.csv", {"x-user-id": expired}).json()
    begun = service.request("POST", held["checkout"][0]["address"], {"x-user-id": expired})
    assert begun.status == 303 and begun.header("location") == begun.json()["address"]


def test_what_comes_back_with_anything_says_nothing_of_it(service: Service) -> None:
    page = service.request("GET", '/_paywall/back?checkout="><script>x', NAVIGATION)
    assert page.status == 200 and b"<script>" not in page.body


# The script in the application's pages


def test_the_script_stands_at_the_end_of_pages_of_whoever_may_meet_an_offer(injecting: Noticing, person: str) -> None:
    injecting.service.request("GET", "/_paywall/me", {"x-user-id": person})
    for who in (person, injecting.expire(f"{person}-expired"), injecting.decline(f"{person}-declined")):
        reply = injecting.visit(injecting.page(), who)
        (address,) = TAG.findall(reply.body)
        assert TAG.sub(b"", reply.body) == PAGE
        assert reply.body.index(address) > PAGE.index(b"</p>") and reply.body.endswith(b"</body></html>\n")
        assert injecting.service.request("GET", address.decode()).header("cache-control").endswith("immutable")


def test_who_has_paid_and_who_is_not_known_find_the_page_as_it_is(injecting: Noticing, person: str) -> None:
    path = injecting.page(b'etag: "1"')
    for who in (injecting.entitle(person), ""):
        reply = injecting.visit(path, who)
        assert (reply.body, reply.header("etag")) == (PAGE, '"1"')


@pytest.mark.parametrize(
    "policy",
    ["default-src 'none'", "script-src 'nonce-r4nd0m' 'strict-dynamic'", "sandbox allow-scripts", "connect-src 'none'"],
)
def test_a_page_that_keeps_scripts_out_is_left_as_it_is(injecting: Noticing, person: str, policy: str) -> None:
    path = injecting.page(f"content-security-policy: {policy}".encode(), b'etag: "1"')
    reply = injecting.visit(path, injecting.expire(person))
    assert (reply.body, reply.header("etag")) == (PAGE, '"1"')
    assert reply.header("content-security-policy") == policy


def test_a_page_with_a_policy_of_its_own_has_none(injecting: Noticing, person: str) -> None:
    page = b"<!doctype html><meta http-equiv=content-security-policy content=\"script-src 'none'\"><p>x"
    assert injecting.visit(injecting.page(body=page), injecting.expire(person)).body == page


def test_a_notice_and_the_script_go_together(raw: RawApplication, tmp_path: Path, person: str) -> None:
    with noticing(tmp_path, raw, "after-trial", offer="{overlay: inject}") as running:
        reply = running.visit(running.page(), running.expire(person))
        notice, page = split(reply)
        assert notice and TAG.sub(b"", page) == PAGE and len(TAG.findall(page)) == 1
        kept_out = running.visit(running.page(b"content-security-policy: script-src 'none'"), person)
        assert split(kept_out)[0] and split(kept_out)[1] == PAGE


def test_nothing_is_put_in_where_the_config_does_not_say_so(raw: RawApplication, tmp_path: Path, person: str) -> None:
    with noticing(tmp_path, raw, "never") as running:
        path = running.page(b'etag: "1"')
        reply = running.visit(path, running.expire(person))
        assert (reply.body, reply.header("etag")) == (PAGE, '"1"')
