"""Bad input: a clear answer, the right status, one log line with the reason, nothing counted twice, nothing lost."""

from __future__ import annotations

import base64
import hmac
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from gateway.cli.store_access import with_store
from gateway.core.keyring import Keyring
from gateway.extend.catalogue import PluginHost
from gateway.settings.load import load_settings
from gateway.settings.schema import GatewaySettings
from gateway.store.connection import Store
from gateway.wiring.secret import find_secret
from tests.free_port import free_port

from .application import Application
from .conftest import CONFIG
from .service import FORM, HOLD_ID, NAVIGATION, Service, pay, wait_until


@dataclass(frozen=True)
class Case:
    """One bad request, as bytes, and what must come of it."""

    name: str
    request: bytes
    status: int
    reason: str


HOST = b"host: x\r\n"

MALFORMED = [
    Case("no host", b"GET / HTTP/1.1\r\n\r\n", 400, "request-malformed"),
    Case("two hosts", b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400, "request-malformed"),
    Case("host with a path", b"GET / HTTP/1.1\r\nhost: a/?x=\r\n\r\n", 400, "request-malformed"),
    Case("empty host", b"GET / HTTP/1.1\r\nhost: \r\n\r\n", 400, "request-malformed"),
    Case("underscore header", b"GET / HTTP/1.1\r\n" + HOST + b"x_user_id: root\r\n\r\n", 400, "request-malformed"),
    Case(
        "coded twice",
        b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        400,
        "request-malformed",
    ),
    Case(
        "length and chunked",
        b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "request-malformed",
    ),
    Case("length in words", b"POST / HTTP/1.1\r\n" + HOST + b"content-length: five\r\n\r\n", 400, "request-malformed"),
    Case("another host in the target", b"GET http://evil/ HTTP/1.1\r\n" + HOST + b"\r\n", 400, "request-malformed"),
    Case("trace", b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method-not-allowed"),
    Case(
        "strange expectation",
        b"GET / HTTP/1.1\r\n" + HOST + b"expect: the-spanish-inquisition\r\n\r\n",
        417,
        "expectation-failed",
    ),
    Case(
        "huge header", b"GET / HTTP/1.1\r\n" + HOST + b"x-long: " + b"a" * 70_000 + b"\r\n\r\n", 431, "head-too-large"
    ),
    Case("many headers", b"GET / HTTP/1.1\r\n" + HOST + b"x: y\r\n" * 300 + b"\r\n", 431, "head-too-large"),
    Case("not http", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", 400, "request-malformed"),
    Case(
        "socket with a body",
        b"GET /socket HTTP/1.1\r\n" + HOST + b"upgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\ncontent-length: 4\r\n\r\nGET ",
        400,
        "request-malformed",
    ),
    Case(
        "socket of an old version",
        b"GET /socket HTTP/1.1\r\n" + HOST + b"upgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-version: 8\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        400,
        "request-malformed",
    ),
]


@pytest.mark.parametrize("case", MALFORMED, ids=lambda case: case.name)
def test_a_malformed_request_is_refused_with_its_reason(service: Service, application: Application, case: Case) -> None:
    before = sum(application.executed.values())
    answer = service.raw(case.request)
    status_line, _, rest = answer.partition(b"\r\n")
    assert status_line.split()[1] == str(case.status).encode(), answer
    assert f"paywall-reason: {case.reason}".encode() in rest.lower()
    assert answer.count(b"HTTP/1.1 ") == 1
    assert sum(application.executed.values()) == before


HOSTILE_TARGETS = [
    "/x/../report.csv",
    "//report.csv",
    "/report%2Ecsv",
    "/%72eport.csv",
    "/report.csv;x",
    "/report.csv%00",
    "/./report.csv",
    "/report.csv%20",
    "/%2freport.csv",
    "/report.csv%3f",
    "/repor%74.csv/",
    "/report.csv%252f",
    "/\\report.csv",
    "/report.csv%e2%80%8b",
    "/report.%63sv",
    "/report.csv%ff",
]


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
def test_an_ambiguous_target_never_yields_a_result(
    service: Service, application: Application, expired: str, target: str
) -> None:
    before = application.executed.copy()
    request = f"GET {target} HTTP/1.1\r\nhost: x\r\nx-user-id: {expired}\r\nconnection: close\r\n\r\n"
    answer = service.raw(request.encode("latin-1"))
    assert answer.split()[1] in (b"402", b"308", b"400"), answer
    assert b"row 1" not in answer
    assert application.executed == before


@pytest.mark.parametrize("target", HOSTILE_TARGETS)
def test_whoever_has_the_right_gets_his_target_byte_for_byte(
    service: Service, application: Application, person: str, target: str
) -> None:
    request = f"GET /echo{target} HTTP/1.1\r\nhost: x\r\nx-user-id: {person}\r\nconnection: close\r\n\r\n"
    answer = service.raw(request.encode("latin-1"))
    if b"400" in answer.split(b"\r\n")[0]:
        assert b"paywall-reason" not in answer.lower()  # the application itself refused it
    else:
        assert answer.endswith(f"/echo{target}\n".encode("latin-1")), answer


def test_an_odd_but_open_address_leads_to_its_plain_form(service: Service, expired: str) -> None:
    reply = service.request("GET", "/docs//a/./b?q=1", {"x-user-id": expired})
    assert (reply.status, reply.header("location"), reply.reason) == (308, "/docs/a/b?q=1", "target-not-canonical")
    elsewhere = service.request("GET", "//evil.example/x", {"x-user-id": expired})
    assert elsewhere.header("location") == "/evil.example/x"


def test_holds_of_nobody_of_others_and_forged_ones(service: Service, expired: str) -> None:
    held = service.request("GET", "/report.csv", {"x-user-id": expired})
    release = held.json()["hold"]["release"]
    assert service.request("GET", "/_paywall/hold/nonsense", {"x-user-id": expired}).status == 404
    forged = release[:-1] + ("A" if release[-1] != "A" else "B")
    assert service.request("GET", forged, {"x-user-id": expired}).reason == "hold-of-another"
    forged = f"{release[:-20]}{'A' if release[-20] != 'A' else 'B'}{release[-19:]}"
    assert service.request("GET", forged, {"x-user-id": expired}).reason in ("hold-unknown", "hold-of-another")
    other = service.request("GET", release, {"x-user-id": "somebody-curious"})
    assert (other.status, other.reason) == (403, "hold-of-another")
    assert service.entry(release, reason="hold-of-another")["status"] == 403


def test_an_expired_hold_says_so(application: Application, tmp_path: Path) -> None:
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data").replace("holds: {", "holds: {ttl: 1s, ")
    running = Service(tmp_path, config).start()
    try:
        running.expire("late")
        held = running.request("GET", "/report.csv", {"x-user-id": "late"}).json()["hold"]
        reply = wait_until(
            lambda: (got := running.request("GET", held["release"], {"x-user-id": "late"})).status == 410 and got,
            "the hold expires",
        )
        assert reply.reason == "hold-expired"
    finally:
        running.stop()


def test_paying_twice_is_paid_once(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    held = service.request("GET", "/report.csv", headers)
    address = held.json()["checkout"][0]["address"]
    first = service.request("POST", address, headers).json()
    second = service.request("POST", address, headers).json()  # a double click on "pay"
    assert first["checkout"] == second["checkout"]
    for _ in range(3):  # and on the provider's own button
        assert service.request("POST", first["address"], headers, b"choice=pay").status == 303
    again = service.request("POST", address, headers)
    assert again.json()["outcome"] == "already-paid"
    ledger = service.command("subject", "show", f"person:{expired}")
    assert ledger.count("kind=payment") == 1


def test_another_plan_of_a_paid_offer_is_outdated(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    plans = service.request("GET", "/report.csv", headers).json()["checkout"]
    pay(service, expired, plans[0]["address"])
    reply = service.request("POST", plans[2]["address"], headers)
    assert reply.json()["outcome"] == "already-paid", "the result of this offer is paid: it is not sold twice"
    blocked = service.request("POST", "/blocked/x", headers).json()["checkout"]
    pay(service, expired, blocked[0]["address"])
    stale = service.request("POST", blocked[2]["address"], headers)
    assert (stale.status, stale.reason) == (409, "offer-outdated")
    same = service.request("POST", blocked[0]["address"], headers)
    assert (same.status, same.json()["outcome"]) == (303, "already-paid")


def test_forms_of_other_sites_are_not_taken(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired, **FORM}
    for more in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}):
        reply = service.request("POST", "/_paywall/decline", {**headers, **more}, b"reason=not-now")
        assert (reply.status, reply.reason) == (403, "not-acceptable-origin")
    assert service.me(expired)["standing"] == "expired"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("POST", "/_paywall/decline", b"reason=because", 422, "form-invalid"),
        ("POST", "/_paywall/decline", b"", 422, "form-invalid"),
        ("POST", "/_paywall/decline", b"note=" + b"x" * 70_000, 413, "form-invalid"),
        ("POST", "/_paywall/checkout", b"plan=gold", 422, "plan-unknown"),
        ("POST", "/_paywall/checkout", b"plan=single&provider=bitcoin", 422, "provider-unknown"),
        ("GET", "/_paywall/paid?checkout=none", None, 404, "not-found"),
        ("GET", "/_paywall/nothing/here", None, 404, "not-found"),
        ("PUT", "/_paywall/offer", b"", 405, "method-not-allowed"),
        ("POST", "/_paywall/provider/none/webhook", b"{}", 404, "provider-unknown"),
        ("POST", "/_paywall/provider/sandbox/pay?order=e30=&tag=0", b"choice=pay", 400, "webhook-rejected"),
        ("GET", "/_paywall/offer?hold=none", None, 404, "hold-unknown"),
    ],
)
def test_bad_forms_and_addresses(
    service: Service, expired: str, method: str, path: str, body: bytes | None, status: int, reason: str
) -> None:
    reply = service.request(method, path, {"x-user-id": expired, **FORM}, body)
    assert (reply.status, reply.reason) == (status, reason), reply.body
    assert reply.json()["status"] == status
    page = service.request(method, path, {"x-user-id": expired, **FORM, **NAVIGATION}, body)
    assert page.status == status
    assert service.entry(path.partition("?")[0], reason=reason, status=status)


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [("/cut", 502, "upstream-broken"), ("/slow", 504, "upstream-timeout"), ("/endless", 402, "hold-endless")],
)
def test_an_application_that_fails_costs_nothing_and_leaves_nothing(
    service: Service, expired: str, path: str, status: int, reason: str
) -> None:
    reply = service.request("GET", path, {"x-user-id": expired})
    assert (reply.status, reply.reason) == (status, reason)
    assert service.me(expired)["holds"] == []
    assert service.entry(path, reason=reason)["status"] == status


def test_a_cut_answer_is_not_taken_for_a_whole_one(service: Service, person: str) -> None:
    request = f"GET /cut HTTP/1.1\r\nhost: x\r\nx-user-id: {person}\r\n\r\n"
    answer = service.raw(request.encode())
    body = answer.partition(b"\r\n\r\n")[2]
    assert b"content-length: 1000" in answer.lower() and len(body) < 1000


def test_the_application_gone_and_back(application: Application, service: Service, expired: str) -> None:
    application.stop()
    try:
        reply = service.request("GET", "/grace/x", {"x-user-id": expired})
        assert (reply.status, reply.reason) == (502, "upstream-unreachable")
        page = service.request("GET", "/any", {**NAVIGATION, "x-user-id": expired})
        assert page.status == 502 and b"<html" in page.body
    finally:
        application.restart()
    statuses = [service.request("GET", "/grace/x", {"x-user-id": expired}).status for _ in range(3)]
    assert statuses == [200, 200, 402], "the failure was given back"


def test_results_over_the_caps_fall_back_to_block(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    for query in ("?pieces=40&length", "?pieces=40"):  # announced, and found out on the way: 2.5 MiB of 2 MiB
        reply = service.request("GET", f"/large{query}", headers)
        assert (reply.status, reply.reason) == (402, "hold-too-large")
    assert service.me(expired)["holds"] == []
    reasons = [service.request("GET", f"/reports/{number}", headers).reason for number in range(5)]
    assert reasons == ["result-held"] * 4 + ["hold-limit-reached"]
    assert service.request("GET", "/events", headers).reason in ("hold-endless", "hold-limit-reached")


def test_heads_and_ranges_of_a_result_give_nothing_away(
    service: Service, application: Application, expired: str
) -> None:
    before = application.executed["/report.csv"]
    head = service.request("HEAD", "/report.csv", {"x-user-id": expired})
    assert (head.status, head.body, head.header("etag")) == (402, b"", "")
    assert application.executed["/report.csv"] == before
    held = service.request("GET", "/report.csv", {"x-user-id": expired, "range": "bytes=0-9", "if-none-match": '"1"'})
    assert held.reason == "result-held" and held.json()["hold"]["status"] == 200


def test_who_is_nobody_is_asked_to_sign_in_for_results_only(application: Application, tmp_path: Path) -> None:
    secret = "0123456789abcdef0123456789abcdef"
    config = CONFIG.format(upstream=application.url, data=tmp_path / "data").replace(
        "  - header: {name: x-user-id}\n  - visitor: {}",
        "  - jwt: {from: [bearer], secret: {env: TEST_JWT_SECRET}, algorithms: [HS256]}",
    )
    os.environ["TEST_JWT_SECRET"] = secret
    running = Service(tmp_path, config).start()
    try:
        good = jwt.encode({"sub": "ann", "exp": 4_000_000_000}, secret, "HS256")
        bad = {
            "none": {},
            "forged": {"authorization": "Bearer " + good[:-2] + ("AA" if good[-2:] != "AA" else "BB")},
            "expired": {"authorization": "Bearer " + jwt.encode({"sub": "ann", "exp": 1}, secret, "HS256")},
        }
        assert running.request("GET", "/report.csv", {"authorization": f"Bearer {good}"}).status == 200
        for headers in bad.values():
            reply = running.request("GET", "/report.csv", headers)
            assert (reply.status, reply.reason) == (401, "identity-required")
            assert reply.header("www-authenticate") == "Bearer"
            assert running.request("GET", "/any", headers).status == 200
    finally:
        running.stop()
        del os.environ["TEST_JWT_SECRET"]


def test_the_store_gone_and_back(application: Application, tmp_path: Path) -> None:
    running = Service(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")).start()
    try:
        running.expire("ed")
        held = running.request("GET", "/report.csv", {"x-user-id": "ed"}).json()["hold"]
        (store,) = _children(running)
        os.kill(store, signal.SIGSTOP)
        reply = running.request("GET", "/report.csv", {"x-user-id": "ed"})
        assert (reply.status, reply.reason, reply.header("retry-after")) == (503, "store-unavailable", "1")
        assert running.request("GET", "/any", {"x-user-id": "ed"}).status == 200
        assert running.request("GET", held["release"], {"x-user-id": "ed"}).status == 503
        assert running.request("GET", "/_paywall/health/ready").status == 503
        assert running.request("GET", "/_paywall/health/live").status == 200
        os.kill(store, signal.SIGKILL)
        wait_until(lambda: running.request("GET", "/_paywall/health/ready").status == 200, "the store is back")
        again = running.request("GET", held["release"], {"x-user-id": "ed"})
        assert (again.status, again.reason) == (402, "hold-unpaid"), "nothing was lost"
    finally:
        running.stop()
    assert not _alive(store)


def test_a_second_gateway_on_the_same_data_is_refused(service: Service) -> None:
    other = Service.__new__(Service)
    other.__init__(service.folder, service.config.read_text())  # type: ignore[misc]
    with pytest.raises(AssertionError, match="in use by the gateway with process id"):
        other.start()


def test_a_port_in_use_is_told(application: Application, tmp_path: Path, service: Service) -> None:
    arguments = ("run", "--upstream", application.url, "--listen", f"127.0.0.1:{service.port}")
    with pytest.raises(AssertionError, match="can't listen on"):
        Service(tmp_path, "", arguments).start()


def test_run_alone_withholds_downloads(application: Application, tmp_path: Path) -> None:
    port = free_port()
    running = Service(tmp_path, "", ("run", "--upstream", application.url, "--listen", f"127.0.0.1:{port}"))
    running.port = port
    running.start()
    try:
        assert any("withholds downloads" in line and "paywall init" in line for line in running.messages)
        first = running.request("GET", "/report.csv")
        cookie = {"cookie": first.header("set-cookie").partition(";")[0]}
        assert first.status == 200
        visitor = running.request("GET", "/_paywall/me", cookie).json()["subject"]
        config = tmp_path / "alone.yaml"
        config.write_text(f"upstream: {application.url}\ndata: {tmp_path / 'paywall-data'}\n")
        running.config = config
        running.command("subject", "expire", visitor)
        assert running.request("GET", "/any", cookie).status == 200
        reply = running.request("GET", "/report.csv", cookie)
        assert (reply.status, reply.reason) == (402, "result-held")
        assert HOLD_ID.search(reply.json()["hold"]["release"])
    finally:
        running.stop()


def _children(running: Service) -> list[int]:
    assert running.process is not None
    path = Path(f"/proc/{running.process.pid}/task")
    return [int(pid) for task in path.iterdir() for pid in (task / "children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_head_spends_nothing_that_was_paid_for(service: Service, expired: str) -> None:
    headers = {"x-user-id": expired}
    prompt = service.request("POST", "/blocked/x", headers)
    pay(service, expired, prompt.json()["checkout"][0]["address"])
    for _ in range(3):
        assert service.request("HEAD", "/report.csv", headers).status == 200
    assert service.me(expired)["results_paid_for"] == 1


def test_programs_without_cookies_leave_nothing_in_the_store(application: Application, tmp_path: Path) -> None:
    running = Service(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")).start()
    try:
        for _ in range(20):
            assert running.request("GET", "/report.csv").status == 200
            assert running.request("GET", "/any").status == 200
        assert _keys(running) == []
        kept = {"cookie": running.request("GET", "/report.csv").header("set-cookie").partition(";")[0]}
        assert running.request("GET", "/report.csv", kept).status == 200
        assert len(_keys(running)) == 1
    finally:
        running.stop()


def test_our_own_addresses_are_never_passed_on(service: Service, application: Application) -> None:
    before = application.executed.copy()
    for path in ("/_paywall", "/_paywall/", "/_paywall/x/y"):
        assert service.request("GET", path).reason == "not-found"
    assert application.executed == before
    assert service.request("GET", "/_paywallet").status == 200


def test_an_error_of_our_own_is_confessed(application: Application, tmp_path: Path) -> None:
    """The sandbox is made to fail from outside: its page's address holds an order that is signed and broken."""
    running = Service(tmp_path, CONFIG.format(upstream=application.url, data=tmp_path / "data")).start()
    try:
        host = PluginHost("payment", "sandbox", Keyring(find_secret(_settings(running))), "/_paywall", int, print)
        order = base64.urlsafe_b64encode(b"[]").decode()
        tag = hmac.digest(host.key("sandbox"), order.encode(), "sha256").hex()
        reply = running.request("GET", f"/_paywall/provider/sandbox/pay?order={order}&tag={tag}")
        assert (reply.status, reply.reason, reply.header("cache-control")) == (500, "internal", "private, no-store")
        assert "Traceback" not in reply.body.decode()
        wait_until(lambda: any("Traceback" in line for line in running.messages), "the operator is told")
        assert running.entry("/_paywall/provider/sandbox/pay", reason="internal")["status"] == 500
    finally:
        running.stop()


def _settings(running: Service) -> GatewaySettings:
    return load_settings(running.config).settings


def _keys(running: Service) -> list[str]:
    """The subjects that the store knows of."""

    async def look(store: Store) -> list[bytes]:
        found: list[bytes] = (await store.link.ask(("KEYS", "pw:{*")))[0]
        return found

    return [key.decode() for key in with_store(_settings(running), look)]
