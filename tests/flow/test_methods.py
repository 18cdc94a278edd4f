"""Methods that a framework may take for others, and methods that yield no result: neither opens one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .conftest import CONFIG
from .raw import RawApplication, answer
from .service import NAVIGATION, Service, pay, read_to_end, running
from .test_sockets import HANDSHAKE

ROUTES = """
  - {path: "/items/**", methods: [GET, POST], class: open, name: items}
  - {path: "/items/{id}", methods: [PUT], class: result, mode: block, grace: 0, name: replace-item}
  - {path: "/login", methods: [POST], class: exempt, name: login}
  - {path: "/login", methods: [PATCH], class: result, mode: block, grace: 0, name: patch-login}
"""
RESULT = b"the result of any method"


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway with open rules that stand before results of other methods."""
    for path in (b"/items/7", b"/login", b"/report.csv", b"/blocked/x", b"/grace/x", b"/missing"):
        raw.answers[path] = answer(b"allow: GET, OPTIONS", b"x-made-by: the application", body=RESULT)
    raw.answers[b"/missing"] = answer(body=b"no such report", status=b"404 Not Found")
    raw.answers[b"/projects"] = answer()
    raw.answers[b"/any/page"] = answer()
    folder = tmp_path_factory.mktemp("gateway")
    config = CONFIG.format(upstream=raw.url, data=folder).replace("routes:\n", f"routes:{ROUTES}")
    with running(folder, config) as service:
        yield service


@pytest.fixture
def rich(service: Service, expired: str) -> str:
    """Somebody who has paid for one result."""
    told = service.request("POST", "/blocked/x", {"x-user-id": expired}).json()
    assert pay(service, expired, told["checkout"][0]["address"]).status == 303
    return expired


class TestOverrides:
    @pytest.mark.parametrize(
        ("path", "headers"),
        [
            ("/items/7", {"x-http-method-override": "PUT"}),
            ("/items/7", {"x-http-method": "put"}),
            ("/items/7", {"x-method-override": " PUT "}),
            ("/items/7?_method=PUT", {}),
            ("/items/7?x=1&%5Fmethod=put", {}),
            ("/items/7?_method=DELETE;_method=PUT", {}),
            ("/items/7?_method=POST", {"x-http-method-override": "PUT"}),
            ("/login?_method=patch", {}),
        ],
    )
    def test_do_not_go_past_a_result_by_an_open_rule_before_it(
        self, service: Service, raw: RawApplication, expired: str, path: str, headers: dict[str, str]
    ) -> None:
        before = len(raw.heads)
        reply = service.request("POST", path, {**headers, "x-user-id": expired}, b"{}")
        assert (reply.status, reply.reason) == (402, "payment-required")
        assert len(raw.heads) == before

    @pytest.mark.parametrize("path", ["/items/7", "/items/7?_method=GET", "/items/7?method=PUT", "/login?_method=PUT"])
    def test_that_lead_to_no_result_pass(self, service: Service, expired: str, path: str) -> None:
        assert service.request("POST", path, {"x-user-id": expired}, b"{}").body == RESULT

    def test_of_a_socket_count_too(self, service: Service, raw: RawApplication, expired: str) -> None:
        before = len(raw.heads)
        handshake = HANDSHAKE.format(path="/items/7", person=expired).encode()
        with service.connect() as client:
            client.sendall(handshake.replace(b"\r\n\r\n", b"\r\nx-http-method-override: PUT\r\n\r\n"))
            assert read_to_end(client).startswith(b"HTTP/1.1 402 ")
        assert len(raw.heads) == before


class TestOptions:
    """What it may say it says, at no cost; but it is no way to a result, whatever the application answers."""

    def test_costs_no_result_and_shows_none(self, service: Service, rich: str) -> None:
        for _ in range(3):
            reply = service.request("OPTIONS", "/report.csv", {"x-user-id": rich})
            assert (reply.status, reply.body) == (200, b"")
            assert (reply.header("allow"), reply.header("content-length")) == ("GET, OPTIONS", "0")
        assert service.me(rich)["results_paid_for"] == 1
        assert service.request("GET", "/report.csv", {"x-user-id": rich}).body == RESULT
        assert service.me(rich)["results_paid_for"] == 0

    def test_what_is_no_result_is_shown(self, service: Service, rich: str) -> None:
        reply = service.request("OPTIONS", "/missing", {"x-user-id": rich})
        assert (reply.status, reply.body) == (404, b"no such report")

    def test_takes_no_grace(self, service: Service, raw: RawApplication, expired: str) -> None:
        before = len(raw.heads)
        reply = service.request("OPTIONS", "/grace/x", {"x-user-id": expired})
        assert (reply.status, reply.reason) == (402, "payment-required")
        assert len(raw.heads) == before and service.grace_used(expired, "graceful") == 0

    def test_passes_whole_on_trial(self, service: Service, person: str) -> None:
        assert service.request("OPTIONS", "/report.csv", {"x-user-id": person}).body == RESULT


@pytest.mark.parametrize("path", ["/any/page", "/projects"], ids=["open", "action"])
def test_what_shared_caches_may_keep_gets_no_visitors_cookie(service: Service, raw: RawApplication, path: str) -> None:
    method = "POST" if path == "/projects" else "GET"
    raw.answers[path.encode()] = answer(b"cache-control: public, max-age=60")
    assert service.request(method, path, NAVIGATION).header("set-cookie") == ""
    raw.answers[path.encode()] = answer(b"cache-control: no-cache")
    assert service.request(method, path, NAVIGATION).header("set-cookie") != ""
