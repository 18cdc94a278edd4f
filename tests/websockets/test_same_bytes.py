"""No server's answer to a frame changes by a byte because the gateway is in between, however the frame arrives."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance import fronts

from .echo import COMPRESSING, MAKES
from .frames import ANSWERED, COMPRESSED, ENDING, TEXT, apart, closing, content, frame
from .rig import Passage, passage

_SECONDS = 20.0
_HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nhost: a.example\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
_DEFLATE = b"sec-websocket-extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
_MARK = b"are you there"
WHOLE = 1 << 30
PIECES = {"at once": WHOLE, "byte by byte": 1}
_SLOW_BYTES_LIMIT = 3000
"""Greater ones go in one piece: byte by byte they tell no more."""


@dataclass(frozen=True)
class Heard:
    """Everything that comes back. A server may answer a ping sooner than a message that came before it, so that only
    the order of either is the same each time."""

    head: list[bytes]
    """Of the answer to the handshake, what is the server's own word."""
    messages: list[bytes]
    """Frames of messages, whole, in their order."""
    controls: list[bytes]
    """Frames of pongs and of the close."""
    rest: bytes
    """What is no whole frame."""


def answers(port: int, sent: bytes, piece: int, ends: bool, headers: bytes = b"") -> Heard:
    """What comes back until the server closes. What does not end the WebSocket is followed by one more message and,
    once that is answered, a close; what does, by the end of what the client sends."""
    with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(_HANDSHAKE + headers + b"\r\n")
        received = b""
        while b"\r\n\r\n" not in received and (more := connection.recv(65536)):
            received += more
        head, _, received = received.partition(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(sent), piece):
                connection.sendall(sent[at : at + piece])
            if ends:
                with contextlib.suppress(OSError):  # the other side may have closed it by then
                    connection.shutdown(socket.SHUT_WR)
            else:
                connection.sendall(frame(TEXT, _MARK))
                while not _is_marked(received) and (more := connection.recv(65536)):
                    received += more
                connection.sendall(closing(1000))
            while more := connection.recv(65536):
                received += more
    frames, rest = apart(received)
    messages = [each for each in frames if not each[0] & 0x08]
    return Heard(_own(head), messages, [each for each in frames if each[0] & 0x08], rest)


def _is_marked(received: bytes) -> bool:
    frames, _ = apart(received)
    return bool(frames) and any(content(each) == _MARK for each in frames[-3:])


def _own(head: bytes) -> list[bytes]:
    status, *lines = head.lower().split(b"\r\n")
    kept = [line for line in lines if not line.startswith((b"connection:", b"upgrade:", b"date:"))]
    return [status.split(b" ")[1], *sorted(kept)]


@pytest.fixture(scope="module", params=MAKES)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passage]:
    """A server, with the gateway before it and without."""
    with passage(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


def differences(made: Passage, table: dict[str, bytes], piece: int = WHOLE, headers: bytes = b"") -> list[str]:
    """By name what is answered otherwise through the gateway."""
    found = []
    for name, sent in table.items():
        if piece < len(sent) and len(sent) > _SLOW_BYTES_LIMIT:
            continue
        direct, through = (answers(port, sent, piece, table is ENDING, headers) for port in (made.direct, made.through))
        if direct != through:
            found.append(name)
    return found


@pytest.mark.parametrize("pieces", PIECES)
def test_where_the_websocket_goes_on(made: Passage, pieces: str) -> None:
    assert differences(made, ANSWERED, PIECES[pieces]) == []


def test_where_the_server_ends_it(made: Passage) -> None:
    # Not byte by byte: a server that closes on the first of several bytes resets the connection, and that may overtake
    # what it has said.
    assert differences(made, ENDING) == []


@pytest.mark.parametrize("pieces", PIECES)
def test_where_they_compress(made: Passage, pieces: str) -> None:
    offered = answers(made.direct, b"", WHOLE, ends=False, headers=_DEFLATE)
    agreed = any(line.startswith(b"sec-websocket-extensions: permessage-deflate") for line in offered.head)
    assert agreed == (made.make in COMPRESSING)
    plain = {name: sent for name, sent in COMPRESSED.items() if not sent[0] & 0x40}
    assert differences(made, COMPRESSED if agreed else plain, PIECES[pieces], _DEFLATE) == []


def test_servers_do_answer(made: Passage) -> None:
    """Two silences are the same, too."""
    heard = answers(made.through, ANSWERED["a ping between fragments"], WHOLE, ends=False)
    assert heard.head[0] == b"101" and heard.rest == b""
    assert heard.messages == [b"\x81\x02ab", b"\x81\x0d" + _MARK]
    assert heard.controls == [b"\x8a\x01p", b"\x88\x02\x03\xe8"]


def test_a_gateway_that_reads_messages_is_noticed(tmp_path: Path) -> None:
    """As on servers that know nothing but messages: there it has to."""
    with passage("aiohttp", tmp_path, fronts.UVICORN) as twin:
        assert differences(twin, ENDING) != []
        assert len(differences(twin, COMPRESSED, headers=_DEFLATE)) == len(COMPRESSED)
