-- Promises: so many of what is due go to whoever asks, and to nobody else within `lease`.
-- KEYS: what is due by the instant
-- ARGV: now, lease, how many
-- Answers: the members
--@include begin_writing
--@include clock
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[3])
for _, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], member)
end
return due
