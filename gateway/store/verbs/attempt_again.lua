-- Promises: of a signed payment in doubt, or whose settlement was let lie, one alone asks again, and not before the pause
-- since the last one is over.
-- KEYS: attempt
-- ARGV: now, holder, lease, pause
-- Answers: settling | lost
--@include begin_writing
--@include clock
local state, holder, ends, pause = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder', 'ends', 'pause'))
local is_repeat = state == 'settling' and holder == ARGV[2]
local in_doubt = state == 'unknown' or (state == 'settling' and tonumber(ends or '0') <= now)
if not is_repeat and (not in_doubt or tonumber(pause or '0') > now) then
  return 'lost'
end
begin_writing()
redis.call('HSET', KEYS[1], 'state', 'settling', 'holder', ARGV[2], 'ends', string.format('%.0f', now + ARGV[3]),
  'pause', string.format('%.0f', now + ARGV[4]))
return 'settling'
