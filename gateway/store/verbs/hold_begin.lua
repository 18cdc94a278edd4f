-- Promises: unpaid holds and reservations together never outnumber `max_count`, nor are they more than `max_total` bytes;
-- asked again for more bytes, a reservation grows, or stays as it is where there is no room for them. The reservation of
-- a result that never came is forgotten after `reserved for`.
-- KEYS: subject, hold index, reservations, hold
-- ARGV: now, hold id, max_count, max_total, reserved for, bytes that are known to come (0: none yet)
-- Answers: reserved | limit-reached
--@include clock
--@include holds
if redis.call('EXISTS', KEYS[4]) == 1 then
  return 'reserved'
end
local room = KEYS[4] .. ':room'
local size, is_mine, mine = tonumber(ARGV[6]), false, tonumber(redis.call('GET', room) or '0')
local count, bytes = held(KEYS[2])
-- One that is forgotten may still stand there, and no longer counts as room that is taken.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. (now - ARGV[5]), '+inf')) do
  if id == ARGV[2] then
    is_mine = true
  else
    count, bytes = count + 1, bytes + tonumber(redis.call('GET', KEYS[1] .. ':hold:' .. id .. ':room') or '0')
  end
end
if is_mine and size <= mine then
  return 'reserved'
end
if count >= tonumber(ARGV[3]) or bytes + math.max(size, 1) > tonumber(ARGV[4]) then
  return 'limit-reached'
end
redis.call('SET', room, ARGV[6], 'PX', ARGV[5])
if not is_mine then
  redis.call('ZADD', KEYS[3], now, ARGV[2])
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - ARGV[5])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return 'reserved'
