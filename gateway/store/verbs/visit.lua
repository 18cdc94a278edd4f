-- Promises: the subject's whole state at one instant. Begins its trial if asked to and none has ever begun: of any
-- number of first visits exactly one does. With an operation it also takes a grace result, where that is all the subject
-- may have; whoever asks decides by the state whether it is, and gives back what was taken without need. Without one it
-- removes nothing, so that an operator may look at another day. With a retention it also says when the subject is
-- forgotten, see parts/retention.lua.
-- KEYS: subject, grace purse, hold index, void operations
-- ARGV: now, subject id, trial length (-1: don't begin), trial start (0: now), grace window (0: for ever, -1: not asked),
--       and with an operation (else empty): operation, scope, count, 1 if credits count; and with a retention: how long
--       the subject is kept, and how long that it had a trial (0: for ever)
-- Answers: the state, see parts/state.lua, 1 if this visit began the trial, 1 if it took a grace result. What it took is
--          not among those used
--@include begin_writing
--@include clock
--@include changed
--@include void
--@include grace
--@include holds
--@include state
--@include retention
local length, window = tonumber(ARGV[3]), tonumber(ARGV[5])
local kept, trial_kept = tonumber(ARGV[10] or '0'), tonumber(ARGV[11] or '0')
local used = 0
if window > 0 then
  used = redis.call('ZCOUNT', KEYS[2], '(' .. (now - window), '+inf')
elseif window == 0 then
  used = redis.call('ZCARD', KEYS[2])
end
local answer = state(used, KEYS[3])
local begins = length >= 0 and redis.call('HEXISTS', KEYS[1], 'ts') == 0
if begins then
  local start = tonumber(ARGV[4])
  if start == 0 then
    start = now
  end
  answer[1], answer[2] = start, start + length
  if had_trial() then
    answer[1], answer[2] = 1, 1  -- it was here, and was forgotten: NO_TRIAL in gateway/ports/state.py
  end
end
local going, lives = look_at_retention(kept, begins, answer[10] > 0)
local operation, outcome = ARGV[6], 'exhausted'
if operation and operation ~= '' then
  local trial = answer[1] == 0 or answer[2] > now
  local entitled = answer[3] > now or (ARGV[9] == '1' and answer[4] > 0)
  local has_window = answer[5] > now and answer[6] > 0
  if not (trial or entitled or has_window or answer[7] > 0) then
    outcome = ask_for_grace(KEYS[2], KEYS[4], operation, tonumber(ARGV[8]), window)
  end
end

if begins then
  local start, ends = string.format('%.0f', answer[1]), string.format('%.0f', answer[2])
  redis.call('HSET', KEYS[1], 'id', ARGV[2], 'ts', start, 'te', ends)
  changed()
end
if outcome == 'taken' then
  begin_writing()
  take_grace(KEYS[2], ARGV[2], operation, ARGV[7], window)
elseif outcome == 'replayed' then
  answer[9] = answer[9] - 1
end
if going and answer[1] > 0 then
  goes_after(going, kept, answer[2], trial_kept)
elseif lives and lives > 0 and outcome == 'taken' then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', lives))
  if window == 0 then
    redis.call('PEXPIRE', KEYS[2], string.format('%.0f', lives))
  end
end
answer[13], answer[14] = begins and 1 or 0, outcome == 'exhausted' and 0 or 1
return answer
