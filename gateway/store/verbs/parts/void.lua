-- Operations that were given back. Where a connection was given up, what had been sent over it may arrive after all, behind
-- what was sent over the next one: nothing is taken any more by such an operation, whether it had been taken or not.
-- Remembered far longer than a server goes on reading what was sent to it.
local VOID_MS = 600000
local function is_void(marks, operation)
  return redis.call('ZSCORE', marks, operation)
end
local function make_void(marks, operation)
  redis.call('ZREMRANGEBYSCORE', marks, '-inf', now - VOID_MS)
  redis.call('ZADD', marks, now, operation)
  redis.call('PEXPIRE', marks, VOID_MS)
end
