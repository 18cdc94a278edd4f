-- Promises: never more than `count` results of one purse within the window, whoever asks at the same time, and one
-- for one operation however often it is repeated. The purse holds the operations themselves, so nothing can drift.
-- KEYS: subject, grace purse
-- ARGV: now, subject id, operation, scope, count, window (0: for ever)
-- Answers: taken | replayed | exhausted, and how many are left
--@include clock
--@include changed
local count, window = tonumber(ARGV[5]), tonumber(ARGV[6])
if window > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - window)
end
local used = redis.call('ZCARD', KEYS[2])
if redis.call('ZSCORE', KEYS[2], ARGV[3]) then
  return {'replayed', math.max(count - used, 0)}
end
if used >= count then
  return {'exhausted', 0}
end
redis.call('ZADD', KEYS[2], now, ARGV[3])
if window > 0 then
  redis.call('PEXPIRE', KEYS[2], window)
else
  redis.call('PERSIST', KEYS[2])
end
-- The subject names its purses: export and erase find them without a walk through the whole store.
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'g:' .. ARGV[4], '')
changed()
return {'taken', count - used - 1}
