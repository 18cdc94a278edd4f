"""Ports for servers of the tests."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port() -> int:
    """A port nobody listens on, from below those that the kernel gives to outgoing connections: one of these could be
    taken before the server has it."""
    while True:
        port = random.randrange(20_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
