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
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
local provider, event, payment, checkout = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local marks, replayed = {}, false
for kind, id in pairs({e = event, p = payment}) do
  if id ~= '' then
    local mark = kind .. ':' .. provider .. ':' .. id
    replayed = replayed or redis.call('HEXISTS', KEYS[2], mark) == 1
    marks[#marks + 1] = mark
    marks[#marks + 1] = checkout
  end
end
local fields = redis.call('HMGET', KEYS[3], 'offer', 'plan', 'minor', 'currency', 'hold', 'results', 'period', 'status')
local offer, plan, minor, currency, hold_id, results, period, status = unpack(fields)
period, results = tonumber(period or '0'), tonumber(results or '0')
local unmatched_mark = 'u:' .. provider .. ':' .. payment .. ':' .. event
local is_entered = redis.call('HEXISTS', KEYS[2], unmatched_mark) == 1
local is_paid_again = offer and redis.call('HEXISTS', KEYS[2], 'o:' .. offer) == 1
local entitled = tonumber(redis.call('HGET', KEYS[1], 'eu') or '0')
local hold = hold_id and hold_id ~= '' and look_at_hold(KEYS[5], hold_id)
local takes = hold and hold.size and not hold.paid and hold.released == 0
local entry = {
  kind = 'payment', provider = provider, event = event, payment = payment, checkout = checkout,
  amount = ARGV[7], currency = ARGV[8], offer = offer or nil, plan = plan or nil,
}

-- All that is needed has been read: what can fail has failed, and from here on everything is written.
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
begin_writing()
redis.call('HSET', KEYS[1], 'id', ARGV[2])
if replayed then
  return 'replayed'
end
local function unmatched(outcome)
  if not is_entered then
    redis.call('HSET', KEYS[2], unmatched_mark, checkout)
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

redis.call('HSET', KEYS[2], unpack(marks))
redis.call('PERSIST', KEYS[3])
redis.call('ZADD', KEYS[7], '+inf', checkout)
if period == 0 and results == 0 and not takes then
  redis.call('HSET', KEYS[3], 'status', 'surplus', 'payment', payment)
  entry.kind = 'surplus'
  enter(KEYS[4], entry)
  return 'surplus'
end

redis.call('HSET', KEYS[3], 'status', 'paid', 'payment', payment)
if is_paid_again then
  redis.call('HSET', KEYS[3], 'again', '1')
  entry.again = true
else
  redis.call('HSET', KEYS[2], 'o:' .. offer, checkout)
end
if period > 0 then
  entitled = math.max(now, entitled) + period
  redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', entitled))
  entry.period_ms, entry.entitled_until = period, entitled
end
if results > 0 then
  entry.results = results
end
if takes then
  hold_ends(KEYS[5], hold, now + tonumber(ARGV[9]), true)
  redis.call('HSET', KEYS[3], 'took_hold', '1')
  entry.hold = hold_id
end
local credits = takes and results - 1 or results
if results > 0 and credits ~= 0 then
  redis.call('HINCRBY', KEYS[1], 'cr', credits)
end
redis.call('HDEL', KEYS[1], 'da', 'dr')
redis.call('DEL', KEYS[6])
redis.call('HINCRBY', KEYS[1], 'st', 1)
enter(KEYS[4], entry)
changed()
return 'settled'
