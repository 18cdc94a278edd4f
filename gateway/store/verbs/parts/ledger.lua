-- Appends to the subject's ledger. Amounts are decimal strings: a Lua number would round the largest.
local function enter(ledger, entry)
  entry.at = now
  redis.call('RPUSH', ledger, cjson.encode(entry))
end
