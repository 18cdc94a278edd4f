-- One of `count` results of a purse within the window (0: for ever): never more, whoever asks at the same time, and one
-- for one operation however often it is repeated. The purse holds the operations themselves, so nothing can drift.
-- Asking writes nothing. Answers: taken | replayed | exhausted, and how many are left
local function ask_for_grace(purse, void, operation, count, window)
  local used
  if window > 0 then
    used = redis.call('ZCOUNT', purse, '(' .. (now - window), '+inf')
  else
    used = redis.call('ZCARD', purse)
  end
  local taken_at = redis.call('ZSCORE', purse, operation)
  if taken_at and (window == 0 or tonumber(taken_at) > now - window) then
    return 'replayed', math.max(count - used, 0)
  end
  if used >= count or is_void(void, operation) then
    return 'exhausted', 0
  end
  return 'taken', count - used - 1
end

-- Takes what was asked for. It tells nobody of the change: what other processes remember of a subject holds no right by
-- number.
local function take_grace(purse, id, operation, scope, window)
  redis.call('ZADD', purse, now, operation)
  if window > 0 then
    redis.call('ZREMRANGEBYSCORE', purse, '-inf', now - window)
    redis.call('PEXPIRE', purse, window)
  else
    redis.call('PERSIST', purse)
  end
  -- The subject names its purses: export and erase find them without a walk through the whole store.
  redis.call('HSET', KEYS[1], 'id', id, 'g:' .. scope, '')
end
