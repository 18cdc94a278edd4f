-- Promises: only who has a signed payment may forget it, and one whose settlement was about to be asked for only where
-- nobody can have heard the question.
-- KEYS: attempt
-- ARGV: now, holder, 1 if nobody can have heard the question
-- Answers: dropped | kept
local state, holder = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder'))
if holder ~= ARGV[2] or (state ~= 'verifying' and not (state == 'settling' and ARGV[3] == '1')) then
  return 'kept'
end
redis.call('UNLINK', KEYS[1])
return 'dropped'
