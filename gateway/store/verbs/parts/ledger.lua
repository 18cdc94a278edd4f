-- The subject's ledger: a list of JSON objects, append-only. Amounts are decimal strings: a Lua number would round the
-- largest. An entry that must be found again, or must not be made twice, stands under marks: digests, so that a mark has
-- the same few bytes whatever a provider calls its payments. A mark says which entry it is, counted from 1.
local function mark(kind, name)
  return string.sub(redis.sha1hex(kind .. ':' .. name), 1, 16)
end

-- The entry under a mark; nil where there is none.
local function entry_under(ledger, marks, name)
  local number = redis.call('HGET', marks, name)
  local entry = number and redis.call('LINDEX', ledger, number - 1)
  return entry and cjson.decode(entry), entry
end

local function enter(ledger, entry, marks, names)
  entry.at = now
  local number = redis.call('RPUSH', ledger, cjson.encode(entry))
  for _, name in ipairs(names or {}) do
    redis.call('HSET', marks, name, number)
  end
end
