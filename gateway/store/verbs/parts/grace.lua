-- Takes one of `count` results of a purse within the window (0: for ever): never more, whoever asks at the same time, and
-- one for one operation however often it is repeated. The purse holds the operations themselves, so nothing can drift.
-- It tells nobody of the change: what other processes remember of a subject holds no right by number.
-- Answers: taken | replayed | exhausted, and how many are left
local function take_grace(purse, void, id, operation, scope, count, window)
  if window > 0 then
    redis.call('ZREMRANGEBYSCORE', purse, '-inf', now - window)
  end
  local used = redis.call('ZCARD', purse)
  if redis.call('ZSCORE', purse, operation) then
    return 'replayed', math.max(count - used, 0)
  end
  if used >= count or is_void(void, operation) then
    return 'exhausted', 0
  end
  redis.call('ZADD', purse, now, operation)
  if window > 0 then
    redis.call('PEXPIRE', purse, window)
  else
    redis.call('PERSIST', purse)
  end
  -- The subject names its purses: export and erase find them without a walk through the whole store.
  redis.call('HSET', KEYS[1], 'id', id, 'g:' .. scope, '')
  return 'taken', count - used - 1
end
