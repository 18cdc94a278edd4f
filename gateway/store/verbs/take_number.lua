-- Promises: never more credits, or results of a re-access window, than there are; one for one operation however often
-- it is repeated within the time that operations are remembered. What was paid for is entered on the ledger.
-- KEYS: subject, spent operations, void operations, ledger
-- ARGV: now, purse (credit | window), operation, how long operations are remembered
-- Answers: taken | replayed | exhausted, and how many are left
--@include begin_writing
--@include clock
--@include changed
--@include void
--@include ledger
local is_credit = ARGV[2] == 'credit'
local field = is_credit and 'cr' or 'wl'
local ends, left = unpack(redis.call('HMGET', KEYS[1], 'we', field))
left = tonumber(left or '0')
local operation = ARGV[2] .. ':' .. ARGV[3]
if redis.call('ZSCORE', KEYS[2], operation) then
  return {'replayed', left}
end
if left < 1 or is_void(KEYS[3], operation) or (not is_credit and tonumber(ends or '0') <= now) then
  return {'exhausted', 0}
end
begin_passing_write()
redis.call('HINCRBY', KEYS[1], field, -1)
redis.call('ZADD', KEYS[2], now, operation)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
if is_credit then
  enter(KEYS[4], {kind = 'spend', operation = ARGV[3]})
end
changed()
return {'taken', left - 1}
