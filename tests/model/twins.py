"""Verbs with a fault each: what the machine must find."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from gateway.store import holds, merges, operations, payments, subjects
from gateway.store.transport.script import Script
from tests.store.strict import made


@dataclass(frozen=True)
class Twin:
    """A verb, as its module calls it, in which `wrong` stands for `right`."""

    module: ModuleType
    verb: str
    right: str
    wrong: str = ""

    def script(self) -> Script:
        """The verb with its fault."""
        good = getattr(self.module, self.verb)
        assert good.text.count(self.right) == 1, f"{self.right} is not to be found in {good.name} any more"
        return made(good.name, good.text.replace(self.right, self.wrong))


TWINS = {
    "a payment is known by its event alone": Twin(
        payments, "_SETTLE", "HEXISTS', KEYS[2], name) == 1", "HEXISTS', KEYS[2], name) == 1 and kind == 'event'"
    ),
    "a second period runs from now": Twin(
        payments, "_SETTLE", "math.max(now, tonumber(entitled or '0')) + period", "now + period"
    ),
    "a paid checkout is forgotten": Twin(
        payments, "_SETTLE", "is_anothers = {mark('checkout', checkout)}", "is_anothers = {mark('', checkout)}"
    ),
    "an offer stands after it was paid": Twin(payments, "_OPEN_CHECKOUT", "if paid then", "if false then"),
    "a checkout stays for ever": Twin(payments, "_OPEN_CHECKOUT", "redis.call('PEXPIRE', KEYS[3], ARGV[7])"),
    "a late copy takes a credit": Twin(subjects, "_TAKE_NUMBER", " or is_void(KEYS[3], operation)"),
    "one result too many": Twin(subjects, "_TAKE_GRACE", "used >= count", "used > count"),
    "who declined goes on with grace": Twin(subjects, "_VISIT", " or answer[7] > 0"),
    "the last refusal has the date": Twin(subjects, "_DECLINE", "first or now", "now"),
    "a grant is given with each repeat": Twin(operations, "_GRANT", "KEYS[4], {name})", "KEYS[4], {})"),
    "an extension is not on the ledger": Twin(operations, "_EXTEND", "enter(KEYS[3], {", "pcall(function() end, {"),
    "a credit is given back and not on the ledger": Twin(
        subjects, "_GIVE_BACK_NUMBER", "if is_credit then", "if false then"
    ),
    "a result is spent and not on the ledger": Twin(
        holds, "_RELEASE", "enter(KEYS[4], {kind = 'spend', hold = ARGV[2]})"
    ),
    "a visitor's period runs from now": Twin(
        merges, "_ABSORB", "math.max(now, entitled) + sent.period_ms", "now + sent.period_ms"
    ),
    "signing in brings a second trial": Twin(merges, "_ABSORB", "started == 0 or sent.started < started", "true"),
    "who was erased has a second trial": Twin(
        operations, "_ERASE", "redis.call('HSET', KEYS[1], 'ts', ended, 'te', ended)"
    ),
    "who was erased keeps what was agreed": Twin(
        operations, "_ERASE", "agreed[#agreed + 1] = mark('checkout', entry.checkout)"
    ),
    "what an erasure ends is not on the ledger": Twin(
        operations, "_ERASE", "elseif has_ledger then", "elseif false then"
    ),
    "erasing leaves the purses": Twin(operations, "_ERASE", "if scope then", "if false then"),
    "what was paid before an erasure is credited again": Twin(
        operations, "_DISOWN_PAYMENT", "redis.call('HSET', KEYS[1], ARGV[1], 'erased')"
    ),
    "discarding leaves the chunks": Twin(holds, "_DISCARD", "redis.call('UNLINK', hold.meta .. ':' .. number)"),
    "a hold is kept without all of its chunks": Twin(holds, "_COMMIT", "hold.chunks < #KEYS - 4 or "),
    "growing room counts for nothing": Twin(holds, "_BEGIN", "redis.call('SET', room, ARGV[6], 'PX', ARGV[5])"),
    "a paid hold that nobody came for ends": Twin(payments, "_SETTLE", "    ends = NEVER\n"),
    "a paid hold stays for ever once it was taken": Twin(holds, "_RELEASE", "hold.released = now\n"),
    "a paid hold costs a credit": Twin(holds, "_RELEASE", "if not paid and hold.released", "if hold.released"),
}
