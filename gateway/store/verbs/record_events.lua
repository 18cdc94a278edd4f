-- Promises: a batch of events stands in the stream once and in its order, however often it is sent.
-- KEYS: stream, batches that are in it
-- ARGV: now, batch, about how many events the stream keeps, how many batches are remembered, then of each event: id, name, version, body
-- Answers: recorded | replayed
--@include clock
if redis.call('ZSCORE', KEYS[2], ARGV[2]) then
  return 'replayed'
end
for place = 5, #ARGV, 4 do
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*',
    'id', ARGV[place], 'name', ARGV[place + 1], 'version', ARGV[place + 2], 'body', ARGV[place + 3])
end
redis.call('ZADD', KEYS[2], now, ARGV[2])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[4]))
return 'recorded'
