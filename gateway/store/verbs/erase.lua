-- Promises: nothing is left of the subject here, and no other gateway process goes on with what it remembers. Every key is
-- found from the subject's own indexes (all in one slot), without a walk through the store.
-- KEYS: subject, hold index, reservations, checkout index, spent operations, void operations, marks, ledger, note
-- ARGV: none
-- Answers: 1 when something was known of the subject, else 0
--@include changed
--@include holds
local known = redis.call('EXISTS', unpack(KEYS))
local holds, others = {}, {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  holds[#holds + 1] = look_at_hold(KEYS[2], string.match(member, '^%d+:%a:(.+)$'))
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  holds[#holds + 1] = look_at_hold(KEYS[2], id)
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  others[#others + 1] = KEYS[1] .. ':checkout:' .. id
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  local scope = string.match(field, '^g:(.*)$')
  if scope then
    others[#others + 1] = KEYS[1] .. ':grace:' .. scope
  end
end
for _, key in ipairs(others) do
  redis.call('EXISTS', key)  -- whatever may fail fails before anything is gone
end

for _, hold in ipairs(holds) do
  drop_hold(KEYS[2], KEYS[3], hold)
end
for _, key in ipairs(others) do
  redis.call('UNLINK', key)
end
redis.call('UNLINK', unpack(KEYS))
changed()
return known > 0 and 1 or 0
