-- Promises: nothing personal is left of the subject, and no other gateway process goes on with what it remembers. What was
-- paid for ends, and the ledger says what that was. What stays: that there was a trial, so that there is no second one;
-- when it was erased; how many payments there were; whom it was merged into; the ledger, with the marks by which a payment or a gift is known
-- again, unless it is to go, too. Checkouts are forgotten, paid or not: money that comes for one later is entered on the
-- ledger and credits nobody. Every key is found from the subject's own indexes (all in one slot), without a walk through
-- the store.
-- KEYS: subject, marks, ledger, hold index, reservations, checkout index, spent operations, void operations, note, parcel,
--       subscriptions
-- ARGV: now, 1 if the ledger goes, too, how many entries the ledger had when it was seen who was merged into this one
-- Answers: erased | already-erased | unknown | changed (nothing: the ledger has other entries)
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
--@include wallet
local STAYS = {ts = true, te = true, ea = true, st = true, mi = true, mn = true}
local has_ledger, loses_ledger = redis.call('EXISTS', KEYS[2], KEYS[3]) > 0, ARGV[2] == '1'
local entries = redis.call('LRANGE', KEYS[3], 0, -1)
local fields, flat = {}, redis.call('HGETALL', KEYS[1])
local is_personal = redis.call('EXISTS', unpack(KEYS, 4)) > 0 or (has_ledger and loses_ledger)
local holds, others, agreed = {}, {}, {}
local wallets, has_money = wallets_of()
for place = 1, #flat, 2 do
  local name = flat[place]
  fields[name] = flat[place + 1]
  is_personal = is_personal or not STAYS[name] or (name == 'te' and tonumber(fields.te) > now)
  local scope = string.match(name, '^g:(.*)$')
  if scope then
    others[#others + 1] = KEYS[1] .. ':grace:' .. scope
  end
end
for _, member in ipairs(redis.call('ZRANGE', KEYS[4], 0, -1)) do
  holds[#holds + 1] = look_at_hold(KEYS[4], string.match(member, '^%d+:%a:(.+)$'))
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
  holds[#holds + 1] = look_at_hold(KEYS[4], id)
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[6], 0, -1)) do
  others[#others + 1] = KEYS[1] .. ':checkout:' .. id
end
for _, key in ipairs(others) do
  redis.call('EXISTS', key)  -- whatever may fail fails before anything is gone
end
for _, text in ipairs(entries) do
  local entry = cjson.decode(text)
  if entry.offer then
    agreed[#agreed + 1] = mark('checkout', entry.checkout)
    agreed[#agreed + 1] = mark('offer', entry.offer)
  end
end
if #entries ~= tonumber(ARGV[3]) then
  return 'changed'
elseif #flat == 0 and not has_ledger and not is_personal then
  return 'unknown'
end

begin_writing()
if fields.ea and not is_personal then
  -- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
  redis.call('HSET', KEYS[1], 'ea', fields.ea)
  return 'already-erased'
end
for _, hold in ipairs(holds) do
  drop_hold(KEYS[4], KEYS[5], hold)
end
for _, key in ipairs(others) do
  redis.call('UNLINK', key)
end
redis.call('UNLINK', KEYS[1], unpack(KEYS, 4))
redis.call('HSET', KEYS[1], 'ea', string.format('%.0f', now))
if fields.ts then
  local ended = string.format('%.0f', math.min(tonumber(fields.te or '0'), now))
  redis.call('HSET', KEYS[1], 'ts', ended, 'te', ended)
end
for _, name in ipairs({'mi', 'mn'}) do
  if fields[name] then
    redis.call('HSET', KEYS[1], name, fields[name])
  end
end
if loses_ledger then
  redis.call('UNLINK', KEYS[2], KEYS[3])
elseif has_ledger then
  if fields.st then
    redis.call('HSET', KEYS[1], 'st', fields.st)
  end
  for _, name in ipairs(agreed) do
    redis.call('HDEL', KEYS[2], name)
  end
  local left = math.max(tonumber(fields.eu or '0') - now, 0)
  enter(KEYS[3], {
    kind = 'erasure', period_ms = left, results = tonumber(fields.cr or '0'), wallets = has_money and wallets or nil,
    subscribed_until = fields.su and 0 or nil,
  })
end
changed()
return 'erased'
