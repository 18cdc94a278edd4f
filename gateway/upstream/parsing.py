"""Strict reading of the answers on one connection. No I/O.

llhttp (through httptools) refuses nearly everything that has two readings: bare line feeds, folded lines, control
characters, bad names, two lengths, a length beside a transfer coding. It lets pass, and this module refuses:
transfer codings other than `chunked` once, any of them in HTTP/1.0, unknown versions and statuses, heads of any
size, and empty lines before and after an answer.
"""

from __future__ import annotations

import re

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from gateway.ports.upstream import Headers

_APART = frozenset(
    b"connection content-length keep-alive proxy-authenticate proxy-authentication-info proxy-connection "
    b"te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection, not of the answer (RFC 9110 section 7.6.1), and the length, which becomes a number."""
_VERSIONS = frozenset(("1.1", "1.0"))
_BLANKS = (b" ", b"\t")
_PLAIN_OPTIONS = frozenset((b"close", b"keep-alive", b"upgrade", b"te", b""))
_KEEPALIVE_TIMEOUT = re.compile(rb"(?i)\btimeout=([0-9]{1,6})\b")


class MalformedAnswer(Exception):
    """What came is not one well-formed answer within the limits; `str()` says what is wrong with it."""


class AnswerParser:
    """Reads one answer after the other. `expect` begins one, `feed` takes bytes as they come.

    After `feed`: `status` is 0 until the head has arrived; `pieces` holds the body bytes of this call; `complete`
    says that the answer is, and `persistent` then whether another may follow on the connection. An answer that switches
    protocols is complete with its head, and what came behind it is in `pieces`.
    """

    __slots__ = (
        "_apart", "_begun", "_bodiless", "_chunked", "_fields", "_head_bytes", "_idle_bytes", "_keep_alive", "_llhttp",
        "_max_head_bytes", "_max_headers", "_may_switch", "_plainly_begun", "_to_head", "complete", "headers",
        "interim", "keepalive_hint", "length", "persistent", "pieces", "status",
    )  # fmt: skip

    def __init__(self, max_head_bytes: int, max_headers: int) -> None:
        # Per connection
        self._max_head_bytes = max_head_bytes
        self._max_headers = max_headers
        self._llhttp: HttpResponseParser | None = None
        self.keepalive_hint: float | None = None
        """Seconds after which the application says it closes an unused connection."""
        self.pieces: list[bytes] = []
        self.expect(to_head=False)

    def expect(self, *, to_head: bool, may_switch: bool = False) -> None:
        """Make ready for the next answer; `to_head` when it answers a HEAD request, `may_switch` a handshake."""
        # Per answer
        self._to_head = to_head
        self._may_switch = may_switch
        self._begun = False
        self._plainly_begun = False
        """The first head says HTTP/1.1 in one piece, and need not be asked again."""
        self._head_bytes = 0
        self._idle_bytes = 0
        self._fields: Headers = []
        self._apart: Headers = []
        self._keep_alive = False
        self._chunked = False
        self._bodiless = False
        self.interim = False
        """An interim (1xx) head has arrived."""
        self.status = 0
        self.headers: Headers = []
        self.length: int | None = None
        self.complete = False
        self.persistent = False

    def feed(self, data: bytes) -> None:
        """Take what arrived. Raises MalformedAnswer unless the answer was already complete before the fault."""
        if self._llhttp is None:
            self._llhttp = HttpResponseParser(self)
        if not self.status:
            if not self._begun and data[0] != 0x48:  # an H; llhttp would skip empty lines here
                raise MalformedAnswer("it does not begin with HTTP/")
            if not self._begun:
                self._begun, self._plainly_begun = True, data.startswith(b"HTTP/1.1 ")
            self._head_bytes += len(data)
        try:
            self._llhttp.feed_data(data)
        except HttpParserError as error:
            if not self.complete:
                raise MalformedAnswer(str(error.__context__ or error)) from error
            self.persistent = False
        except HttpParserUpgrade as upgrade:  # after the answer, it is something nobody asked for
            self.persistent = False
            if self.status == 101:
                self.pieces.append(data[upgrade.args[0] :])
        if self.complete:
            self.persistent = self.persistent and self._is_end_of_answer(data)
            if self._to_head:
                self._llhttp = None  # it still waits for the body that a HEAD answer announces but never has
        else:
            self._limit_bodiless_bytes(len(data))

    def take_pieces(self) -> bytes:
        """The body bytes of this call in one piece; the caller has them now."""
        pieces = self.pieces
        if not pieces:
            return b""
        self.pieces = []
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def end(self) -> bool:
        """The connection ended in order: whether that completes the answer (RFC 9112 section 6.3, last case)."""
        if self.status and not self._chunked and self.length is None:
            self.complete = True
        return self.complete

    def discard(self) -> None:
        """Let go of the parser underneath, which refers back to this one."""
        self._llhttp = None

    def _limit_bodiless_bytes(self, arrived: int) -> None:
        """Bound what brings no body bytes: an endless head, chunk extension or trailer section."""
        if not self.status:
            if self._head_bytes > self._max_head_bytes:
                raise MalformedAnswer(f"its head is over {self._max_head_bytes} bytes")
        elif self.pieces:
            self._idle_bytes = 0
        else:
            self._idle_bytes += arrived
            if self._idle_bytes > self._max_head_bytes:
                raise MalformedAnswer(f"over {self._max_head_bytes} bytes in a row are chunk extensions or trailers")

    def _is_end_of_answer(self, data: bytes) -> bool:
        """Whether nothing, not even an empty line (which llhttp skips), follows the answer that ends in `data`.

        In doubt it says no, which costs a connection where yes could cost the next client's answer.
        """
        if self._bodiless:
            return 0 <= data.find(b"\r\n\r\n") == len(data) - 4
        if self._chunked:
            return data.endswith(b"0\r\n\r\n")
        last = self.pieces[-1]
        return data.endswith(last) and not last.isspace()

    # What llhttp calls. An exception raised here stops it and comes out of `feed_data` as the context of its own.

    def on_message_begin(self) -> None:
        """A head begins; after the answer, something nobody asked for."""
        if self.complete:
            self.persistent = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of a head, or one trailer."""
        name = name.lower()
        if value.endswith(_BLANKS):  # llhttp leaves them, and they are no part of it (RFC 9112 section 5)
            value = value.rstrip(b" \t")
        if name in _APART:
            self._apart.append((name, value))
        else:
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """A head is there: judge it, and know how its body ends."""
        if self.complete or self._llhttp is None:
            return
        status = self._llhttp.get_status_code()
        version = "1.1" if self._plainly_begun and not self.interim else self._llhttp.get_http_version()
        if version not in _VERSIONS:
            raise MalformedAnswer(f"its version is HTTP/{version}")
        if (status < 200 or status > 599) and not self._take_unusual(status):
            return
        if len(self._fields) + len(self._apart) > self._max_headers:
            raise MalformedAnswer(f"it has over {self._max_headers} headers")
        if self.interim or self._head_bytes > self._max_head_bytes:
            self._limit_head()
        # Nothing is added to this list any more: trailers, which are dropped, go to the other.
        self.headers, self._fields = self._fields, []
        self._keep_alive = version == "1.1"
        if self._apart:
            self._obey(self._apart, version)
        self._bodiless = self._to_head or status == 204 or status == 304 or self.length == 0
        if status == 101:
            self._keep_alive = False
        elif status == 204:
            # RFC 9110 section 8.6 forbids both here; with either, peers disagree on whether a body follows.
            self._keep_alive = self._keep_alive and not self.length and not self._chunked
            self.length = 0
        self.status = status
        if self._to_head:
            self.on_message_complete()

    def on_body(self, piece: bytes) -> None:
        """Bytes of the body, the chunked coding taken off."""
        if self.complete:
            self.persistent = False
        else:
            self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """An interim head, or the answer, is complete."""
        if not self.status:  # the interim head before the answer
            self._fields, self._apart, self._head_bytes = [], [], 0
            return
        if self.complete:
            # A second answer - except to HEAD, where llhttp merely ends the answer in its own time.
            self.persistent = self.persistent and self._to_head
            return
        self.complete = True
        self.persistent = self._keep_alive

    # Reading the head

    def _take_unusual(self, status: int) -> bool:
        """Whether this head is the answer's all the same."""
        if status == 101:
            if not self._may_switch:
                raise MalformedAnswer("it switches protocols (101), which was not asked for")
            if self._said(b"upgrade") != [b"websocket"] or b"upgrade" not in self._said(b"connection"):
                raise MalformedAnswer("it switches (101) to another protocol than WebSocket")
            return True
        if not 100 <= status <= 599:
            raise MalformedAnswer(f"its status is {status}, outside 100 to 599 (RFC 9110 section 15)")
        self.interim = True
        return False

    def _said(self, name: bytes) -> list[bytes]:
        values = [value for own, value in self._apart if own == name]
        return [option.strip(b" \t").lower() for option in b",".join(values).split(b",")]

    def _limit_head(self) -> None:
        """Measure the head itself, where other bytes came with it."""
        size = sum(len(name) + len(value) + 4 for name, value in self._fields + self._apart)
        if size > self._max_head_bytes:
            raise MalformedAnswer(f"its head is over {self._max_head_bytes} bytes")

    def _obey(self, apart: Headers, version: str) -> None:
        """Follow the headers that concern this connection only, and the length."""
        options: set[bytes] = set()
        for name, value in apart:
            if name == b"content-length":  # llhttp saw to it: digits only, once, never beside a transfer coding
                self.length = int(value)
            elif name == b"transfer-encoding":
                self._take_transfer_coding(value, version)
            elif name == b"connection":
                if value == b"keep-alive":  # the usual word, and in HTTP/1.1 a needless one
                    options.add(value)
                    continue
                options.update([option.strip(b" \t") for option in value.lower().split(b",")])
            elif name == b"keep-alive":
                hint = _KEEPALIVE_TIMEOUT.search(value)
                self.keepalive_hint = float(hint[1]) if hint else None
        if b"close" in options or (version == "1.0" and b"keep-alive" not in options):
            self._keep_alive = False
        elif options:
            self._keep_alive = True
        if not options <= _PLAIN_OPTIONS:  # it names headers, which then go no further (RFC 9110 section 7.6.1)
            self.headers = [header for header in self.headers if header[0] not in options]

    def _take_transfer_coding(self, value: bytes, version: str) -> None:
        if self._chunked or value.lower() != b"chunked" or version == "1.0":
            raise MalformedAnswer(f"its transfer-encoding, {value!r} in HTTP/{version}, is not one chunked in HTTP/1.1")
        self._chunked = True
