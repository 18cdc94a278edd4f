-- How much of a period that ends at this instant has not been used: no more is there to be taken back, or a later payment
-- would lose what it gave.
local function unused(entry, ends, entitled)
  return math.max(0, math.min(entry.period_ms, ends - now, entitled - now))
end

-- When the period ends here that came with a merge.
local function end_of_merged(from, entitled)
  for _, text in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
    local each = cjson.decode(text)
    if each.kind == 'merge' and each.from == from and each.entitled_until then
      entitled = math.min(entitled, each.entitled_until)
    end
  end
  return entitled
end

-- What a payment gave, as far as taking it back goes; all of it is read here. `is_own` says whether this subject's ledger has
-- the payment.
local function look_at_gift(entry, is_own)
  local entitled, credits = unpack(redis.call('HMGET', KEYS[1], 'eu', 'cr'))
  local what = {entry = entry, entitled = tonumber(entitled or '0'), credits = tonumber(credits or '0')}
  if entry.took_hold then
    what.hold = look_at_hold(KEYS[4], entry.hold)
  end
  if entry.entitled_until then
    local ends = is_own and entry.entitled_until or end_of_merged(ARGV[8], what.entitled)
    what.period = unused(entry, ends, what.entitled)
  end
  if entry.subscription then
    what.name = entry.provider .. ':' .. entry.subscription
    what.subscriptions = look_at_subscriptions(KEYS[5])
    local one = what.subscriptions[what.name]
    -- The others are known where they were entered. Elsewhere a payment that others came after was not the last one.
    local is_last = one and one.paid_until <= entry.paid_until
    what.paid_until = is_own and 0 or is_last and entry.paid_before or one and one.paid_until or 0
    local others, back = {}, {[entry.payment] = true}
    for _, text in ipairs(is_own and redis.call('LRANGE', KEYS[3], 0, -1) or {}) do
      local each = cjson.decode(text)
      if each.kind == 'refund' and each.whole and each.provider == entry.provider then
        back[each.payment] = true
      elseif each.kind == 'payment' and each.subscription == entry.subscription and each.provider == entry.provider then
        others[#others + 1] = each
      end
    end
    for _, each in ipairs(others) do
      if not back[each.payment] then
        what.paid_until = math.max(what.paid_until, each.paid_until)
      end
    end
  end
  return what
end

-- Takes it back, and says so in the entry of the refund.
local function revoke(what, refund)
  local entry = what.entry
  if what.name and what.subscriptions[what.name] then
    what.subscriptions[what.name].paid_until = what.paid_until
    refund.subscription, refund.paid_until = entry.subscription, what.paid_until
    refund.subscribed_until = keep_subscription(KEYS[5], what.name, what.subscriptions)
  elseif entry.entitled_until then
    refund.period_ms, refund.entitled_until = what.period, what.entitled - what.period
    redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', refund.entitled_until))
  end
  local results = math.min((entry.results or 0) - (entry.took_hold and 1 or 0), what.credits)
  if results > 0 then
    refund.results = results
    redis.call('HINCRBY', KEYS[1], 'cr', -results)
  end
  if what.hold and what.hold.size and what.hold.paid and what.hold.released == 0 then
    refund.hold = entry.hold
    hold_ends(KEYS[4], what.hold, now + tonumber(ARGV[9]), false)
  end
end
