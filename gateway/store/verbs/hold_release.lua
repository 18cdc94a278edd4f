-- Promises: a hold goes out if it is paid, was released before, or its subject has a trial or a period that runs or,
-- where asked to, a credit; a credit is spent once for a hold, however often it is released. A paid one, which stays
-- for ever until then, stays for `kept` after each release, so that a broken download can be repeated.
-- KEYS: subject, hold index, hold, ledger
-- ARGV: now, hold id, kept, whether credits count (1)
-- Answers: released | unpaid | gone
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
local hold = look_at_hold(KEYS[2], ARGV[2])
if hold.expires <= now then
  return 'gone'
end
local paid, costs = hold.paid, false
if not paid and hold.released == 0 then
  local entitled, credits, trial, subscribed = unpack(redis.call('HMGET', KEYS[1], 'eu', 'cr', 'te', 'su'))
  if math.max(tonumber(entitled or '0'), tonumber(trial or '0'), tonumber(subscribed or '0')) <= now then
    if ARGV[4] ~= '1' or tonumber(credits or '0') < 1 then
      return 'unpaid'
    end
    paid, costs = true, true
  end
end
begin_passing_write()
if costs then
  redis.call('HINCRBY', KEYS[1], 'cr', -1)
  enter(KEYS[4], {kind = 'spend', hold = ARGV[2]})
end
if hold.released == 0 then
  hold.released = now
  redis.call('HSET', KEYS[3], 'released', now)
end
if paid then
  hold_ends(KEYS[2], hold, now + tonumber(ARGV[3]), true)
end
changed()
return 'released'
