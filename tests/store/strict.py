"""Verbs that refuse to be stopped half-way: nothing that may fail comes after the first write.

What can fail in a verb that the server has begun fails where it reads: a key that another node has by now, one that
holds something else, a lack of memory. So a verb reads all it needs, and then writes. Every verb of these tests runs
with a watch in front of it that lets it do nothing else.
"""

from __future__ import annotations

import hashlib

from gateway.store.transport.script import Script

READING = "EXISTS GET HEXISTS HGET HGETALL HKEYS HMGET LINDEX LRANGE PTTL TIME ZCARD ZCOUNT ZRANGE ZRANGEBYSCORE ZSCORE"
WRITING = (
    "DEL HDEL HINCRBY HSET PERSIST PEXPIRE PUBLISH RPUSH SET UNLINK XADD ZADD ZREM ZREMRANGEBYRANK ZREMRANGEBYSCORE"
)
_WITHOUT_KEYS = "TIME PUBLISH"
_MANY_KEYS = "DEL EXISTS UNLINK"

_WATCH = """\
local redis = (function(real)
  local seen, has_written = {}, false
  for _, key in ipairs(KEYS) do
    seen[key] = true
  end
  local function is_one_of(name, names)
    return string.find(names, ' ' .. name .. ' ', 1, true) ~= nil
  end
  local function keys_of(name, ...)
    if is_one_of(name, WITHOUT_KEYS) then
      return {}
    end
    return is_one_of(name, MANY_KEYS) and {...} or {(...)}
  end
  local function call(name, ...)
    if is_one_of(name, READING) then
      if has_written then
        error(name .. ' comes after the first write')
      end
      for _, key in ipairs(keys_of(name, ...)) do
        seen[key] = true
      end
    elseif is_one_of(name, WRITING) then
      has_written = true
      for _, key in ipairs(keys_of(name, ...)) do
        if not seen[key] then
          error(name .. ' writes ' .. key .. ', which was neither declared nor read')
        end
      end
    else
      error(name .. ' is no command that the watch knows')
    end
    return real.call(name, ...)
  end
  return setmetatable({call = call}, {__index = real})
end)(redis)
"""


def strict(script: Script) -> Script:
    """The same verb, with the watch in front of it."""
    text = _WATCH
    named = {"WITHOUT_KEYS": _WITHOUT_KEYS, "MANY_KEYS": _MANY_KEYS, "READING": READING, "WRITING": WRITING}
    for name, commands in named.items():
        text = text.replace(name, f"' {commands} '")
    return made(script.name, text + script.text)


def made(name: str, text: str) -> Script:
    """A verb of this text."""
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
