-- Promises: a hold is visible whole or not at all: with every chunk, within `max_total` bytes of unpaid holds, until it
-- expires. What does not fit, or lost a chunk because it took longer than chunks are kept, is dropped; so is one with
-- chunks outside of the store whose reservation is gone, for then they may be gone, too.
-- KEYS: subject, hold index, reservations, hold, chunks in the store...
-- ARGV: now, subject id, hold id, max_total, expires, size, reserved for, chunks outside, then names and values of the
--   hold's fields
-- Answers: reserved | limit-reached
--@include clock
--@include changed
--@include holds
if redis.call('EXISTS', KEYS[4]) == 1 then
  return 'reserved'
end
local _, bytes = held(KEYS[2])
local hold = look_at_hold(KEYS[2], ARGV[3])
local reserved_at = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[3]) or '0')
local is_forgotten = tonumber(ARGV[8]) > 0 and reserved_at <= now - ARGV[7]
if is_forgotten or hold.chunks < #KEYS - 4 or bytes + tonumber(ARGV[6]) > tonumber(ARGV[4]) then
  drop_hold(KEYS[2], KEYS[3], hold)
  return 'limit-reached'
end
hold.size = ARGV[6]
redis.call('HSET', KEYS[1], 'id', ARGV[2])
redis.call('HSET', KEYS[4], unpack(ARGV, 9))
hold_ends(KEYS[2], hold, tonumber(ARGV[5]), false)
redis.call('ZREM', KEYS[3], ARGV[3])
redis.call('UNLINK', KEYS[4] .. ':room')
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
changed()
return 'reserved'
