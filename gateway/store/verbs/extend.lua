-- Promises: the trial ends this much later than it would have, or than now when it is over; once per operation, for ever.
-- KEYS: subject, hold index, ledger, paid marks
-- ARGV: now, subject id, operation, by
-- Answers: the state, see parts/state.lua
--@include clock
--@include changed
--@include holds
--@include state
--@include ledger
redis.call('HSET', KEYS[1], 'id', ARGV[2])
if redis.call('HSETNX', KEYS[4], 'x:' .. ARGV[3], now) == 1 then
  redis.call('HSETNX', KEYS[1], 'ts', now)
  local by = tonumber(ARGV[4])
  local ends = math.max(now, tonumber(redis.call('HGET', KEYS[1], 'te') or '0')) + by
  redis.call('HSET', KEYS[1], 'te', string.format('%.0f', ends))
  enter(KEYS[3], {kind = 'extension', operation = ARGV[3], by_ms = by, trial_ends = ends})
  changed()
end
return state(0, KEYS[2])
