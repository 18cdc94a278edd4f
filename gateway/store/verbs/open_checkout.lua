-- Promises: one checkout for one id; none for an offer that has been paid, none for an offer made before the last
-- payment. What is about to be paid for does not expire under the hand: the hold is kept for `hold kept` at least.
-- KEYS: subject, paid marks, checkout, checkout index, hold index
-- ARGV: now, subject id, checkout id, offer, hold, settled, kept, hold kept, then names and values of the checkout's fields
-- Answers: opened | reopened | already-paid | outdated, and the fields of the checkout that stands (may be empty)
--@include clock
--@include holds
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])
local paid_by = redis.call('HGET', KEYS[2], 'o:' .. ARGV[4])
if paid_by then
  return {'already-paid', redis.call('HGETALL', KEYS[1] .. ':checkout:' .. paid_by)}
end
local record = redis.call('HGETALL', KEYS[3])
if ARGV[6] ~= (redis.call('HGET', KEYS[1], 'st') or '0') then
  return {'outdated', record}
end
local outcome = 'reopened'
if #record == 0 then
  outcome = 'opened'
  redis.call('HSET', KEYS[3], unpack(ARGV, 9))
  if redis.call('HGET', KEYS[3], 'created') == '0' then
    redis.call('HSET', KEYS[3], 'created', now)
  end
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
  redis.call('ZADD', KEYS[4], now + ARGV[7], ARGV[3])
  record = redis.call('HGETALL', KEYS[3])
end
if ARGV[5] ~= '' then
  local expires, paid = unpack(redis.call('HMGET', KEYS[1] .. ':hold:' .. ARGV[5], 'expires', 'paid'))
  if expires and paid ~= '1' and tonumber(expires) < now + ARGV[8] then
    hold_ends(KEYS[5], ARGV[5], now + ARGV[8], false)
  end
end
return {outcome, record}
