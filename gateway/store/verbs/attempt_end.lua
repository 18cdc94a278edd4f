-- Promises: that a signed payment was settled counts whoever says so, and is never taken back. That it failed, or is in
-- doubt, counts from who has it.
-- KEYS: attempt
-- ARGV: now, holder, settled | failed | unknown, transaction, reason, pause, how long it is remembered (0: for ever)
-- Answers: the state that stands; nothing where there is no such payment
--@include begin_writing
--@include clock
local state, holder = unpack(redis.call('HMGET', KEYS[1], 'state', 'holder'))
if not state then
  return false
end
begin_writing()
local counts = ARGV[3] == 'settled' or (holder == ARGV[2] and (state == 'settling' or state == 'unknown'))
if state ~= 'settled' and counts then
  state = ARGV[3]
  redis.call('HSET', KEYS[1], 'transaction', ARGV[4], 'reason', ARGV[5],
    'pause', string.format('%.0f', now + ARGV[6]))
  if state ~= 'unknown' then
    redis.call('HDEL', KEYS[1], 'request')
  end
end
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'state', state)
if ARGV[7] ~= '0' and (state == 'settled' or state == 'failed') then
  redis.call('PEXPIRE', KEYS[1], ARGV[7])
end
return state
