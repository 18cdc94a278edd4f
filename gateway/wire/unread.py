"""What the kernel has of a connection that nobody has read yet."""

from __future__ import annotations

import asyncio
import fcntl
import struct
import termios

_NUMBER = struct.Struct("i")


def unread(transport: asyncio.BaseTransport) -> int:
    """Bytes that have come and were not read; 0 where that can't be known."""
    connection = transport.get_extra_info("socket")
    try:
        answer = fcntl.ioctl(connection.fileno(), termios.FIONREAD, bytes(_NUMBER.size))
    except (AttributeError, OSError):
        return 0
    return int(_NUMBER.unpack(answer)[0])
