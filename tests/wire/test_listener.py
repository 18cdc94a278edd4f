"""What connections have from their listener."""

from __future__ import annotations

import socket
from contextlib import closing

import pytest

from gateway.wire.serve import UNSENT_BYTES_LIMIT, listen

MEGABYTE = 2**20


def kept_for_who_does_not_read(listener: socket.socket) -> int:
    """How many bytes the kernel takes for a client that reads nothing."""
    with closing(listener), socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        connection, _ = listener.accept()
        with connection:
            connection.setblocking(False)
            kept = 0
            try:
                while kept < 64 * MEGABYTE:
                    kept += connection.send(bytes(65536))
            except BlockingIOError:
                return kept
    return kept


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system's kernel keeps what it likes")
def test_little_of_an_answer_is_kept_for_who_does_not_read() -> None:
    assert kept_for_who_does_not_read(listen("127.0.0.1", 0)) <= UNSENT_BYTES_LIMIT + 2 * 65536
    assert kept_for_who_does_not_read(socket.create_server(("127.0.0.1", 0))) > MEGABYTE, "the difference is ours"


def test_the_newer_protocol_is_listened_to_as_well() -> None:
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with closing(listen("::1", 0)) as listener:
        assert listener.family is socket.AF_INET6
