"""The way between a gateway and its store, on which the store is killed at a chosen message.

What one `recv` gives of the gateway's side counts as a message: the gateway sends a verb in one piece and waits for its
answer. It is killed before the message is handed to it, or when its answer has come back here and goes no further.
"""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gateway.store.transport.script import Script

VERBS = Path(__file__).resolve().parents[3] / "gateway" / "store" / "verbs"
_PIECE = 1 << 20
_PATIENCE = 5.0
"""Seconds that an answer may take. WAITAOF takes one."""


class Relay:
    """Listens on a socket of its own and hands everything on to the store's."""

    def __init__(self, path: Path, store: Path, kill: Callable[[], None]) -> None:
        self._store, self._kill = store, kill
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._turn = threading.Lock()
        self._armed, self._kill_at, self._name, self._after = False, 0, "", False
        self.seen = 0
        """Messages since it was armed."""
        self.place = ""
        """At which message it was killed."""
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, kill_at: int, name: str = "", *, after: bool) -> None:
        """Kill the store at the message of this number from now on, or at the first of this name: before it has it or
        `after` it has done it."""
        with self._turn:
            self._armed, self._kill_at, self._name, self._after = True, kill_at, name, after
            self.seen, self.place = 0, ""

    def disarm(self) -> None:
        """Hand everything on."""
        self._armed = False

    def close(self) -> None:
        """Listen no longer."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as store, contextlib.suppress(OSError):
            store.connect(str(self._store))
            while True:
                for side in select.select([client, store], [], [])[0]:
                    data = side.recv(_PIECE)
                    if not data:
                        return
                    if side is store:
                        client.sendall(data)
                    elif not self._is_due(data):
                        store.sendall(data)
                    elif answer := self._answer(store, data):
                        client.sendall(answer)
                    else:
                        self._kill()
                        return

    def _is_due(self, data: bytes) -> bool:
        """Whether the store is to be killed at this message."""
        with self._turn:
            if not self._armed:
                return False
            self.seen += 1
            name = name_of(data)
            if name != self._name if self._name else self.seen != self._kill_at:
                return False
            self._armed = False
            self.place = f"{'after' if self._after else 'before'} {name}"
            return True

    def _answer(self, store: socket.socket, data: bytes) -> bytes:
        """An answer by which nothing was done, as the verb is not known yet: the next message is meant. Nothing where
        the store is to be killed now."""
        if not self._after:
            return b""
        store.sendall(data)
        select.select([store], [], [], _PATIENCE)
        answer = store.recv(_PIECE, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        if not answer.startswith(b"-NOSCRIPT"):
            return b""
        with self._turn:
            self._armed, self._kill_at, self.place = True, self.seen + 1, ""
        return store.recv(_PIECE)


def name_of(message: bytes) -> str:
    """The command that a message begins with; of a script its verb."""
    _, _, rest = message.partition(b"\r\n")
    words: list[bytes] = []
    while len(words) < 2 and rest.startswith(b"$"):
        length, _, rest = rest[1:].partition(b"\r\n")
        words.append(rest[: int(length)])
        rest = rest[int(length) + 2 :]
    command = words[0].decode("ascii", "replace").upper() if words else "?"
    if command in ("EVAL", "EVALSHA") and len(words) > 1:
        sha = words[1].decode("ascii", "replace")
        if command == "EVAL":
            sha = hashlib.sha1(words[1], usedforsecurity=False).hexdigest()
        return _verbs().get(sha, command)
    return command


@cache
def _verbs() -> dict[str, str]:
    scripts = [Script.read(path.stem) for path in sorted(VERBS.glob("*.lua"))]
    return {script.sha: script.name for script in scripts}
