"""Errors of our own on the short way: the operator is told them whole, the client what can still be told."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from .raw import RawApplication, staying
from .service import DEADLINE, Service, wait_until
from .watched import OK, exchange, get, read_to_the_cut, watched

HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf "

BROKEN = """
def broken(*_, **__):
    raise RuntimeError("broken by the test")

from gateway.web import crossing, lane
from gateway.wire import protocol
"""
BROKEN_WITHIN_THE_BODY = """
from gateway.web.crossing import Crossing

framed = Crossing._framed

def broken(crossing, piece, complete):
    if crossing._size:
        raise RuntimeError("broken by the test")
    return framed(crossing, piece, complete)

Crossing._framed = broken
"""


def operator_is_told(service: Service) -> None:
    said = "".join
    wait_until(lambda: "an error of the gateway's own:" in said(service.messages), "the operator is told")
    wait_until(lambda: "RuntimeError: broken by the test" in said(service.messages), "all of it")


@pytest.mark.parametrize("fault", ["lane.ShortWay._admit", "crossing.Crossing.begin"])
def test_before_anything_was_sent_the_request_goes_the_long_way(
    raw: RawApplication, tmp_path: Path, fault: str
) -> None:
    raw.answers[b"/x"] = OK
    with watched(raw, tmp_path, beforehand=f"{BROKEN}\n{fault} = broken") as service:
        for _ in range(2):
            assert exchange(service, get(b"/x")).endswith(b"\r\n\r\nok")
        assert service.crossings() == 0
        operator_is_told(service)


@pytest.mark.parametrize("fault", ["crossing.without_our_words", "crossing.Crossing._head"])
def test_before_the_head_of_the_answer_the_client_is_told(raw: RawApplication, tmp_path: Path, fault: str) -> None:
    ended = threading.Event()
    raw.answers[b"/half"] = staying(HALF, ended)
    with watched(raw, tmp_path, beforehand=f"{BROKEN}\n{fault} = broken") as service:
        service.request("GET", "/warm")
        told = exchange(service, get(b"/half"))
        assert told.startswith(b"HTTP/1.1 500 ") and b"paywall-reason: internal" in told
        assert ended.wait(DEADLINE), "the application is let go"
        entry = service.entry("/half")
        assert (entry["status"], entry["reason"], entry["detail"]) == (500, "internal", "RuntimeError")
        operator_is_told(service)


def test_within_the_answer_it_is_cut(raw: RawApplication, tmp_path: Path) -> None:
    def in_two(connection: socket.socket, received: bytes) -> None:
        connection.sendall(HALF)
        go_on.wait(DEADLINE)
        staying(b"more", ended)(connection, received)

    go_on, ended = threading.Event(), threading.Event()
    raw.answers[b"/half"] = in_two
    with watched(raw, tmp_path, beforehand=BROKEN_WITHIN_THE_BODY) as service:
        with service.crossing(1), service.connect() as client:
            client.sendall(get(b"/half"))
            assert client.recv(1)
            go_on.set()
            assert b"more" not in read_to_the_cut(client)
        assert ended.wait(DEADLINE), "the application is let go"
        entry = service.entry("/half")
        assert (entry["status"], entry["reason"], entry["detail"]) == (200, "internal", "RuntimeError")
        operator_is_told(service)


ANSWERS = {
    b"/answered": OK,
    b"/answered-by-a-result": OK.replace(b"\r\n", b"\r\npaywall-result: yes\r\n", 1),
    b"/broken-off": HALF,
    b"/unanswered": b"",
}


@pytest.mark.parametrize(
    "fault",
    ["crossing.AccessEntry = broken", "protocol.GatewayProtocol._make_scope = broken"],
    ids=["the record", "the long way"],
)
def test_whatever_is_broken_nobody_is_left_waiting(raw: RawApplication, tmp_path: Path, fault: str) -> None:
    def say(connection: socket.socket, received: bytes) -> None:
        connection.sendall(ANSWERS[received.split(b" ")[1]])

    with watched(raw, tmp_path, beforehand=f"{BROKEN}\n{fault}") as service:
        raw.answers[b"/long"] = OK
        for target in ANSWERS:
            raw.answers[target] = say
            # What a kept connection that the application has just ended costs is another matter (`test_reuse`).
            wait_until(lambda: service.request("POST", "/long", body=b"the long way").status == 200, "it is answered")
            with service.connect() as client:
                client.sendall(get(target))
                read_to_the_cut(client)


def test_a_client_that_leaves_while_the_record_is_broken_ends_the_work(raw: RawApplication, tmp_path: Path) -> None:
    ended = threading.Event()
    raw.answers[b"/half"] = staying(HALF, ended)
    with watched(raw, tmp_path, beforehand=f"{BROKEN}\ncrossing.AccessEntry = broken") as service:
        raw.answers[b"/long"] = OK
        assert service.request("POST", "/long", body=b"which takes the long way").status == 200
        with service.connect() as client:
            client.sendall(get(b"/half"))
            assert client.recv(1)
        assert ended.wait(DEADLINE)
        operator_is_told(service)
