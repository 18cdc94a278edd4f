-- Promises: of everybody who brings the same signed payment at a time one alone has it, for as long as the lease runs. One
-- that is settled, failed or in doubt is never claimed again; where a settlement was asked for and its lease ran out,
-- nobody knows what came of it. What was brought before with another digest is told nothing of it.
-- KEYS: attempt
-- ARGV: now, holder, digest, lease, how long a claim that is let lie is remembered
-- Answers: claimed | busy | settled | failed | unknown | another's; then names and values of the attempt's fields
--@include begin_writing
--@include clock
local state, holder, digest, ends = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder', 'digest', 'ends'))
local runs = tonumber(ends or '0') > now
if state == 'verifying' and runs and holder ~= ARGV[2] then
  return {'busy', {}}
end
if state and state ~= 'verifying' then
  if digest ~= ARGV[3] then
    return {"another's", {}}
  end
  local fields = redis.call('HGETALL', KEYS[1])
  if state == 'settling' and not runs then
    begin_writing()
    redis.call('HSET', KEYS[1], 'state', 'unknown')
    state = 'unknown'
  end
  return {state == 'settling' and 'busy' or state, fields}
end
begin_writing()
redis.call('HSET', KEYS[1], 'state', 'verifying', 'holder', ARGV[2], 'digest', ARGV[3],
  'ends', string.format('%.0f', now + ARGV[4]))
redis.call('PEXPIRE', KEYS[1], ARGV[4] + ARGV[5])
return {'claimed', {}}
