"""The way between a gateway and its store, on which the store is killed at a chosen message.

What one `recv` gives of the gateway's side counts as a message: the gateway sends a verb in one piece and waits for its
answer. It is killed before the message is handed to it, or when its answer has come back here and goes no further.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gateway.store.script import Script

VERBS = Path(__file__).resolve().parents[3] / "gateway" / "store" / "verbs"
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
        self._kill_at, self._after = 0, False
        self.seen = 0
        """Messages since it was armed."""
        self.place = ""
        """At which message it was killed."""
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, kill_at: int, *, after: bool) -> None:
        """Kill the store at this message from now on, before it has it or `after` it has done it."""
        with self._turn:
            self._kill_at, self._after, self.seen, self.place = kill_at, after, 0, ""

    def disarm(self) -> None:
        """Hand everything on."""
        self._kill_at = 0

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
                    data = side.recv(1 << 20)
                    if not data or (side is client and self._is_due(data, store)):
                        return
                    (store if side is client else client).sendall(data)

    def _is_due(self, data: bytes, store: socket.socket) -> bool:
        """Whether this is the message; then the store has been killed."""
        with self._turn:
            if not self._kill_at:
                return False
            self.seen += 1
            if self.seen != self._kill_at:
                return False
            self._kill_at, after = 0, self._after
            self.place = f"{'after' if after else 'before'} {name_of(data)}"
        if after:
            store.sendall(data)
            select.select([store], [], [], _PATIENCE)
        self._kill()
        return True


def name_of(message: bytes) -> str:
    """The command that a message begins with; of a script its verb."""
    words = re.findall(rb"\$\d+\r\n([^\r]*)\r\n", message[:300])
    command = words[0].decode("ascii", "replace").upper() if words else "?"
    if command == "EVALSHA" and len(words) > 1:
        return _verbs().get(words[1].decode("ascii", "replace"), command)
    return command


@cache
def _verbs() -> dict[str, str]:
    scripts = [Script.read(path.stem) for path in sorted(VERBS.glob("*.lua"))]
    return {script.sha: script.name for script in scripts}
