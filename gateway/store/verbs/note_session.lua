-- Promises: what the provider calls an open checkout is kept with it.
-- KEYS: checkout
-- ARGV: session
-- Answers: 1, or 0 where there is no such checkout
local is_open = redis.call('EXISTS', KEYS[1])
if is_open == 1 then
  redis.call('HSET', KEYS[1], 'session', ARGV[1])
end
return is_open
