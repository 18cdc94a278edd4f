-- Promises: a payment is credited once, by event and by payment, for ever; only the amount and currency of the checkout
-- count. Every payment gives what the checkout's plan gives, also when its offer had been paid before: a period is added
-- to the current end, results become credits, of which the checkout's hold takes one unless it is paid or given out. A
-- plan that gives neither pays for its hold alone; where that hold needs no payment any more, or is gone, the payment is
-- surplus. Everything the payment changes changes together: the period or the credits, the checkout's hold (then kept
-- until somebody comes for it), the refusal, the ledger, on which the checkout itself stands from now on. A surplus changes the ledger
-- only. A payment that can't be matched is entered on the ledger once and can be settled when mended. Without a subject id
-- (the subject was erased, or was never here) nothing is known to credit: it is entered, or known from before.
-- A checkout that is unknown here is to be looked for with the subject that this one was merged into, and what is given
-- for one that had been paid before is to follow it there. A payment of a subscription lets it be paid until the date that
-- the provider names, or for another period. One that went back before it was reported gives nothing. Out of the wallet it
-- is taken in the same instant, and never more than is in it.
-- KEYS: subject, marks, checkout, ledger, hold index, note, checkout index, subscriptions
-- ARGV: now, subject id, provider, event, payment, checkout id, amount, currency, 1 if it may lead on, subscription (may be
--       empty), paid until (0: not named), what was charged, 1 if it comes out of the wallet
-- Answers: settled | surplus | needless | refunded | insufficient | replayed | mismatch | unknown-checkout | merged-into KEY | settled
--          or replayed KEY (that follows)
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
--@include checkout
--@include subscriptions
--@include wallet
local provider, event, payment, checkout = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local names, replayed, follows, is_anothers = {mark('checkout', checkout)}, false, false, false
for kind, id in pairs({event = event, payment = payment}) do
  if id ~= '' then
    local name = mark(kind, provider .. ':' .. id)
    local is_known, known = redis.call('HEXISTS', KEYS[2], name) == 1, entry_under(KEYS[4], KEYS[2], name)
    -- An event that was reported of one payment says nothing of another one, whose money came, too.
    if kind == 'event' and payment ~= '' and known and (known.payment or '') ~= '' and known.payment ~= payment then
      is_anothers = true
    else
      replayed = replayed or is_known
    end
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
local entitled, unknown = unpack(redis.call('HMGET', KEYS[1], 'eu', 'uc'))
local is_refunded = payment ~= '' and redis.call('HEXISTS', KEYS[2], mark('gone', provider .. ':' .. payment)) == 1
local named = ARGV[10] ~= '' and provider .. ':' .. ARGV[10]
local subscriptions = named and look_at_subscriptions(KEYS[8])
local from_wallet = ARGV[13] == '1'
local balance = from_wallet and in_wallet(ARGV[8]) or 0
local hold = agreed.hold and look_at_hold(KEYS[5], agreed.hold)
local takes = hold and hold.size and not hold.paid and hold.released == 0
local entry = {
  kind = 'payment', provider = provider, event = event, payment = payment, checkout = checkout,
  amount = ARGV[7], currency = ARGV[8], offer = agreed.offer, plan = agreed.plan,
  charged = ARGV[12] ~= ARGV[7] and ARGV[12] or nil, from_wallet = from_wallet or nil,
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
if unknown == checkout then
  redis.call('HDEL', KEYS[1], 'uc')
end
local outcome = not offer and 'unknown-checkout'
  or (is_anothers or agreed.minor ~= ARGV[7] or agreed.currency ~= ARGV[8]) and 'mismatch'
if from_wallet and not outcome and balance < tonumber(ARGV[7]) then
  return 'insufficient'
end
if outcome and from_wallet then
  return outcome  -- nothing was taken, so there is nothing to enter
end
if outcome then
  if agreed.status and agreed.status ~= 'paid' then
    redis.call('HSET', KEYS[3], 'status', 'mismatch')
  end
  if not is_entered then
    entry.kind = outcome
    enter(KEYS[4], entry, KEYS[2], {unmatched})
  end
  return outcome
end

entry.created, entry.route, entry.hold = tonumber(agreed.created), agreed.route, agreed.hold
entry.renews, entry.grace = agreed.renews, agreed.grace > 0 and agreed.grace or nil
entry.took_hold = takes or nil
entry.took_hold_before = before and (before.took_hold or before.took_hold_before) or nil
local period, results = agreed.period, agreed.results
if from_wallet and not is_refunded and period == 0 and results == 0 and not takes then
  return 'needless'  -- nothing is taken for nothing
end
redis.call('UNLINK', KEYS[3])
redis.call('ZREM', KEYS[7], checkout)
if is_refunded then
  entry.kind, entry.period_ms, entry.results = 'refunded', period > 0 and period or nil, results > 0 and results or nil
  redis.call('HINCRBY', KEYS[1], 'st', 1)  -- whoever wants it after all gets another offer
  enter(KEYS[4], entry, KEYS[2], names)
  changed()
  return 'refunded'
end
if period == 0 and results == 0 and not takes then
  entry.kind = 'surplus'
  enter(KEYS[4], entry, KEYS[2], names)
  return 'surplus'
end

if is_paid_again and not (named and before and before.subscription == ARGV[10]) then
  entry.again = true
elseif not is_paid_again then
  names[#names + 1] = offer
end
if from_wallet then
  put_into_wallet(ARGV[8], balance, -tonumber(ARGV[7]))
end
if named then
  -- Who reported it first, a status or a payment, is all the same.
  local one = subscriptions[named] or {status = 'active', at = 0, paid_until = 0, plan = agreed.plan, checkout = checkout}
  local paid_until = tonumber(ARGV[11])
  if paid_until == 0 then
    paid_until = math.max(now, one.paid_until) + period
  end
  entry.paid_before = one.paid_until
  one.paid_until, one.grace = math.max(one.paid_until, paid_until), agreed.grace
  one.plan, one.checkout = agreed.plan, checkout
  subscriptions[named] = one
  entry.subscription, entry.paid_until, entry.period_ms = ARGV[10], paid_until, period
  entry.subscribed_until = keep_subscription(KEYS[8], named, subscriptions)
elseif period > 0 then
  local ends = math.max(now, tonumber(entitled or '0')) + period
  redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', ends))
  entry.period_ms, entry.entitled_until = period, ends
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
