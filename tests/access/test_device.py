"""A browser is known again by a cookie that nobody can make and that says nothing."""

from __future__ import annotations

import re

import pytest

from gateway.access.device import Devices
from gateway.ports.identity import Credentials

DEVICES = Devices(b"k" * 32)


def sent(cookie: bytes) -> Credentials:
    return Credentials([(b"cookie", cookie)], peer_trusted=False)


def test_what_was_made_is_known_among_others() -> None:
    device, cookie = DEVICES.made(secure=True)
    value, *flags = cookie.split(b"; ")
    assert DEVICES.known(sent(b"a=b; " + value + b"; c=d")) == device
    assert flags == [b"Path=/", b"Max-Age=34560000", b"HttpOnly", b"SameSite=Lax", b"Secure"]
    assert b"Secure" not in DEVICES.made(secure=False)[1]
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", device) and DEVICES.made(secure=False)[0] != device


@pytest.mark.parametrize("turn", [0, 5, -1])
def test_what_was_altered_or_made_by_another_is_not(turn: int) -> None:
    value = DEVICES.made(secure=False)[1].split(b"; ")[0].removeprefix(b"paywall_device=")
    forged = bytearray(value)
    forged[turn] = ord("A") if forged[turn] != ord("A") else ord("B")
    assert DEVICES.known(sent(b"paywall_device=" + bytes(forged))) == ""
    assert DEVICES.known(sent(b"paywall_device=" + value + b"x")) == ""
    assert Devices(b"l" * 32).known(sent(b"paywall_device=" + value)) == ""
    assert DEVICES.known(sent(b"paywall_device=" + bytes(forged) + b"; paywall_device=" + value))
    many = b"; ".join([b"paywall_device=" + bytes(forged)] * 8 + [b"paywall_device=" + value])
    assert DEVICES.known(sent(many)) == "", "nobody has us check hundreds"
