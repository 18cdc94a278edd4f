-- Promises: the trial is over now; one that was over before keeps its date.
-- KEYS: subject, hold index
-- ARGV: now, subject id
-- Answers: the state, see parts/state.lua
--@include clock
--@include changed
--@include holds
--@include state
local answer = state(0, KEYS[2])
if answer[1] == 0 then
  answer[1] = now
end
if answer[2] == 0 or answer[2] > now then
  answer[2] = now
end
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'ts', string.format('%.0f', answer[1]), 'te', string.format('%.0f', answer[2]))
changed()
return answer
