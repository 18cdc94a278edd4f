"""What lies under the prefix: every answer there is ours, says why, and believes what proxies in front may say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .application import Application
from .conftest import CONFIG
from .service import FORM, NAVIGATION, Service, running

# The sandbox is made to answer as a payment plugin may: with a word of its own that looks like ours.
STRANGE_WORD = """
from gateway_pay_sandbox import provider

async def answer(self, request, desk):
    return provider.ProviderAnswer(200, [(b"paywall-reason", b"no-such-reason")], b"the page")

provider.SandboxProvider.answer = answer
"""


@pytest.mark.parametrize(
    "path", ["me/", "offer/", "checkout/", "paid/", "decline/", "hold/x/", "health/live/", "health/ready/", "", "me//"]
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_slash_too_many_is_told_and_leads_nowhere(service: Service, person: str, method: str, path: str) -> None:
    reply = service.request(method, f"/_paywall/{path}", {"x-user-id": person})
    assert (reply.status, reply.reason) == (404, "not-found")
    assert (reply.header("cache-control"), reply.header("location")) == ("private, no-store", "")
    page = service.request(method, f"/_paywall/{path}", {"x-user-id": person, **NAVIGATION})
    assert (page.status, page.header("location")) == (404, "")


class TestWhatProxiesInFrontSay:
    """Several of them leave a list; the first of it is what the client itself used."""

    @pytest.mark.parametrize(
        ("host", "scheme", "base"),
        [
            ("shop.example", "https", "https://shop.example"),
            ("shop.example, inner:8080", "https, http", "https://shop.example"),
            (" shop.example:8443 ,inner", "https,https", "https://shop.example:8443"),
        ],
    )
    def test_people_come_back_to_where_they_were(
        self, service: Service, expired: str, host: str, scheme: str, base: str
    ) -> None:
        headers = {"x-user-id": expired, "x-forwarded-host": host, "x-forwarded-proto": scheme}
        told = service.request("POST", "/blocked/x", headers).json()
        begun = service.request("POST", told["checkout"][0]["address"], {**headers, **FORM, "origin": base})
        assert begun.status == 303, "a form of this very site"
        paid = service.request("POST", begun.json()["address"], headers, b"choice=pay")
        assert paid.header("location").startswith("/_paywall/paid?checkout="), "wherever they are, they stay there"

    def test_another_site_is_another_site(self, service: Service, expired: str) -> None:
        headers = {"x-user-id": expired, "x-forwarded-host": "shop.example, inner", **FORM}
        for origin in ("https://inner", "https://shop.example, inner", "https://evil.example"):
            reply = service.request("POST", "/_paywall/decline", {**headers, "origin": origin}, b"reason=not-now")
            assert reply.reason == "not-acceptable-origin"


def test_a_plugin_with_a_word_of_its_own_is_no_error_of_ours(application: Application, tmp_path: Path) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data")
    with running(tmp_path, config, STRANGE_WORD) as service:
        service.expire("ann")
        headers: dict[str, Any] = {"x-user-id": "ann"}
        told = service.request("POST", "/blocked/x", headers).json()
        begun = service.request("POST", told["checkout"][0]["address"], headers)
        page = service.request("GET", begun.header("location"), headers)
        assert (page.status, page.body) == (200, b"the page")
        assert service.entry("/_paywall/provider/sandbox/pay")["reason"] == "page"
