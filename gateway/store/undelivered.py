"""Results that somebody has paid for and nobody came for, found by a walk through the whole store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

from gateway.ports.state import HoldRecord
from gateway.store.holds import read_hold
from gateway.store.keys import key_of
from gateway.store.transport.link import Link

_STEP = 1000
_HOLD = re.compile(rb"pw:\{([^}]+)\}:hold:([^:]+)")


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One of them."""

    subject: str
    """As an operator knows it."""
    record: HoldRecord


async def undelivered(link: Link) -> AsyncIterator[Undelivered]:
    """All of them, in no order; a few of what changes meanwhile may be missing. For operators: it reads every key's
    name. Raises `StoreUnavailable`."""
    for node in await link.look():
        position = b"0"
        while True:
            ((position, keys),) = await node.ask(
                ("SCAN", position, "MATCH", "pw:*:hold:*", "COUNT", _STEP, "TYPE", "hash")
            )
            for key in keys:
                found = _HOLD.fullmatch(key)
                if found is not None and (one := await _read(link, found[1].decode(), found[2].decode())) is not None:
                    yield one
            if position == b"0":
                break


async def _read(link: Link, owner: str, hold: str) -> Undelivered | None:
    key = key_of(owner)
    fields, name = await link.ask(("HGETALL", f"{key}:hold:{hold}"), ("HGET", key, "id"))
    if fields.get(b"paid") != b"1" or fields.get(b"released") != b"0":
        return None
    return Undelivered((name or owner.encode()).decode("utf-8", "replace"), read_hold(hold, fields))
