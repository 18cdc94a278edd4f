"""An application that speaks exactly the bytes a test wants, in threads of its own."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from .service import DEADLINE

Script = Callable[[socket.socket, bytes], None]
"""Answers one request: the connection, and the request's head with whatever of its body came along."""


def answer(*headers: bytes, body: bytes = b"ok", status: bytes = b"200 OK") -> bytes:
    """An answer with its length."""
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, b"content-length: %d" % len(body), b"", body])


class RawApplication:
    """Answers each path as a test laid it down in `answers`, with bytes or by a script; remembers what it was asked."""

    def __init__(self, path: Path | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.answers: dict[bytes, bytes | Script] = {}
        self.heads: list[bytes] = []
        self.connections = 0
        self._tls, self._path = tls, path
        if path is None:
            self._listener = socket.create_server(("127.0.0.1", 0))
        else:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(path))
            self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        if self._path is not None:
            return f"unix://{self._path}"
        scheme = "https" if self._tls else "http"
        return f"{scheme}://localhost:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def head_of(self, target: bytes) -> bytes:
        """The newest head with exactly this target."""
        return next(head for head in reversed(self.heads) if head.split(b" ", 2)[1] == target)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(DEADLINE)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls is not None:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            received = b""
            while True:
                while b"\r\n\r\n" not in received:
                    piece = connection.recv(65536)
                    if not piece:
                        return
                    received += piece
                self.heads.append(received.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
                answer = self.answers[received.split(b" ", 2)[1].partition(b"?")[0]]
                if not isinstance(answer, bytes):
                    answer(connection, received)
                    return
                connection.sendall(answer)
                received = b""


def endless(head: bytes, ended: threading.Event, piece: bytes = b"x" * 65536) -> Script:
    """Sends this head and pieces for as long as they are taken; notes when the other side ends the connection."""

    def script(connection: socket.socket, _: bytes) -> None:
        try:
            connection.sendall(head)
            while True:
                connection.sendall(piece)
        except ConnectionError:
            ended.set()

    return script


def staying(answer: bytes, ended: threading.Event) -> Script:
    """Sends this and stays; notes when the other side ends the connection."""

    def script(connection: socket.socket, _: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            connection.sendall(answer)
            while connection.recv(65536):
                pass
        ended.set()

    return script
