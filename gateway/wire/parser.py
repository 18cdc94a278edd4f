"""uvicorn's parser of requests, going on in HTTP where a client would rather speak something else.

llhttp ends a request that asks for another protocol with its head: what follows is meant to be that protocol's. A
server that does not switch reads on (RFC 9110 section 7.8). Did it not, the body would be lost and its bytes read as
the next request, which behind a proxy could be somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser

_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


class RequestParser:
    """In place of httptools' parser: the same, and `decline`."""

    __slots__ = (
        "_framing", "_parser", "_protocol", "behind", "get_http_version", "get_method", "should_keep_alive",
        "should_upgrade",
    )  # fmt: skip

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._framing: list[tuple[bytes, bytes]] | None = None
        self.behind = b""
        """What came behind a request for another protocol that was not declined."""
        self._use(protocol)

    @property
    def declined(self) -> bool:
        """Whether the request that is being read is only seemingly complete: its body is still to come."""
        return self._framing is not None

    def decline(self, headers: list[tuple[bytes, bytes]]) -> None:
        """From within `on_headers_complete`: the request with these headers remains one in HTTP."""
        self._framing = [pair for pair in headers if pair[0] in _FRAMING]

    def feed_data(self, data: bytes) -> None:
        """Take what came. Raises `HttpParserUpgrade` behind a request for another protocol."""
        while True:
            try:
                self._parser.feed_data(data)
                return
            except HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                if self._framing is None:
                    self.behind = data
                    raise
            self._read_on(self._framing)
            if not data:
                return

    def _read_on(self, framing: list[tuple[bytes, bytes]]) -> None:
        # llhttp can't be told to read a body after all: another parser is, by a head that says only how it ends.
        self._framing = None
        self._use(_Resumed(self._protocol))
        lines = [b"POST / HTTP/1.1\r\n", *(b"%s: %s\r\n" % pair for pair in framing), b"\r\n"]
        self._parser.feed_data(b"".join(lines))

    def _use(self, callbacks: Any) -> None:
        parser = self._parser = HttpRequestParser(callbacks)
        # uvicorn's choice: a request behind one that ends its connection is left alone, and harms no earlier one.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.get_method: Callable[[], bytes] = parser.get_method
        self.get_http_version: Callable[[], str] = parser.get_http_version
        self.should_keep_alive: Callable[[], bool] = parser.should_keep_alive
        self.should_upgrade: Callable[[], bool] = parser.should_upgrade


class _Resumed:
    """Passes on what a parser tells, but for the first head, which the protocol knows already."""

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._known = True
        self.on_body, self.on_message_complete = protocol.on_body, protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self._known:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._known:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._known:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self._known:
            self._protocol.on_headers_complete()
        self._known = False
