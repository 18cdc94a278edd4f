-- Promises: under one name (an address of mail, a network) no more than `count` subjects get a trial within the window. Who
-- got one is found again, so that asking may be repeated.
-- KEYS: the name's subjects, by instant
-- ARGV: now, subject key, count, window
-- Answers: granted | refused
--@include clock
local window = tonumber(ARGV[4])
local given = redis.call('ZSCORE', KEYS[1], ARGV[2])
if given and tonumber(given) > now - window then
  return 'granted'
end
if redis.call('ZCOUNT', KEYS[1], '(' .. (now - window), '+inf') >= tonumber(ARGV[3]) then
  return 'refused'
end
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - window)
redis.call('PEXPIRE', KEYS[1], window)
return 'granted'
