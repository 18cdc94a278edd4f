"""Where the frames of a WebSocket begin, and nothing else of them (RFC 6455 section 5.2)."""

from __future__ import annotations

import struct

_MORE_LENGTH = {126: 2, 127: 8}
_RESTART = struct.pack("!H", 1012)

CLOSE_TO_CLIENT = b"\x88\x02" + _RESTART
CLOSE_TO_APPLICATION = b"\x88\x82\0\0\0\0" + _RESTART
"""The end, code 1012 of IANA's registry (service restart); towards the application masked, by a key of no secrecy."""


FRAMES_AT_ONCE_LIMIT = 1000
"""Of one piece of data. Whoever sends more, of next to nothing each, would keep the gateway busy looking at them."""


class Frames:
    """The frames of one direction, as their bytes pass. What is none is taken for one: it is for others to judge."""

    __slots__ = ("_head", "_left", "_lost")

    def __init__(self) -> None:
        self._head = b""
        """As much of a frame's head as has passed."""
        self._left = 0
        """Bytes to come of its payload."""
        self._lost = False
        """There were so many that nobody looks any more."""

    @property
    def between(self) -> bool:
        """Whether what passes next begins a frame."""
        return not (self._left or self._head or self._lost)

    def feed(self, data: bytes) -> None:
        """These have passed."""
        size = len(data)
        if size < self._left:  # the midst of a great one
            self._left -= size
            return
        at, seen = 0, 0
        while at < size and not self._lost:
            at = self._pass_one(data, at)
            seen += 1
            self._lost = seen > FRAMES_AT_ONCE_LIMIT

    def end_of_first(self, data: bytes) -> int:
        """How many of these bytes belong to the frame that has begun; all of them where it goes on behind them.

        Only these have passed then.
        """
        if self._lost:
            return len(data)
        return 0 if self.between else self._pass_one(data, 0)

    def _pass_one(self, data: bytes, at: int) -> int:
        """Go on to the end of a frame or of the data, whichever comes first."""
        if not self._left:
            at = self._pass_head(data, at)
        step = min(self._left, len(data) - at)
        self._left -= step
        return at + step

    def _pass_head(self, data: bytes, at: int) -> int:
        begun = len(self._head)
        head = self._head + data[at : at + 14 - begun]
        if len(head) >= 2:
            code = head[1] & 0x7F
            payload_at = 2 + _MORE_LENGTH.get(code, 0)
            whole = payload_at + (4 if head[1] & 0x80 else 0)
            if len(head) >= whole:
                self._head = b""
                self._left = int.from_bytes(head[2:payload_at]) if code >= 126 else code
                return at + whole - begun
        self._head = head
        return len(data)
