-- Promises: the subject's whole state at one instant. Begins its trial if asked to and none has ever begun: of any
-- number of first visits exactly one does. With an operation it also takes a grace result, where that is all the subject
-- may have; whoever asks decides by the state whether it is, and gives back what was taken without need. Without one it
-- removes nothing, so that an operator may look at another day.
-- KEYS: subject, grace purse, hold index, void operations
-- ARGV: now, subject id, trial length (-1: don't begin), trial start (0: now), grace window (0: for ever, -1: not asked),
--       and with an operation: operation, scope, count, 1 if credits count
-- Answers: the state, see parts/state.lua, 1 if this visit began the trial, 1 if it took a grace result. What it took is
--          not among those used
--@include clock
--@include changed
--@include void
--@include grace
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
answer[13], answer[14] = begun, 0
local operation = ARGV[6]
if operation then
  local trial = answer[1] == 0 or answer[2] > now
  local entitled = answer[3] > now or (ARGV[9] == '1' and answer[4] > 0)
  local has_window = answer[5] > now and answer[6] > 0
  if not (trial or entitled or has_window or answer[7] > 0) then
    local outcome = take_grace(KEYS[2], KEYS[4], ARGV[2], operation, ARGV[7], tonumber(ARGV[8]), window)
    if outcome ~= 'exhausted' then
      answer[14] = 1
    end
    if outcome == 'replayed' then
      answer[9] = answer[9] - 1
    end
  end
end
return answer
