-- Promises: a payment is credited once, by event and by payment, for ever; only the amount and currency of the checkout
-- count. Every payment gives what the checkout's plan gives, also when its offer had been paid before: a period is added
-- to the current end, results become credits, of which the checkout's hold takes one unless it is paid or given out. A
-- plan that gives neither pays for its hold alone; where that hold needs no payment any more, or is gone, the payment is
-- surplus. Everything the payment changes changes together: the period or the credits, the checkout's hold (then kept
-- for `kept`), the refusal, the ledger. A surplus changes its checkout and the ledger only.
-- A payment that can't be matched is entered on the ledger once and marks nothing: it can be settled when mended.
-- KEYS: subject, paid marks, checkout, ledger, hold index, note, checkout index
-- ARGV: now, subject id, provider, event, payment, checkout id, amount, currency, kept
-- Answers: settled | surplus | replayed | mismatch | unknown-checkout
--@include clock
--@include changed
--@include holds
--@include ledger
local provider, event, payment, checkout = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])

local marks = {}
for kind, id in pairs({e = event, p = payment}) do
  if id ~= '' then
    marks[#marks + 1] = kind .. ':' .. provider .. ':' .. id
  end
end
for _, mark in ipairs(marks) do
  if redis.call('HEXISTS', KEYS[2], mark) == 1 then
    return 'replayed'
  end
end

local fields = redis.call('HMGET', KEYS[3], 'offer', 'plan', 'minor', 'currency', 'hold', 'results', 'period', 'status')
local offer, plan, minor, currency, hold, results, period, status = unpack(fields)
local entry = {
  kind = 'payment', provider = provider, event = event, payment = payment, checkout = checkout,
  amount = ARGV[7], currency = ARGV[8], offer = offer or nil, plan = plan or nil,
}
local function unmatched(outcome)
  if redis.call('HSETNX', KEYS[2], 'u:' .. provider .. ':' .. payment .. ':' .. event, checkout) == 1 then
    entry.kind = outcome
    enter(KEYS[4], entry)
  end
  return outcome
end
if not offer then
  return unmatched('unknown-checkout')
end
if minor ~= ARGV[7] or currency ~= ARGV[8] then
  if status == 'open' then
    redis.call('HSET', KEYS[3], 'status', 'mismatch')
  end
  return unmatched('mismatch')
end

for _, mark in ipairs(marks) do
  redis.call('HSET', KEYS[2], mark, checkout)
end
redis.call('PERSIST', KEYS[3])
redis.call('ZADD', KEYS[7], '+inf', checkout)
period, results = tonumber(period), tonumber(results)
local takes = false
if hold ~= '' then
  local paid, released = unpack(redis.call('HMGET', KEYS[1] .. ':hold:' .. hold, 'paid', 'released'))
  takes = paid == '0' and released == '0'
end
if period == 0 and results == 0 and not takes then
  redis.call('HSET', KEYS[3], 'status', 'surplus', 'payment', payment)
  entry.kind = 'surplus'
  enter(KEYS[4], entry)
  return 'surplus'
end

redis.call('HSET', KEYS[3], 'status', 'paid', 'payment', payment)
if redis.call('HSETNX', KEYS[2], 'o:' .. offer, checkout) == 0 then
  redis.call('HSET', KEYS[3], 'again', '1')
  entry.again = true
end
if period > 0 then
  local current = tonumber(redis.call('HGET', KEYS[1], 'eu') or '0')
  local entitled = math.max(now, current) + period
  redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', entitled))
  entry.period_ms, entry.entitled_until = period, entitled
end
if results > 0 then
  redis.call('HINCRBY', KEYS[1], 'cr', results)
  entry.results = results
end
if takes then
  hold_ends(KEYS[5], hold, now + tonumber(ARGV[9]), true)
  if results > 0 then
    redis.call('HINCRBY', KEYS[1], 'cr', -1)
  end
  redis.call('HSET', KEYS[3], 'took_hold', '1')
  entry.hold = hold
end
redis.call('HDEL', KEYS[1], 'da', 'dr')
redis.call('DEL', KEYS[6])
redis.call('HINCRBY', KEYS[1], 'st', 1)
enter(KEYS[4], entry)
changed()
return 'settled'
