-- Promises: only who has a signed payment may ask for its settlement, and what it is for is known before. From here on it
-- is never forgotten until it is known what came of it.
-- KEYS: attempt
-- ARGV: now, holder, lease, then names and values of what it is for
-- Answers: settling | lost
--@include begin_writing
--@include clock
local state, holder = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder'))
if holder ~= ARGV[2] or (state ~= 'verifying' and state ~= 'settling') then
  return 'lost'
end
begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'state', 'settling', 'ends', string.format('%.0f', now + ARGV[3]), unpack(ARGV, 4))
return 'settling'
