-- Promises: the trial ends this much later than it would have, or than now when it is over.
-- KEYS: subject, hold index, ledger
-- ARGV: now, subject id, by
-- Answers: the state, see parts/state.lua
--@include clock
--@include changed
--@include holds
--@include state
--@include ledger
redis.call('HSET', KEYS[1], 'id', ARGV[2])
redis.call('HSETNX', KEYS[1], 'ts', now)
local ends = math.max(now, tonumber(redis.call('HGET', KEYS[1], 'te') or '0')) + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'te', string.format('%.0f', ends))
enter(KEYS[3], {kind = 'extension', by_ms = tonumber(ARGV[3]), trial_ends = ends})
changed()
return state(0, KEYS[2])
