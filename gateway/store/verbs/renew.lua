-- Promises: a subscription is as the latest report says, however they come; one that has ended stays so. Of two reports of
-- one instant the graver counts. Until when results are open by it changes with it, and the ledger says so.
-- A subscription that is unknown here is to be looked for with the subject that this one was merged into.
-- KEYS: subject, subscriptions, ledger
-- ARGV: now, provider, subscription, status, at, checkout id
-- Answers: changed | replayed | merged-into KEY
--@include begin_writing
--@include clock
--@include changed
--@include ledger
--@include subscriptions
local name, status, at = ARGV[2] .. ':' .. ARGV[3], ARGV[4], tonumber(ARGV[5])
local subscriptions = look_at_subscriptions(KEYS[2])
local one, into = subscriptions[name], redis.call('HGET', KEYS[1], 'mi')
if not one and into then
  return 'merged-into ' .. into
end
one = one or {status = 'active', at = 0, paid_until = 0, grace = 0, checkout = ARGV[6]}
local is_later = status == 'ended' or at > one.at or (at == one.at and RANK[status] > RANK[one.status])
local is_first = one.at == 0

begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HINCRBY', KEYS[1], 'st', 0)
if one.status == 'ended' or not is_later or (status == one.status and not is_first) then
  if is_later and one.status == status then
    one.at = at
    redis.call('HSET', KEYS[2], name, cjson.encode(one))
  end
  return 'replayed'
end
one.status, one.at, subscriptions[name] = status, at, one
local entry = {kind = 'subscription', provider = ARGV[2], subscription = ARGV[3], status = status}
entry.subscribed_until = keep_subscription(KEYS[2], name, subscriptions)
enter(KEYS[3], entry)
changed()
return 'changed'
