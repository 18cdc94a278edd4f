-- Promises: a hold goes out if it is paid, was released before, or its subject has a trial or a period that runs or,
-- where asked to, a credit; a credit is spent once for a hold, however often it is released. A paid one stays for
-- `kept` after each release, so that a broken download can be repeated.
-- KEYS: subject, hold index, hold
-- ARGV: now, hold id, kept, whether credits count (1)
-- Answers: released | unpaid | gone
--@include clock
--@include changed
--@include holds
local expires, paid, released = unpack(redis.call('HMGET', KEYS[3], 'expires', 'paid', 'released'))
if not expires or tonumber(expires) <= now then
  return 'gone'
end
if paid ~= '1' and released == '0' then
  local entitled, credits, trial = unpack(redis.call('HMGET', KEYS[1], 'eu', 'cr', 'te'))
  if math.max(tonumber(entitled or '0'), tonumber(trial or '0')) <= now then
    if ARGV[4] ~= '1' or tonumber(credits or '0') < 1 then
      return 'unpaid'
    end
    redis.call('HINCRBY', KEYS[1], 'cr', -1)
    paid = '1'
  end
end
if released == '0' then
  redis.call('HSET', KEYS[3], 'released', now)
end
if paid == '1' then
  hold_ends(KEYS[2], ARGV[2], now + tonumber(ARGV[3]), true)
end
changed()
return 'released'
