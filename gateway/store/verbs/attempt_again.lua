-- Promises: of a signed payment in doubt one alone asks again, and not before the pause since the last one is over.
-- KEYS: attempt
-- ARGV: now, holder, lease, pause
-- Answers: settling | lost
--@include begin_writing
--@include clock
local state, holder, pause = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder', 'pause'))
local is_repeat = state == 'settling' and holder == ARGV[2]
if not is_repeat and (state ~= 'unknown' or tonumber(pause or '0') > now) then
  return 'lost'
end
begin_writing()
redis.call('HSET', KEYS[1], 'state', 'settling', 'holder', ARGV[2], 'ends', string.format('%.0f', now + ARGV[3]),
  'pause', string.format('%.0f', now + ARGV[4]))
return 'settling'
