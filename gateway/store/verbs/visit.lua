-- Promises: the subject's whole state at one instant. Begins its trial if asked to and none has ever begun: of any
-- number of first visits exactly one does. Removes nothing, so that an operator may look at another day.
-- KEYS: subject, grace purse, hold index
-- ARGV: now, subject id, trial length (-1: don't begin), trial start (0: now), grace window (0: for ever, -1: not asked)
-- Answers: the state, see parts/state.lua, and 1 if this visit began the trial
--@include clock
--@include changed
--@include holds
--@include state
local length, window, begun = tonumber(ARGV[3]), tonumber(ARGV[5]), 0
if length >= 0 and redis.call('HEXISTS', KEYS[1], 'ts') == 0 then
  local start = tonumber(ARGV[4])
  if start == 0 then
    start = now
  end
  redis.call('HSET', KEYS[1], 'id', ARGV[2], 'ts', string.format('%.0f', start), 'te', string.format('%.0f', start + length))
  begun = 1
  changed()
end
local used = 0
if window > 0 then
  used = redis.call('ZCOUNT', KEYS[2], '(' .. (now - window), '+inf')
elseif window == 0 then
  used = redis.call('ZCARD', KEYS[2])
end
local answer = state(used, KEYS[3])
answer[13] = begun
return answer
