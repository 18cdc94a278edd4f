-- Promises: only who has a signed payment, and only one of which nothing came, may forget it.
-- KEYS: attempt
-- ARGV: now, holder
-- Answers: dropped | kept
local state, holder = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder'))
if holder ~= ARGV[2] or (state ~= 'verifying' and state ~= 'settling') then
  return 'kept'
end
redis.call('UNLINK', KEYS[1])
return 'dropped'
