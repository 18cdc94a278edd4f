"""Results that only the body of a request tells apart: GraphQL, JSON-RPC and MCP have one address for everything."""

from __future__ import annotations

import gzip
import io
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from .application import CSV, Application
from .conftest import Paywall
from .raw import RawApplication
from .service import Service, read_head, read_to_end, wait_until

CONFIG = """
data: {data}
upstream: {{url: "{upstream}", read_timeout: 5s}}
trusted_proxies: [127.0.0.1/32]
identity:
  - header: {{name: x-user-id}}
trial: {{length: 14d, starts: first-visit}}
plans: [{{id: month, name: Thirty days, price: 19.00 USD, gives: 30d}}]
payments: [sandbox: {{}}]
sandbox: allowed
log: {{format: json}}
bodies: {{max_size: 32KiB}}
routes:
  - {{path: "/echo/graphql", graphql: {{operation: Report, field: export}}, class: result, mode: block, name: graphql}}
  - {{path: "/report.csv", methods: [POST], body: {{kind: report}}, class: result, name: held}}
  - {{path: "/echo/rpc", rpc: export, class: result, mode: block, name: rpc}}
  - {{path: "/echo/mcp", tool: export, class: result, mode: block, name: tool}}
  - {{path: "/echo/jobs", body: {{kind: ping}}, class: open, name: ping}}
  - {{path: "/echo/jobs", body: {{kind: create}}, class: action, name: create}}
  - {{path: "/echo/jobs", class: result, mode: block, name: jobs}}
  - {{path: "/exact", body: {{kind: report}}, class: result, mode: block, name: exact}}
  - {{path: "/upload", body: {{kind: report}}, class: result, mode: block, name: upload}}
  - {{path: "/socket", graphql: {{field: export}}, class: result, name: socket}}
  - {{path: "/**", class: open, name: rest}}
"""
JSON = {"content-type": "application/json"}
LIMIT = 32 * 1024


@pytest.fixture(scope="module")
def service(application: Application, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway in front of the application."""
    folder = tmp_path_factory.mktemp("gateway")
    running = Service(folder, CONFIG.format(upstream=application.url, data=folder)).start()
    yield running
    assert running.stop() == 0


def ask(service: Service, person: str, path: str, body: object, **headers: str) -> tuple[int, str]:
    """Status and reason of a POST; the reason is empty where the application answered."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {**JSON, "x-user-id": person, **{name.replace("_", "-"): value for name, value in headers.items()}}
    reply = service.request("POST", path, sent, data)
    return reply.status, reply.reason


REPORT, ME = {"query": "{ x: export { rows } }"}, {"query": "query Me { me { export } }"}
PASSED, BLOCKED, UNREAD = (200, ""), (402, "payment-required"), (402, "body-unreadable")
UNREADABLE = [
    # what is sent to /echo/graphql, further headers, a word of why
    (gzip.compress(json.dumps(ME).encode()), {"content_encoding": "gzip"}, "compressed"),
    (b"\xef\xbb\xbf" + json.dumps(ME).encode(), {}, "no JSON"),
    (json.dumps(ME).encode("utf-16"), {}, "UTF-8"),
    (b'{"query": "{ me }", "query": "{ me }"}', {}, "twice"),
    (json.dumps({**ME, "variables": {"a": 1e999}}).encode(), {}, "no JSON"),
    (json.dumps({"query": "{ me "}).encode(), {}, "GraphQL"),
    (json.dumps({"extensions": {"persistedQuery": {"sha256Hash": "abc"}}}).encode(), {}, "only the application knows"),
    (json.dumps({"query": "{ me }", "variables": {"a": "x" * LIMIT}}).encode(), {}, "more than 32 KiB"),
    (b"<query>me</query>", {"content_type": "text/xml"}, "no JSON"),
]


class TestWithoutARight:
    @pytest.mark.parametrize(
        ("path", "body", "expected"),
        [
            ("/echo/graphql", ME, PASSED),
            ("/echo/graphql", REPORT, BLOCKED),
            ("/echo/graphql", [ME, REPORT], BLOCKED),
            ("/echo/graphql", [ME, ME], PASSED),
            ("/echo/graphql", {"query": "query Report { me }"}, BLOCKED),
            ("/echo/graphql?query={me}", ME, PASSED),
            ("/echo/graphql?query={export}", ME, BLOCKED),
            ("/echo/graphql/", REPORT, (402, "target-ambiguous")),
            ("/echo/rpc", {"jsonrpc": "2.0", "id": 1, "method": "list"}, PASSED),
            ("/echo/rpc", [{"method": "list"}, {"method": "export"}], BLOCKED),
            ("/echo/mcp", {"method": "tools/list"}, PASSED),
            ("/echo/mcp", {"method": "tools/call", "params": {"name": "export", "arguments": {}}}, BLOCKED),
            ("/echo/jobs", {"kind": "ping"}, PASSED),
            ("/echo/jobs", {"kind": "Ping"}, BLOCKED),
            ("/echo/jobs?kind=x", {"kind": "ping"}, BLOCKED),
            ("/echo/jobs", b"", BLOCKED),
            ("/echo/jobs", b"{", BLOCKED),
        ],
    )
    def test_a_body_decides(
        self, service: Service, application: Application, expired_here: str, path: str, body: object, expected: object
    ) -> None:
        before = application.executed[path.partition("?")[0]]
        assert ask(service, expired_here, path, body) == expected
        assert application.executed[path.partition("?")[0]] - before == (expected == PASSED)

    @pytest.mark.parametrize(("data", "headers", "why"), UNREADABLE, ids=range(len(UNREADABLE)))
    def test_what_can_not_be_read_counts_as_a_result(
        self,
        service: Service,
        application: Application,
        expired_here: str,
        data: bytes,
        headers: dict[str, str],
        why: str,
    ) -> None:
        before = application.executed["/echo/graphql"]
        assert ask(service, expired_here, "/echo/graphql", data, **headers) == UNREAD
        assert application.executed["/echo/graphql"] == before
        logged = {"path": "/echo/graphql", "route": "graphql", "decision": "prompt", "reason": "body-unreadable"}
        wait_until(
            lambda: any(logged.items() <= line.items() and why in line["detail"] for line in service.entries()),
            f"the log says {why!r}",
        )

    def test_a_get_is_judged_by_its_address(self, service: Service, expired_here: str) -> None:
        def get(query: str, method: str = "GET") -> tuple[int, str]:
            reply = service.request(method, f"/echo/graphql?{query}", {"x-user-id": expired_here})
            return reply.status, reply.reason

        assert get("page=7") == get("query={me}") == get(f"query={quote('query Me { me }')}") == PASSED
        assert get("query={x:export}") == get("operationName=Report&query={me}") == BLOCKED
        assert get("query={export}", "HEAD") == BLOCKED
        assert get("query={me") == get("extensions={%22persistedQuery%22:{%22sha256Hash%22:%22a%22}}") == UNREAD

    def test_other_encodings_of_graphql_are_read_too(self, service: Service, expired_here: str) -> None:
        def sent(content_type: str, data: bytes) -> tuple[int, str]:
            return ask(service, expired_here, "/echo/graphql", data, content_type=content_type)

        upload = b'--B\r\nContent-Disposition: form-data; name="operations"\r\n\r\n%s\r\n--B--\r\n'
        for document, expected in ((b"{me}", PASSED), (b"{x:export}", BLOCKED)):
            assert sent("application/graphql", document) == expected
            assert sent("application/x-www-form-urlencoded", b"query=" + quote(document).encode()) == expected
            operations = json.dumps({"query": document.decode()}).encode()
            assert sent("multipart/form-data; boundary=B", upload % operations) == expected
            assert sent("text/plain", operations) == expected

    def test_a_result_is_held_and_the_application_had_the_whole_body(
        self, service: Service, application: Application, expired_here: str
    ) -> None:
        before = application.executed["/report.csv"]
        reply = service.request("POST", "/report.csv", {**JSON, "x-user-id": expired_here}, b'{"kind": "report"}')
        assert (reply.status, reply.reason) == (402, "result-held")
        assert reply.json()["hold"]["size"] == len(CSV)
        assert application.executed["/report.csv"] == before + 1
        assert ask(service, expired_here, "/report.csv", {"kind": "other"}) == PASSED

    def test_an_action_brings_the_offer(self, service: Service, expired_here: str) -> None:
        reply = service.request("POST", "/echo/jobs", {**JSON, "x-user-id": expired_here}, b'{"kind": "create"}')
        assert reply.status == 200 and 'rel="payment"' in reply.header("link")
        assert reply.body.endswith(b'{"kind": "create"}')

    def test_the_offer_says_what_can_be_done(self, service: Service, expired_here: str) -> None:
        reply = service.request("POST", "/echo/graphql", {**JSON, "x-user-id": expired_here}, b"{")
        assert "too large to be looked at, or not in one plain form" in reply.json()["detail"]
        assert reply.json()["title"] == "What this request asks for can't be read"

    def test_nobody_is_told_to_sign_in_for_what_is_no_result(self, service: Service) -> None:
        for body, expected in ((ME, 200), (REPORT, 401), (b"{", 401)):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            assert service.request("POST", "/echo/graphql", JSON, data).status == expected

    def test_a_socket_says_nothing_of_what_it_will_carry(
        self, service: Service, expired_here: str, person: str
    ) -> None:
        def shake(who: str) -> bytes:
            with service.connect() as client:
                client.sendall(
                    b"GET /socket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
                    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nx-user-id: "
                    + who.encode() + b"\r\n\r\n"
                )  # fmt: skip
                return read_head(client)[0]

        refused = shake(expired_here)
        assert refused.startswith(b"HTTP/1.1 402 ") and b"paywall-reason: body-unreadable" in refused
        assert shake(f"{person}-on-trial").startswith(b"HTTP/1.1 101 ")


@pytest.fixture
def expired_here(service: Service, person: str) -> str:
    """Somebody whose trial is over at this gateway."""
    service.expire(person)
    return person


class TestWithARight:
    @pytest.mark.parametrize(("data", "headers", "why"), UNREADABLE, ids=range(len(UNREADABLE)))
    def test_what_can_not_be_read_passes_as_it_is(
        self, service: Service, person: str, data: bytes, headers: dict[str, str], why: str
    ) -> None:
        sent = {**JSON, "x-user-id": person, **{name.replace("_", "-"): value for name, value in headers.items()}}
        reply = service.request("POST", "/echo/graphql", sent, data)
        assert reply.status == 200 and not reply.reason
        # This application decompresses what it gets, as many do.
        read = gzip.decompress(data) if "content_encoding" in headers else data
        assert reply.body == b"/echo/graphql\n" + read
        assert "detail" not in service.entry("/echo/graphql", status=200)

    @pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT, LIMIT + 1, 300_000])
    @pytest.mark.parametrize("chunked", [False, True])
    def test_a_body_arrives_as_it_was_sent_and_framed(
        self, service: Service, raw_service: tuple[RawApplication, Service], person: str, size: int, chunked: bool
    ) -> None:
        raw, running = raw_service
        data = bytes(number * 7 % 251 for number in range(size))
        arrived: list[bytes] = []

        def script(connection: socket.socket, received: bytes) -> None:
            head, _, body = received.partition(b"\r\n\r\n")
            expected = encoded if chunked else data
            while len(_unchunked(body) if chunked else body) < len(data) or (
                chunked and not body.endswith(b"0\r\n\r\n")
            ):
                body += connection.recv(65536)
            assert expected is not None
            arrived.append(head)
            arrived.append(_unchunked(body) if chunked else body)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

        raw.answers[b"/exact"] = script
        pieces = [data[start : start + 1000] for start in range(0, size, 1000)]
        encoded = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % size
        head = b"POST /exact HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-user-id: %s\r\n" % person.encode()
        with running.connect() as client:
            client.sendall(head + framing + b"\r\n\r\n" + (encoded if chunked else data))
            assert read_to_end(client).endswith(b"\r\n\r\nok")
        assert arrived[1] == data
        assert framing in arrived[0].lower()
        assert (b"content-length" in arrived[0].lower()) is not chunked


@pytest.fixture(scope="module")
def raw_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RawApplication, Service]]:
    """A gateway in front of an application of exact bytes."""
    raw = RawApplication()
    folder = tmp_path_factory.mktemp("exact")
    running = Service(folder, CONFIG.format(upstream=raw.url, data=folder)).start()
    yield raw, running
    assert running.stop() == 0
    raw.close()


def _unchunked(encoded: bytes) -> bytes:
    data = b""
    while encoded:
        size, _, encoded = encoded.partition(b"\r\n")
        if not size or not int(size, 16):
            break
        data, encoded = data + encoded[: int(size, 16)], encoded[int(size, 16) + 2 :]
    return data


def post(path: bytes, person: str, *more: bytes) -> bytes:
    lines = [
        b"POST " + path + b" HTTP/1.1",
        b"host: a",
        b"content-type: application/json",
        b"x-user-id: " + person.encode(),
    ]
    return b"\r\n".join([*lines, *more, b"", b""])


class TestWhileItArrives:
    def test_a_body_that_no_rule_asks_for_streams(
        self, service: Service, application: Application, person: str
    ) -> None:
        with service.connect() as client:
            client.sendall(post(b"/late-upload", person, b"content-length: 10", b"connection: close") + b"half ")
            wait_until(lambda: application.waiting, "the application was asked before the body was whole")
            application.let_go_on()
            client.sendall(b"other")
            assert b"10 by 10" in read_to_end(client)

    def test_one_that_a_rule_asks_for_is_held_back_until_it_is_known(
        self, service: Service, application: Application, expired_here: str
    ) -> None:
        executed = application.executed["/upload"]
        with service.connect() as client:
            client.sendall(post(b"/upload", expired_here, b"content-length: 18", b"connection: close") + b'{"kind"')
            with service.connect() as other:  # the gateway has had the first half by the time that this is answered
                other.sendall(post(b"/echo/x", expired_here, b"content-length: 0", b"connection: close"))
                assert b"200 OK" in read_to_end(other)
            assert application.executed["/upload"] == executed
            client.sendall(b': "report"}')
            assert read_to_end(client).startswith(b"HTTP/1.1 402 ")
        assert application.executed["/upload"] == executed

    def test_one_that_is_too_large_streams_for_whoever_has_a_right(
        self, service: Service, application: Application, person: str
    ) -> None:
        executed = application.executed["/upload"]
        with service.connect() as client:
            client.sendall(post(b"/upload", person, b"content-length: 40000", b"connection: close") + b"x" * 10)
            wait_until(lambda: application.executed["/upload"] > executed, "the application was asked at once")
            client.sendall(b"x" * 39_990)
            assert b"40000 by 40000" in read_to_end(client)

    def test_one_that_says_how_large_it_is_is_not_waited_for(self, service: Service, expired_here: str) -> None:
        expects = (b"content-length: 40000", b"expect: 100-continue", b"connection: close")
        with service.connect() as client:
            client.sendall(post(b"/upload", expired_here, *expects))
            assert read_to_end(client).startswith(b"HTTP/1.1 402 ")

    def test_one_that_turns_out_too_large_is_read_no_further(self, service: Service, expired_here: str) -> None:
        with service.connect() as client:
            client.sendall(post(b"/upload", expired_here, b"transfer-encoding: chunked", b"connection: close"))
            client.sendall(b"8001\r\n" + b"x" * 0x8001 + b"\r\n")
            assert read_to_end(client).startswith(b"HTTP/1.1 402 ")

    def test_whoever_expects_100_continue_is_told_to_go_on(self, service: Service, expired_here: str) -> None:
        body = json.dumps(ME).encode()
        expects = (b"content-length: %d" % len(body), b"expect: 100-continue", b"connection: close")
        with service.connect() as client:
            client.sendall(post(b"/echo/graphql", expired_here, *expects))
            assert read_head(client)[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
            client.sendall(body)
            assert read_to_end(client).endswith(body)

    def test_a_client_that_leaves_asks_for_nothing(
        self, service: Service, application: Application, expired_here: str
    ) -> None:
        executed = application.executed["/upload"]
        with service.connect() as client:
            client.sendall(post(b"/upload", expired_here, b"content-length: 18") + b'{"kind"')
        assert service.entry("/upload", status=499)["detail"] == "the client left"
        assert application.executed["/upload"] == executed

    def test_the_next_request_on_the_connection_is_its_own(self, service: Service, expired_here: str) -> None:
        requests = [json.dumps(body).encode() for body in (REPORT, ME, [ME, REPORT], ME)]
        with service.connect() as client:
            for number, body in enumerate(requests):
                last = (b"connection: close",) if number == 3 else ()
                client.sendall(post(b"/echo/graphql", expired_here, b"content-length: %d" % len(body), *last) + body)
            answers = read_to_end(client).split(b"HTTP/1.1 ")[1:]
        assert [answer[:3] for answer in answers] == [b"402", b"200", b"402", b"200"]


def test_a_changed_limit_counts_from_then_on(application: Application, tmp_path: Path, person: str) -> None:
    text = CONFIG.format(upstream=application.url, data=tmp_path)
    running = Service(tmp_path, text).start()
    try:
        running.expire(person)
        body = {"query": "{ me }", "variables": {"a": "x" * 40_000}}
        assert ask(running, person, "/echo/graphql", body) == UNREAD
        running.config.write_text(text.replace("32KiB", "64KiB"))
        wait_until(lambda: ask(running, person, "/echo/graphql", body) == PASSED, "the new limit is in force")
    finally:
        assert running.stop() == 0


class TestExplain:
    @pytest.mark.parametrize(
        ("path", "body", "content_type"),
        [
            ("/echo/graphql", ME, ""),
            ("/echo/graphql", [ME, REPORT], ""),
            ("/echo/graphql", {"query": "{ me }", "variables": {"a": "x" * LIMIT}}, ""),
            ("/echo/graphql", b'{"query": "{ me }", "query": "{ me }"}', ""),
            ("/echo/graphql", b"{ export }", "application/graphql"),
            ("/echo/graphql", b"{ export }", "text/plain"),
            ("/echo/graphql?query={export}", b"", ""),
            ("/echo/jobs", {"kind": "ping"}, ""),
            ("/echo/jobs", b"kind=ping", "application/x-www-form-urlencoded"),
            ("/echo/jobs", {"kind": "other"}, ""),
            ("/echo/other", {"kind": "report"}, ""),
        ],
    )
    def test_it_says_what_the_gateway_does(
        self,
        service: Service,
        paywall: Paywall,
        expired_here: str,
        tmp_path: Path,
        path: str,
        body: object,
        content_type: str,
    ) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        (tmp_path / "body").write_bytes(data)
        said = ("--content-type", content_type) if content_type else ()
        report = explained(paywall, service, path, "--body", tmp_path / "body", *said, "--subject", expired_here)
        headers = {"content_type": content_type} if content_type else {}
        status, reason = ask(service, expired_here, path, data, **headers)
        assert report["decision"].partition(", because ")[2] == (reason or "open")
        assert (status == 402) is report["decision"].startswith("prompt")

    def test_it_says_what_became_of_the_body(
        self, service: Service, paywall: Paywall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def of_body(path: str, *more: str, method: str = "POST") -> str:
            return str(explained(paywall, service, path, *more, method=method)["body"])

        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"query": "{ export }"}')))
        report = explained(paywall, service, "/echo/graphql", "--body", "-")
        assert report["body"] == "is looked into for graphql"
        assert report["rule"].startswith("graphql (result, mode block, grace 0) by /echo/graphql with GraphQL")
        assert "operation Report or field export" in report["rule"]
        assert of_body("/echo/graphql") == "none; one that --body names may lead to graphql"
        assert of_body("/echo/jobs") == "none; one that --body names may lead to ping, create"
        broken = service.folder / "broken.json"
        broken.write_text("{")
        assert of_body("/echo/rpc", "--body", str(broken)).startswith("can't be judged: it is no JSON")
        assert of_body("/other", "--body", str(broken)).startswith("is not looked into")
        assert of_body("/socket", method="WEBSOCKET").startswith("can't be judged: what comes through a WebSocket")
        assert "body" not in explained(paywall, service, "/other")

    def test_a_file_that_is_not_there_is_wrong_usage(self, service: Service, paywall: Paywall) -> None:
        done = paywall("explain", service.config, "POST", "/echo/rpc", "--body", "none.json")
        assert (done.code, done.output) == (2, "")
        assert done.messages == "paywall: --body 'none.json' can't be read: No such file or directory\n"


def explained(paywall: Paywall, service: Service, path: str, *more: object, method: str = "POST") -> Any:
    done = paywall("explain", service.config, method, path, *more, "--json")
    assert done.code == 0, done.messages
    return json.loads(done.output)
