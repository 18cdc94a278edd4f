-- Promises: a payment is credited once, by event and by payment, for ever; only the amount and currency of the checkout
-- count. Every payment gives what the checkout's plan gives, also when its offer had been paid before: a period is added
-- to the current end, results become credits, of which the checkout's hold takes one unless it is paid or given out. A
-- plan that gives neither pays for its hold alone; where that hold needs no payment any more, or is gone, the payment is
-- surplus. Everything the payment changes changes together: the period or the credits, the checkout's hold (then kept
-- until somebody comes for it), the refusal, the ledger, on which the checkout itself stands from now on. A surplus changes the ledger
-- only. A payment that can't be matched is entered on the ledger once and can be settled when mended. Without a subject id
-- (the subject was erased, or was never here) nothing is known to credit: it is entered, or known from before.
-- A checkout that is unknown here is to be looked for with the subject that this one was merged into, and what is given
-- for one that had been paid before is to follow it there.
-- KEYS: subject, marks, checkout, ledger, hold index, note, checkout index
-- ARGV: now, subject id, provider, event, payment, checkout id, amount, currency, 1 if it may lead on
-- Answers: settled | surplus | replayed | mismatch | unknown-checkout | merged-into KEY | settled or replayed KEY (that follows)
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
--@include checkout
local provider, event, payment, checkout = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local names, replayed, follows = {mark('checkout', checkout)}, false, false
for kind, id in pairs({event = event, payment = payment}) do
  if id ~= '' then
    local name = mark(kind, provider .. ':' .. id)
    replayed = replayed or redis.call('HEXISTS', KEYS[2], name) == 1
    local known = entry_under(KEYS[4], KEYS[2], name)
    follows = follows or (known and known.again)
    names[#names + 1] = name
  end
end
local before = entry_under(KEYS[4], KEYS[2], names[1])
local agreed = look_at_checkout(KEYS[3], before)
local offer = agreed.offer and mark('offer', agreed.offer)
local is_paid_again = offer and redis.call('HEXISTS', KEYS[2], offer) == 1
local unmatched = mark('unmatched', provider .. ':' .. payment .. ':' .. event)
local is_entered = redis.call('HEXISTS', KEYS[2], unmatched) == 1
local into = ARGV[9] == '1' and redis.call('HGET', KEYS[1], 'mi')
local entitled = tonumber(redis.call('HGET', KEYS[1], 'eu') or '0')
local hold = agreed.hold and look_at_hold(KEYS[5], agreed.hold)
local takes = hold and hold.size and not hold.paid and hold.released == 0
local entry = {
  kind = 'payment', provider = provider, event = event, payment = payment, checkout = checkout,
  amount = ARGV[7], currency = ARGV[8], offer = agreed.offer, plan = agreed.plan,
}

-- All that is needed has been read: what can fail has failed, and from here on everything is written.
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
begin_writing()
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'id', ARGV[2])
else
  redis.call('HINCRBY', KEYS[1], 'st', 0)
end
if replayed then
  -- Whoever reported it before may have been cut off before it had followed.
  return into and follows and 'replayed ' .. into or 'replayed'
end
if not offer and into then
  return 'merged-into ' .. into
end
local outcome = not offer and 'unknown-checkout'
  or (agreed.minor ~= ARGV[7] or agreed.currency ~= ARGV[8]) and 'mismatch'
if outcome then
  if agreed.status == 'open' then
    redis.call('HSET', KEYS[3], 'status', 'mismatch')
  end
  if not is_entered then
    entry.kind = outcome
    enter(KEYS[4], entry, KEYS[2], {unmatched})
  end
  return outcome
end

redis.call('UNLINK', KEYS[3])
redis.call('ZREM', KEYS[7], checkout)
entry.created, entry.route, entry.hold = tonumber(agreed.created), agreed.route, agreed.hold
entry.took_hold = takes or nil
entry.took_hold_before = before and (before.took_hold or before.took_hold_before) or nil
local period, results = agreed.period, agreed.results
if period == 0 and results == 0 and not takes then
  entry.kind = 'surplus'
  enter(KEYS[4], entry, KEYS[2], names)
  return 'surplus'
end

if is_paid_again then
  entry.again = true
else
  names[#names + 1] = offer
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
  hold_ends(KEYS[5], hold, hold.expires, true)
end
local credits = takes and results - 1 or results
if results > 0 and credits ~= 0 then
  redis.call('HINCRBY', KEYS[1], 'cr', credits)
end
redis.call('HDEL', KEYS[1], 'da', 'dr')
redis.call('DEL', KEYS[6])
redis.call('HINCRBY', KEYS[1], 'st', 1)
enter(KEYS[4], entry, KEYS[2], names)
changed()
return into and before and 'settled ' .. into or 'settled'
