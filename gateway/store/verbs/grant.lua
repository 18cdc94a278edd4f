-- Promises: gives a period or a number of results once per operation, for ever, and enters it on the ledger.
-- KEYS: subject, hold index, ledger, marks
-- ARGV: now, subject id, operation, period, results
-- Answers: the state, see parts/state.lua
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include state
--@include ledger
local period, results = tonumber(ARGV[4]), tonumber(ARGV[5])
local answer = state(0, KEYS[2])
local name = mark('grant', ARGV[3])
-- A period by itself runs beside a subscription: in which order the two came says nothing.
local entitled = tonumber(redis.call('HGET', KEYS[1], 'eu') or '0')
local is_new = redis.call('HEXISTS', KEYS[4], name) == 0
begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])
if is_new then
  local entry = {kind = 'grant', operation = ARGV[3], period_ms = period, results = results}
  if period > 0 then
    entry.entitled_until = math.max(now, entitled) + period
    redis.call('HSET', KEYS[1], 'eu', string.format('%.0f', entry.entitled_until))
    answer[3] = math.max(answer[3], entry.entitled_until)
  end
  if results > 0 then
    answer[4] = answer[4] + results
    redis.call('HINCRBY', KEYS[1], 'cr', results)
  end
  enter(KEYS[3], entry, KEYS[4], {name})
  changed()
end
return answer
