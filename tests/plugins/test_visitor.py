"""Anonymous visitors: known again by their cookie, and never by somebody else's invention."""

from __future__ import annotations

import base64
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.core.subject import SubjectKind
from gateway.ports.identity import Identified
from gateway_identity_visitor import plugin
from tests.plugins.host import FakeHost
from tests.plugins.identify import request, running
from tests.plugins.samples import calmly

FORWARDED = ("x-forwarded-proto", "https")


class OtherHost(FakeHost):
    """A gateway with another secret."""

    def key(self, purpose: str) -> bytes:
        return bytes(reversed(super().key(purpose)))


async def visit(
    *headers: tuple[str, str | bytes], trusted: bool = False, host: FakeHost | None = None, **settings: object
) -> Identified:
    async with running(plugin, settings, host or FakeHost()) as identity:
        answer: Identified = await identity.identify(request(*headers, trusted=trusted))
    return answer


def cookie_of(answer: Identified) -> str:
    return answer.set_cookie.partition(b";")[0].decode()


async def test_a_visitor_is_known_again() -> None:
    first = await visit()
    assert first.subject.kind is SubjectKind.VISITOR
    again = await visit(("cookie", f"a=b; {cookie_of(first)}"))
    assert again == Identified(first.subject), "and the cookie is not set again"
    assert (await visit()).subject != first.subject


async def test_the_cookie_is_for_the_whole_site_and_not_for_scripts() -> None:
    answer = await visit()
    jar = SimpleCookie(answer.set_cookie.decode())
    morsel = jar["paywall_visitor"]
    assert len(morsel.value) == 43
    assert (morsel["path"], morsel["max-age"], morsel["samesite"]) == ("/", str(400 * 86_400), "Lax")
    assert morsel["httponly"]
    assert not morsel["secure"]


async def test_the_settings_show_in_the_cookie() -> None:
    answer = await visit(cookie="__Host-v", lifetime="30d", same_site="none", secure="always")
    assert answer.set_cookie.startswith(b"__Host-v=")
    assert answer.set_cookie.endswith(b"; Path=/; Max-Age=2592000; HttpOnly; SameSite=None; Secure")


@pytest.mark.parametrize(
    ("headers", "trusted", "secure", "expected"),
    [
        ([FORWARDED], True, "auto", True),
        ([("x-forwarded-proto", "https, http")], True, "auto", True),
        ([("x-forwarded-proto", "http, https")], True, "auto", False),
        ([FORWARDED, ("x-forwarded-proto", "http")], True, "auto", False),
        ([FORWARDED], False, "auto", False),
        ([], True, "auto", False),
        ([], False, "always", True),
        ([FORWARDED], True, "never", False),
    ],
)
async def test_secure_is_set_where_the_browser_came_by_https(
    headers: list[tuple[str, str | bytes]], trusted: bool, secure: str, expected: bool
) -> None:
    answer = await visit(*headers, trusted=trusted, secure=secure)
    assert (b"Secure" in answer.set_cookie) is expected


async def test_a_forged_cookie_makes_a_new_visitor() -> None:
    name, _, value = cookie_of(await visit()).partition("=")
    forged = base64.urlsafe_b64encode(b"\0" * 32).rstrip(b"=").decode()
    for bad in (
        forged,
        "A" + value[1:] if value[0] != "A" else "B" + value[1:],
        value[:-2],
        value + "=",
        "",
        "!" * 43,
        '"' + value + '"',
    ):
        answer = await visit(("cookie", f"{name}={bad}"))
        assert answer.set_cookie, bad
    other = await visit(host=OtherHost())
    assert (await visit(("cookie", cookie_of(other)))).set_cookie, "signed by another gateway"


async def test_of_several_cookies_the_first_good_one_counts() -> None:
    one, two = await visit(), await visit()
    line = f"paywall_visitor=forged; {cookie_of(one)}; {cookie_of(two)}"
    assert await visit(("cookie", line)) == Identified(one.subject)


@calmly
@given(st.binary(max_size=60) | st.from_regex(rb"\A[A-Za-z0-9_-]{43}\Z"))
async def test_no_cookie_makes_it_fail(value: bytes) -> None:
    assert (await visit(("cookie", b"paywall_visitor=" + value))).set_cookie


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"cookie": "a b"}, "not the name of a cookie"),
        ({"cookie": "__Host-v"}, "set secure: always"),
        ({"same_site": "none"}, "set secure: always"),
        ({"lifetime": "401d"}, "give 1m to 400d"),
        ({"lifetime": "0s"}, "give 1m to 400d"),
        ({"same_site": "Lax"}, "'lax', 'strict' or 'none'"),
    ],
)
def test_a_cookie_that_browsers_refuse_is_refused(settings: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        plugin.settings.model_validate(settings)
