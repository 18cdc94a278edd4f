"""What passes, passes byte for byte: targets, headers, statuses and framing, seen from raw sockets on both sides."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.upstream.certificates import self_signed

from .conftest import CONFIG
from .raw import RawApplication
from .service import Service, read_head, read_to_end

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def service(raw: RawApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A gateway in front of it."""
    folder = tmp_path_factory.mktemp("gateway")
    running = Service(folder, CONFIG.format(upstream=raw.url, data=folder)).start()
    yield running
    assert running.stop() == 0


def exchange(service: Service, request: bytes) -> bytes:
    """Everything the gateway answers to these bytes until it closes."""
    with service.connect() as client:
        client.sendall(request)
        return read_to_end(client)


def get(target: bytes, *more: bytes, method: bytes = b"GET", last: bool = True) -> bytes:
    lines = [method + b" " + target + b" HTTP/1.1", b"host: service.example", *more]
    return b"\r\n".join([*lines, *([b"connection: close"] if last else []), b"", b""])


def test_repeated_headers_stay_apart_and_in_order(service: Service, raw: RawApplication) -> None:
    cookies = [b"set-cookie: a=1; Path=/", b"set-cookie: b=2", b"set-cookie: a=3"]
    raw.answers[b"/repeated"] = b"\r\n".join(
        [b"HTTP/1.1 200 OK", *cookies, b"vary: Accept", b"x-one: 1", b"vary: Cookie", b"content-length: 0", b"", b""]
    )
    sent = [b"x-two: 1", b"accept: a/b", b"x-two: 2", b"accept: c/d", b"cookie: a=1", b"cookie: b=2"]
    lines = exchange(service, get(b"/repeated", *sent)).split(b"\r\n")
    wanted = (b"set-cookie:", b"vary:", b"x-one:")
    assert [line for line in lines if line.startswith(wanted)] == [
        *cookies, b"vary: Accept", b"x-one: 1", b"vary: Cookie",
    ]  # fmt: skip
    arrived = raw.head_of(b"/repeated").split(b"\r\n")
    assert [line for line in arrived if line.partition(b":")[0] in (b"x-two", b"accept", b"cookie")] == sent


def test_bytes_above_ascii_in_headers_pass_as_they_are(service: Service, raw: RawApplication) -> None:
    value = bytes(range(0x80, 0x100)) + b"\t end"
    raw.answers[b"/binary"] = b"HTTP/1.1 200 OK\r\nx-answer: " + value + b"\r\ncontent-length: 0\r\n\r\n"
    answer = exchange(service, get(b"/binary", b"x-request: " + value))
    assert b"x-answer: " + value + b"\r\n" in answer
    assert b"x-request: " + value + b"\r\n" in raw.head_of(b"/binary")


@pytest.mark.parametrize(
    "target",
    [b"/t?", b"/t", b"/t?a=1&a=2&b", b"/t?x=%2F%2f/?", b"/t?q=a+b%20c;d=[e]", b"/t??", b"/t?a='\"<>|{}^`"],
)
def test_the_target_arrives_byte_for_byte(service: Service, raw: RawApplication, target: bytes) -> None:
    raw.answers[b"/t"] = OK
    assert exchange(service, get(target)).endswith(b"ok")
    assert raw.heads[-1].split(b" ")[1] == target


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 204 No Content\r\nx-of: 204\r\n\r\n", b"x-of: 204"),
        (b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\n\r\n', b'etag: "7"'),
        (b'HTTP/1.1 304 Not Modified\r\netag: "7"\r\ncontent-length: 5000\r\n\r\n', b'etag: "7"'),
    ],
)
def test_an_answer_without_a_body_ends_with_its_head(
    service: Service, raw: RawApplication, head: bytes, kept: bytes
) -> None:
    raw.answers[b"/bare"], raw.answers[b"/next"] = head, OK
    answer = exchange(service, get(b"/bare", last=False) + get(b"/next"))
    first, _, second = answer.partition(b"\r\n\r\n")
    assert first.split(b" ")[1] == head.split(b" ")[1] and kept in first
    assert b"transfer-encoding" not in first
    assert second.startswith(b"HTTP/1.1 200 ") and second.endswith(b"\r\n\r\nok")


def test_a_head_request_keeps_the_length_of_what_it_did_not_get(service: Service, raw: RawApplication) -> None:
    raw.answers[b"/head"] = b"HTTP/1.1 200 OK\r\ncontent-length: 123456\r\nx-of: head\r\n\r\n"
    raw.answers[b"/next"] = OK
    answer = exchange(service, get(b"/head", method=b"HEAD", last=False) + get(b"/next"))
    first, _, second = answer.partition(b"\r\n\r\n")
    assert b"content-length: 123456" in first and b"x-of: head" in first
    assert second.startswith(b"HTTP/1.1 200 ") and second.endswith(b"\r\n\r\nok")


def test_interim_answers_of_the_application_do_not_stand_for_the_answer(service: Service, raw: RawApplication) -> None:
    raw.answers[b"/interim"] = b"HTTP/1.1 103 Early Hints\r\nlink: </s.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK
    answer = exchange(service, get(b"/interim"))
    assert answer.split(b"HTTP/1.1 ")[-1].startswith(b"200 ") and answer.endswith(b"\r\n\r\nok")


@pytest.mark.parametrize(
    "framing",
    [
        b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
        b"content-length: 11\r\n\r\nhello world",
    ],
)
def test_a_client_of_http_1_0_gets_what_it_can_read(service: Service, raw: RawApplication, framing: bytes) -> None:
    raw.answers[b"/old"] = b"HTTP/1.1 200 OK\r\n" + framing
    for request in (b"GET /old HTTP/1.0\r\nhost: service.example\r\n\r\n", b"GET /old HTTP/1.0\r\n\r\n"):
        head, _, body = exchange(service, request).partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head, "HTTP/1.0 has no chunks"
        assert body == b"hello world"
    head, _, body = exchange(service, b"HEAD /old HTTP/1.0\r\nhost: service.example\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ") and body == b""


def test_an_application_is_always_called_by_a_name(service: Service, raw: RawApplication) -> None:
    """HTTP/1.1 needs one, and servers answer 400 without; a client of HTTP/1.0 may have given none."""
    raw.answers[b"/named"] = OK
    for line, name in ((b"host: service.example\r\n", b"service.example"), (b"", raw.url.partition("//")[2].encode())):
        assert exchange(service, b"GET /named HTTP/1.0\r\n" + line + b"\r\n").endswith(b"ok")
        head = raw.head_of(b"/named")
        assert [value for value in head.split(b"\r\n") if value.startswith(b"host:")] == [b"host: " + name]


def test_an_application_of_http_1_0_is_read_to_its_end(service: Service, raw: RawApplication) -> None:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\nx-of: old\r\n\r\nuntil the ")
        connection.sendall(b"end")

    raw.answers[b"/old"] = script
    answer = exchange(service, get(b"/old"))
    chunks = answer.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert b"x-of: old" in answer
    assert b"".join(chunks[1::2]) == b"until the end" and chunks[-3] == b"0"


def test_requests_follow_each_other_on_one_connection(service: Service, raw: RawApplication) -> None:
    raw.answers[b"/one"] = OK
    with service.connect() as client:
        for _ in range(3):
            client.sendall(get(b"/one", last=False))
            head, body = read_head(client)
            while body != b"ok":
                body += client.recv(100)
            assert b"connection: close" not in head


def test_pipelined_requests_are_answered_in_order(service: Service, raw: RawApplication) -> None:
    for number in range(5):
        raw.answers[b"/p%d" % number] = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n<%d>" % number
    requests = [get(b"/p%d" % number, last=number == 4) for number in range(5)]
    requests[2] = get(b"/p2", b"content-length: 6", method=b"POST", last=False) + b"a body"
    answer = exchange(service, b"".join(requests))
    assert [part[:1] for part in answer.split(b"<")[1:]] == [b"0", b"1", b"2", b"3", b"4"]
    assert answer.count(b"HTTP/1.1 200 ") == 5


def test_each_request_of_a_connection_is_for_its_own_person(service: Service, raw: RawApplication, person: str) -> None:
    raw.answers[b"/blocked/x"] = OK
    poor, rich = f"{person}-poor", f"{person}-rich"
    service.expire(poor)
    requests = [get(b"/blocked/x", b"x-user-id: " + who.encode(), last=False) for who in (rich, poor, rich)]
    answer = exchange(service, b"".join(requests) + get(b"/blocked/x", b"x-user-id: " + poor.encode()))
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"402", b"200", b"402"]


def test_a_result_that_is_not_answered_is_told_as_such_to_whoever_has_a_right_to_it(
    service: Service, raw: RawApplication, person: str
) -> None:
    def leave(connection: socket.socket, _: bytes) -> None:
        connection.close()

    raw.answers[b"/reports/x"], raw.answers[b"/reports/y"] = OK, leave
    who = b"x-user-id: " + person.encode()
    with service.connect() as client:
        for _ in range(3):  # from the second on the right is known and a connection to the application open
            client.sendall(get(b"/reports/x", who, last=False))
            head, body = read_head(client)
            while body != b"ok":
                body += client.recv(100)
            assert head.startswith(b"HTTP/1.1 200 ")
        client.sendall(get(b"/reports/y", who))
        answer = read_to_end(client)
    assert answer.startswith(b"HTTP/1.1 502 ") and b"paywall-reason: upstream-broken" in answer
    entry, before = service.entry("/reports/y"), service.entry("/reports/x")
    assert (entry["decision"], entry["reason"]) == ("forward", "upstream-broken")
    assert (entry["route"], entry["subject"]) == (before["route"], before["subject"])
    assert sum(head.startswith(b"GET /reports/y ") for head in raw.heads) == 1


def test_a_client_that_expects_100_continue_is_told_to_go_on(service: Service, raw: RawApplication) -> None:
    def script(connection: socket.socket, received: bytes) -> None:
        while not received.endswith(b"the body"):
            received += connection.recv(100)
        connection.sendall(OK)

    raw.answers[b"/expects"] = script
    with service.connect() as client:
        client.sendall(get(b"/expects", b"content-length: 8", b"expect: 100-continue", method=b"POST"))
        assert read_head(client)[0] == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"the body")
        assert read_to_end(client).endswith(b"\r\n\r\nok")
    assert b"expect:" not in raw.head_of(b"/expects").lower()


def test_who_expects_100_continue_and_may_not_pass_is_told_so_at_once(
    service: Service, raw: RawApplication, expired: str
) -> None:
    more = [b"content-length: 8", b"expect: 100-continue", b"x-user-id: " + expired.encode()]
    before = len(raw.heads)
    with service.connect() as client:
        client.sendall(get(b"/blocked/y", *more, method=b"POST"))
        assert read_to_end(client).startswith(b"HTTP/1.1 402 ")
    assert len(raw.heads) == before


def test_an_answer_may_come_before_the_upload_is_whole(service: Service, raw: RawApplication) -> None:
    def script(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo long")

    raw.answers[b"/early"], raw.answers[b"/next"] = script, OK
    with service.connect() as client:
        client.sendall(get(b"/early", b"content-length: 10", method=b"PUT", last=False) + b"half ")
        head, body = read_head(client)
        while len(body) < 8:
            body += client.recv(100)
        assert head.startswith(b"HTTP/1.1 413 ") and body == b"too long"
        client.sendall(b"other" + get(b"/next"))
        assert read_to_end(client).endswith(b"\r\n\r\nok"), "the rest of the body was read and thrown away"


def test_an_early_answer_is_not_lost_where_the_rest_of_the_upload_finds_the_door_shut(
    service: Service, raw: RawApplication
) -> None:
    def refuse(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 8\r\n\r\ntoo long")

    raw.answers[b"/refused"] = refuse
    length = 2_000_000
    for _ in range(20):  # whether a write fails before the answer is read is a matter of luck
        with service.connect() as client:
            client.sendall(get(b"/refused", b"content-length: %d" % length, method=b"PUT") + bytes(length))
            answer = read_to_end(client)
        assert answer.startswith(b"HTTP/1.1 413 ") and answer.endswith(b"\r\n\r\ntoo long")


def test_trailers_and_chunk_extensions_do_not_reach_the_other_side(service: Service, raw: RawApplication) -> None:
    raw.answers[b"/chunks"] = (
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n0\r\nx-trailer: 1\r\n\r\n"
    )
    answer = exchange(service, get(b"/chunks"))
    assert answer.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


def test_a_trailer_of_a_request_is_no_header_of_it(service: Service, raw: RawApplication, expired: str) -> None:
    def script(connection: socket.socket, received: bytes) -> None:
        while not received.endswith(b"0\r\n\r\n"):
            received += connection.recv(100)
        connection.sendall(OK)

    raw.answers[b"/trailed"] = script
    chunked = b"transfer-encoding: chunked"
    body = b"3\r\nabc\r\n0\r\nx-user-id: the-boss\r\nx-trailer: 1\r\n\r\n"
    assert exchange(service, get(b"/trailed", chunked, method=b"POST") + body).endswith(b"ok")
    head = raw.head_of(b"/trailed")
    assert b"x-trailer" not in head and b"the-boss" not in head
    person = b"x-user-id: " + expired.encode()
    answer = exchange(service, get(b"/blocked/trailed", person, chunked, method=b"POST") + body)
    assert answer.startswith(b"HTTP/1.1 402 "), "whoever sends it is still the one of the headers"


def test_an_application_behind_a_unix_socket(tmp_path: Path) -> None:
    raw = RawApplication(path=Path(os.path.relpath(tmp_path / "app.sock")))
    raw.answers[b"/x"] = OK
    url = f"unix://{tmp_path / 'app.sock'}"
    running = Service(tmp_path, CONFIG.format(upstream=url, data=tmp_path / "data")).start()
    try:
        assert exchange(running, get(b"/x")).endswith(b"\r\n\r\nok")
        assert b"host: service.example\r\n" in raw.head_of(b"/x")
    finally:
        running.stop()
        raw.close()


def test_an_application_behind_tls_is_known_by_its_certificate(tmp_path: Path) -> None:
    tls, certificate = self_signed(tmp_path, "localhost")
    raw = RawApplication(tls=tls)
    raw.answers[b"/x"] = OK
    config = CONFIG.format(upstream=raw.url, data=tmp_path / "data")
    running = Service(tmp_path, config, environment={"SSL_CERT_FILE": str(certificate)}).start()
    try:
        assert exchange(running, get(b"/x")).endswith(b"\r\n\r\nok")
    finally:
        running.stop()
    stranger = Service(tmp_path, config).start()
    try:
        reply = stranger.request("GET", "/x")
        assert (reply.status, reply.reason) == (502, "upstream-unreachable")
        assert "certificate" in stranger.entry("/x")["detail"].lower()
    finally:
        stranger.stop()
        raw.close()
