-- Promises: the trial is over now; one that was over before keeps its date.
-- KEYS: subject, hold index
-- ARGV: now, subject id
-- Answers: the state, see parts/state.lua
--@include clock
--@include changed
--@include holds
--@include state
redis.call('HSET', KEYS[1], 'id', ARGV[2])
redis.call('HSETNX', KEYS[1], 'ts', now)
local ends = tonumber(redis.call('HGET', KEYS[1], 'te') or '0')
if ends == 0 or ends > now then
  redis.call('HSET', KEYS[1], 'te', now)
end
changed()
return state(0, KEYS[2])
