-- Promises: gives a period or a number of results once per operation, for ever, and enters it on the ledger.
-- KEYS: subject, hold index, ledger, paid marks
-- ARGV: now, subject id, operation, period, results
-- Answers: the state, see parts/state.lua
--@include clock
--@include changed
--@include holds
--@include state
--@include ledger
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])
local period, results = tonumber(ARGV[4]), tonumber(ARGV[5])
if redis.call('HSETNX', KEYS[4], 'g:' .. ARGV[3], now) == 1 then
  if period > 0 then
    local entitled = math.max(now, tonumber(redis.call('HGET', KEYS[1], 'eu') or '0')) + period
    redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', entitled))
  end
  if results > 0 then
    redis.call('HINCRBY', KEYS[1], 'cr', results)
  end
  enter(KEYS[3], {kind = 'grant', operation = ARGV[3], period_ms = period, results = results})
  changed()
end
return state(0, KEYS[2])
