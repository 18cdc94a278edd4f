-- Promises: unpaid holds and reservations together never outnumber `max_count`; the reservation of a result that never
-- came is forgotten after `reserved for`.
-- KEYS: subject, hold index, reservations, hold
-- ARGV: now, hold id, max_count, max_total, reserved for
-- Answers: reserved | limit-reached
--@include clock
--@include holds
-- One that is forgotten may still stand there, and no longer counts as room that is taken.
local reserved_at = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[2]) or '0')
if reserved_at > now - ARGV[5] or redis.call('EXISTS', KEYS[4]) == 1 then
  return 'reserved'
end
local count, bytes = held(KEYS[2])
local reserved = redis.call('ZCOUNT', KEYS[3], '(' .. (now - ARGV[5]), '+inf')
if count + reserved >= tonumber(ARGV[3]) or bytes >= tonumber(ARGV[4]) then
  return 'limit-reached'
end
redis.call('ZADD', KEYS[3], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return 'reserved'
