-- A subject's subscriptions: a hash of JSON objects, by provider and the provider's id. Until when results are open by
-- them stands on the subject as `su`, so that whoever reads it reads one date.
local RANK = {active = 1, ['past-due'] = 2, cancelled = 3, ended = 4}

-- All of them as they stand; `changed` stands for the one of that name.
local function look_at_subscriptions(hash)
  local found, flat = {}, redis.call('HGETALL', hash)
  for place = 1, #flat, 2 do
    found[flat[place]] = cjson.decode(flat[place + 1])
  end
  return found
end

-- One that goes on may be a little late with its next payment.
local function open_until(subscription)
  local goes_on = RANK[subscription.status] < RANK.cancelled
  return subscription.paid_until > 0 and subscription.paid_until + (goes_on and subscription.grace or 0) or 0
end

local function subscribed_until(subscriptions)
  local latest = 0
  for _, subscription in pairs(subscriptions) do
    latest = math.max(latest, open_until(subscription))
  end
  return latest
end

local function keep_subscription(hash, name, subscriptions)
  redis.call('HSET', hash, name, cjson.encode(subscriptions[name]))
  local latest = subscribed_until(subscriptions)
  redis.call('HSET', KEYS[1], 'su', string.format('%.0f', latest))
  return latest
end
