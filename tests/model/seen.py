"""All that a server holds, read past the gateway's own ways of reading; and time that passes for its keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.ports.cashbook import CheckoutRecord
from gateway.ports.state import HoldRecord
from gateway.store.holds import read_hold
from gateway.store.payments import read_checkout, read_entry, read_paid
from gateway.store.transport.link import Link

READ_ALL = """\
local read = {
  hash = {'HGETALL'}, zset = {'ZRANGE', 0, -1, 'WITHSCORES'}, list = {'LRANGE', 0, -1}, string = {'GET'},
}
local seen = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local how = read[redis.call('TYPE', key).ok]
  seen[#seen + 1] = {key, redis.call('PTTL', key), redis.call(how[1], key, unpack(how, 2))}
end
return seen
"""

PASS_TIME = """\
local by = tonumber(ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 and left <= by then
    redis.call('DEL', key)
  elseif left >= 0 then
    redis.call('PEXPIRE', key, left - by)
  end
end
"""


@dataclass(frozen=True)
class Key:
    """One key of the server: what it is called behind the subject's tag, milliseconds it has left (-1: for ever)."""

    name: str
    left: int
    content: Any


@dataclass(frozen=True)
class Seen:
    """Everything there is."""

    keys: dict[str, Key]
    strange: list[str]
    """Keys that are not the subject's."""

    def holds(self) -> dict[str, HoldRecord]:
        """The committed holds."""
        return {name: read_hold(name, _pairs(key.content)) for name, key in self._under("hold:") if ":" not in name}

    def chunks(self) -> dict[tuple[str, int], Key]:
        """The chunks of holds, committed or not."""
        split = ((name.split(":"), key) for name, key in self._under("hold:") if ":" in name)
        return {(hold, int(number)): key for (hold, number), key in split if number != "room"}

    def checkouts(self) -> dict[str, CheckoutRecord]:
        """The checkouts: those that are open, and those that the ledger has as paid."""
        entries = self.ledger()
        erased = max((place for place, entry in enumerate(entries) if entry["kind"] == "erasure"), default=-1)
        paid = (entry for entry in entries[erased + 1 :] if entry["kind"] in ("payment", "surplus", "refunded"))
        opened = {name: read_checkout(_pairs(key.content)) for name, key in self._under("checkout:")}
        return {str(entry["checkout"]): read_paid(entry) for entry in paid} | opened

    def open_checkouts(self) -> set[str]:
        """Those that have a key of their own."""
        return {name for name, _ in self._under("checkout:")}

    def fields(self) -> dict[str, bytes]:
        """The subject itself."""
        found = _pairs(self.keys[""].content) if "" in self.keys else {}
        return {name.decode(): value for name, value in found.items()}

    def ledger(self) -> list[dict[str, object]]:
        """The entries, oldest first."""
        return [read_entry(entry) for entry in self.keys["ledger"].content] if "ledger" in self.keys else []

    def members(self, name: str) -> dict[str, float]:
        """A sorted set; empty where there is none."""
        found = _pairs(self.keys[name].content) if name in self.keys else {}
        return {member.decode(): float(score) for member, score in found.items()}

    def _under(self, prefix: str) -> Iterator[tuple[str, Key]]:
        return ((name.removeprefix(prefix), key) for name, key in self.keys.items() if name.startswith(prefix))


async def look(link: Link, tag: str, others: Sequence[str] = ()) -> Seen:
    """What the server holds now. `tag` is the subject's own key; `others` are those of whoever may be there besides."""
    (answer,) = await link.ask(("EVAL", READ_ALL, 0))
    found = {name.decode(): (left, content) for name, left, content in answer}
    own = {name: each for name, each in found.items() if name == tag or name.startswith(f"{tag}:")}
    keys = {name[len(tag) + 1 :]: Key(name[len(tag) + 1 :], *each) for name, each in own.items()}
    known = ("pw:payments:", *others)
    return Seen(keys, sorted(name for name in found.keys() - own.keys() if not name.startswith(known)))


async def pass_time(link: Link, by_ms: int) -> None:
    """Let every key of the server have so much less to live, as if that time had passed for it."""
    await link.ask(("EVAL", PASS_TIME, 0, by_ms))


def _pairs(flat: Sequence[bytes]) -> dict[bytes, bytes]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
