"""An application that records what reaches it, whole or cut, and answers by the path."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field

from tests.flow.service import DEADLINE

ANSWERS = {
    b"/none": b"HTTP/1.1 204 No Content\r\n\r\n",
    b"/same": b'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n',
    b"/early": b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\nconnection: close\r\n\r\nearly",
    b"/short": b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
    b"/torn": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\ntorn\r\n",
    b"/events": b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: 1\n\n",
}
ENDS = {b"/early", b"/short", b"/torn"}
"""Where it closes after what it has said."""


@dataclass(eq=False)
class Seen:
    """One request as it came; `whole` says whether all of its body did."""

    target: bytes
    head: bytes
    body: bytes = b""
    whole: bool = False
    connection: socket.socket | None = field(default=None, repr=False)
    left: threading.Event = field(default_factory=threading.Event)
    """The gateway has closed the connection."""


class RecordingUpstream:
    """Each connection has a thread; every request is noted as soon as its head is there."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def of(self, mark: bytes) -> list[Seen]:
        """The requests whose target has this mark."""
        return [seen for seen in list(self.seen) if mark in seen.target]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(DEADLINE)
        with connection, connection.makefile("rb") as reader, contextlib.suppress(OSError, ValueError):
            while line := reader.readline():
                head = line
                while (line := reader.readline()) not in (b"\r\n", b""):
                    head += line
                seen = Seen(head.split(b" ", 2)[1], head.lower(), connection=connection)
                self.seen.append(seen)
                path = seen.target[: seen.target.rfind(b"?")]
                if path != b"/early":
                    try:
                        seen.whole = self._read_body(reader, seen)
                    finally:
                        if not seen.whole:
                            seen.left.set()
                    if not seen.whole:
                        return
                default = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(b"ok")
                connection.sendall(ANSWERS.get(path, default + (b"" if head.startswith(b"HEAD") else b"ok")))
                if path in ENDS:
                    return
                if path == b"/events":
                    reader.read(1)
                    seen.left.set()
                    return

    def _read_body(self, reader: object, seen: Seen) -> bool:
        read = reader.read  # type: ignore[attr-defined]
        if b"\r\ntransfer-encoding: chunked" in seen.head:
            while True:
                size = int(reader.readline() or b"", 16)  # type: ignore[attr-defined]
                piece = read(size)
                seen.body += piece
                if len(piece) < size or read(2) != b"\r\n":
                    return False
                if not size:
                    return True
        length = next((int(line[15:]) for line in seen.head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
        while len(seen.body) < length:
            piece = reader.read1(length - len(seen.body))  # type: ignore[attr-defined]
            if not piece:
                return False
            seen.body += piece
        return True
