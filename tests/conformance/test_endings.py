"""Bodies and answers that end too early, clients that leave, streams: the same behind every server."""

from __future__ import annotations

import pytest

from tests.flow.service import leave, read_head, wait_until

from .fronts import Front
from .test_messages import mark
from .upstream import RecordingUpstream, Seen

_LENGTH, _CHUNKED = b"content-length: 100\r\n\r\nhalf", b"transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n"


def one(upstream: RecordingUpstream, word: bytes) -> Seen:
    """The request with this mark, once its head is there."""
    found: list[Seen] = wait_until(lambda: upstream.of(word), "the request reaches the application")
    return found[0]


@pytest.mark.parametrize("framing", [_LENGTH, _CHUNKED], ids=["length", "chunked"])
def test_a_cut_body_is_never_completed(front: Front, upstream: RecordingUpstream, framing: bytes) -> None:
    word = mark()
    client = front.connect()
    client.sendall(b"POST /x?%b HTTP/1.1\r\nhost: a\r\n%b" % (word, framing))
    seen = one(upstream, word)
    leave(client)
    wait_until(seen.left.is_set, "the connection to the application ends")
    assert not seen.whole
    assert len(upstream.of(word)) == 1


def test_a_client_that_leaves_ends_its_stream(front: Front, upstream: RecordingUpstream) -> None:
    word = mark()
    client = front.connect()
    client.sendall(b"GET /events?%b HTTP/1.1\r\nhost: a\r\n\r\n" % word)
    read_head(client)
    leave(client)
    wait_until(one(upstream, word).left.is_set, "the application is told")


def test_events_arrive_one_by_one(front: Front, upstream: RecordingUpstream) -> None:
    word = mark()
    with front.connect() as client:
        client.sendall(b"GET /events?%b HTTP/1.1\r\nhost: a\r\n\r\n" % word)
        received = b""
        for number in (1, 2, 3):
            if number > 1:
                connection = one(upstream, word).connection
                assert connection is not None
                connection.sendall(b"data: %d\n\n" % number)
            while b"data: %d\n\n" % number not in received:  # the next is sent only when this one is here
                piece = client.recv(65536)
                assert piece
                received += piece
        assert b"data: 4" not in received


@pytest.mark.parametrize("path", [b"/short", b"/torn"])
def test_a_cut_answer_does_not_look_whole(front: Front, path: bytes) -> None:
    received = front.ask(b"GET %b?%b HTTP/1.1\r\nhost: a\r\n\r\n" % (path, mark()))
    assert received.startswith(b"HTTP/1.1 200")
    assert not received.endswith(b"0\r\n\r\n")
    if path == b"/short":
        assert b"content-length: 100" in received.lower()


def test_an_answer_may_come_before_the_body(front: Front, upstream: RecordingUpstream) -> None:
    word = mark()
    with front.connect() as client:
        client.sendall(b"POST /early?%b HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nabc" % word)
        head, _ = read_head(client)
        assert head.startswith(b"HTTP/1.1 413")
    assert not upstream.of(word)[0].whole


def test_continue_is_said_when_the_body_is_wanted(front: Front, upstream: RecordingUpstream) -> None:
    word = mark()
    with front.connect() as client:
        client.sendall(b"POST /x?%b HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n" % word)
        head, rest = read_head(client)
        assert head.startswith(b"HTTP/1.1 100")
        client.sendall(b"body")
        if not rest:
            head, _ = read_head(client)
            assert head.startswith(b"HTTP/1.1 200")
    assert upstream.of(word)[0].body == b"body"
