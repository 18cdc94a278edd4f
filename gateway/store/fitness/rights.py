"""What the gateway's user must be allowed on the server: each command that is sent to it, or that a verb runs there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.keys import CHANGED_CHANNEL, EVENT_STREAM, key_of
from gateway.store.transport.line import Command

_SUBJECT = key_of("doctor")
_ON_A_SUBJECT: tuple[Command, ...] = (
    ("DEL",), ("EXISTS",), ("GET",), ("HDEL", "f"), ("HEXISTS", "f"), ("HGET", "f"), ("HGETALL",),
    ("HINCRBY", "f", 1), ("HKEYS",), ("HMGET", "f"), ("HSET", "f", 1), ("HSETNX", "f", 1), ("LINDEX", 0),
    ("LRANGE", 0, -1), ("PERSIST",),
    ("PEXPIRE", 1), ("PTTL",), ("RPUSH", "e"), ("SET", 1), ("STRLEN",), ("UNLINK",), ("ZADD", 1, "m"), ("ZCARD",),
    ("ZCOUNT", 0, 1), ("ZRANGE", 0, -1), ("ZRANGEBYSCORE", 0, 1), ("ZREM", "m"),
    ("ZREMRANGEBYSCORE", 0, 1), ("ZSCORE", "m"),
)  # fmt: skip
NEEDED: tuple[Command, ...] = (
    *((name, _SUBJECT, *rest) for name, *rest in _ON_A_SUBJECT),
    ("EVAL", "return 1", 1, _SUBJECT),
    ("EVALSHA", "0" * 40, 1, _SUBJECT),
    ("PING",),
    ("PUBLISH", CHANGED_CHANNEL, "doctor"),
    ("SUBSCRIBE", CHANGED_CHANNEL),
    ("TIME",),
    ("WAITAOF", 1, 0, 1),
    ("XADD", EVENT_STREAM, "*", "f", 1),
    ("XREAD", "COUNT", 1, "STREAMS", EVENT_STREAM, "0"),
    ("XREVRANGE", EVENT_STREAM, "+", "-", "COUNT", 1),
)
"""As they are sent, with names of keys and channels like the true ones: a user may have a command and not the key."""


@dataclass(frozen=True, slots=True)
class Denied:
    """What a user may not do of `NEEDED`."""

    commands: tuple[str, ...] = ()
    keys: bool = False
    """Whether it may not get at the gateway's keys."""
    channels: bool = False

    def rules(self) -> str:
        """The rules of an access list that allow it all."""
        rules = [f"+{name.lower()}" for name in self.commands]
        rules += ["~pw:* ~{pw:*"] if self.keys else []
        rules += ["&pw:*"] if self.channels else []
        return " ".join(rules)


def read_denied(answers: Sequence[str]) -> Denied:
    """What is denied, out of what the server says of each of `NEEDED`: OK, or why not."""
    commands, keys, channels = [], False, False
    for (name, *_), said in zip(NEEDED, answers, strict=True):
        if " to access " not in said:
            if said != "OK":
                commands.append(str(name))
        elif said.endswith(" channel"):
            channels = True
        else:
            keys = True
    return Denied(tuple(commands), keys, channels)
