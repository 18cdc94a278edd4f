-- Promises: the trial ends this much later than it would have, or than now when it is over; once per operation, for ever.
-- KEYS: subject, hold index, ledger, marks
-- ARGV: now, subject id, operation, by
-- Answers: the state, see parts/state.lua
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include state
--@include ledger
local answer = state(0, KEYS[2])
local name = mark('extension', ARGV[3])
local is_new = redis.call('HEXISTS', KEYS[4], name) == 0
begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])
if is_new then
  local by = tonumber(ARGV[4])
  if answer[1] == 0 then
    answer[1] = now
  end
  answer[2] = math.max(now, answer[2]) + by
  redis.call('HSET', KEYS[1], 'ts', string.format('%.0f', answer[1]), 'te', string.format('%.0f', answer[2]))
  enter(KEYS[3], {kind = 'extension', operation = ARGV[3], by_ms = by, trial_ends = answer[2]}, KEYS[4], {name})
  changed()
end
return answer
