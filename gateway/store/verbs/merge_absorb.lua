-- Promises: what is in a parcel is the subject's, once for each parcel, for ever. A period is added to its own; results are
-- added; free results that were taken count on; a refusal counts where it has none. Of two trials the one that began first
-- stands: nobody has a second one by signing in. Only where the other one was extended it lasts as long as that.
-- KEYS: subject, marks, ledger, checkout index, note, subscriptions
-- ARGV: now, subject id (empty: it is not known any more), parcel
-- Answers: absorbed | replayed
--@include begin_writing
--@include clock
--@include changed
--@include ledger
--@include retention
--@include subscriptions
--@include unknown
--@include wallet
local sent = cjson.decode(ARGV[3])
local operation = sent.from .. ':' .. string.format('%.0f', sent.number)
local name = mark('merge', operation)
local is_new = redis.call('HEXISTS', KEYS[2], name) == 0
local started, ends, entitled, window, left, declined = unpack(redis.call('HMGET', KEYS[1], 'ts', 'te', 'eu', 'we', 'wl', 'da'))
local subscriptions, wallets = look_at_subscriptions(KEYS[6]), wallets_of()
started, ends, entitled = tonumber(started or '0'), tonumber(ends or '0'), tonumber(entitled or '0')
if started == 0 and had_trial() then
  started, ends = 1, 1  -- it was here, and was forgotten: NO_TRIAL in gateway/ports/state.py
end
local has_window = tonumber(window or '0') > now and tonumber(left or '0') > 0
local extended
for _, text in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  local entry = cjson.decode(text)
  extended = extended or entry.kind == 'extension' or entry.extended
end
local unknown = redis.call('HGET', KEYS[1], 'uc')
local index_lives, marks, purses, checkouts = redis.call('PTTL', KEYS[4]), {}, {}, {}
for _, each in ipairs(sent.marks) do
  if redis.call('HEXISTS', KEYS[2], each) == 0 then
    marks[#marks + 1] = each
  end
end
for _, purse in ipairs(sent.purses) do
  purse.key = KEYS[1] .. ':grace:' .. purse.scope
  local lives = redis.call('PTTL', purse.key)
  purse.lives = (lives == -1 or purse.lives == -1) and -1 or math.max(lives, purse.lives)
  purses[#purses + 1] = purse
end
for _, checkout in ipairs(sent.checkouts) do
  checkout.key = KEYS[1] .. ':checkout:' .. checkout.id
  if redis.call('EXISTS', checkout.key) == 0 then
    checkouts[#checkouts + 1] = checkout
    for place = 1, #checkout.fields, 2 do
      if checkout.fields[place] == 'status' and checkout.fields[place + 1] == 'unknown' then
        unknown = unknown or checkout.id
      end
    end
  end
end

begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'id', ARGV[2])
else
  redis.call('HINCRBY', KEYS[1], 'st', 0)
end
if not is_new then
  return 'replayed'
end
local entry = {kind = 'merge', from = sent.from, operation = operation, period_ms = sent.period_ms, results = sent.results}
if sent.started > 0 then
  local first_ends = (started == 0 or sent.started < started) and sent.ends or ends
  if started > 0 and (extended or sent.extended) then
    -- What was given by hand is not taken away by signing in.
    first_ends = math.max(first_ends, extended and ends or 0, sent.extended and sent.ends or 0)
  end
  started, ends = started == 0 and sent.started or math.min(started, sent.started), first_ends
  redis.call('HSET', KEYS[1], 'ts', string.format('%.0f', started), 'te', string.format('%.0f', ends))
  entry.trial_ends, entry.extended = ends, sent.extended
end
local flat = sent.subscriptions or {}
for place = 1, #flat, 2 do
  local name, other = flat[place], cjson.decode(flat[place + 1])
  local one = subscriptions[name] or other
  local later = other.at > one.at and other or one
  if one.status == 'ended' or other.status == 'ended' then
    later = one.status == 'ended' and one or other  -- what has ended stays so
  end
  one.status, one.at = later.status, later.at
  one.paid_until, one.grace = math.max(one.paid_until, other.paid_until), math.max(one.grace, other.grace)
  subscriptions[name] = one
  entry.subscribed_until = keep_subscription(KEYS[6], name, subscriptions)
end
for currency, amount in pairs(sent.wallets or {}) do
  put_into_wallet(currency, tonumber(wallets[currency] or '0'), tonumber(amount))
  entry.wallets = sent.wallets
end
if sent.period_ms > 0 then
  entitled = math.max(now, entitled) + sent.period_ms
  redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', entitled))
  entry.entitled_until = entitled
end
if (sent.got or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'rn', string.format('%.0f', sent.got))
end
if sent.results > 0 then
  redis.call('HINCRBY', KEYS[1], 'cr', string.format('%.0f', sent.results))
end
if sent.window_ends and not has_window then
  redis.call('HSET', KEYS[1], 'we', string.format('%.0f', sent.window_ends), 'wl', string.format('%.0f', sent.window_left))
end
if sent.declined_at and not declined then
  redis.call('HSET', KEYS[1], 'da', sent.declined_at, 'dr', sent.reason or '')
  if sent.note ~= '' then
    redis.call('SET', KEYS[5], sent.note)
  end
end
for _, purse in ipairs(purses) do
  redis.call('HSET', KEYS[1], 'g:' .. purse.scope, '')
  for place = 1, #purse.taken, 2 do
    redis.call('ZADD', purse.key, purse.taken[place + 1], purse.taken[place])
  end
  if purse.lives >= 0 then
    redis.call('PEXPIRE', purse.key, string.format('%.0f', purse.lives))
  else
    redis.call('PERSIST', purse.key)
  end
end
for _, checkout in ipairs(checkouts) do
  redis.call('HSET', checkout.key, unpack(checkout.fields))
  redis.call('PEXPIRE', checkout.key, string.format('%.0f', checkout.lives))
  redis.call('ZADD', KEYS[4], now + checkout.lives, checkout.id)
  index_lives = math.max(index_lives, checkout.lives)
end
if unknown then
  name_unknown(unknown)
end
if #checkouts > 0 then
  redis.call('PEXPIRE', KEYS[4], string.format('%.0f', index_lives))
end
marks[#marks + 1] = name
enter(KEYS[3], entry, KEYS[2], marks)
changed()
return 'absorbed'
