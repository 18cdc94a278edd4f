"""Tells the rig that a result handler ran: one datagram `beacon NAME NONCE TARGET`, sent before it answers."""

from __future__ import annotations

import os
import socket

_SOCKET = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def report(nonce: str | None, target: str) -> None:
    """Report one run for this target, as it was received; `-` stands for a request that came without its nonce."""
    name, port = os.environ["UPSTREAM_NAME"], int(os.environ["BEACON_PORT"])
    _SOCKET.sendto(f"beacon {name} {nonce or '-'} {target}".encode("latin-1", "replace"), ("127.0.0.1", port))
