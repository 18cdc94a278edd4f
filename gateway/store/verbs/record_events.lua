-- Promises: each event of a writer stands in the stream once and in its order, however often and however late it is sent.
-- KEYS: stream, place of this writer's last event in the stream
-- ARGV: writer, about how many events the stream keeps, ms a silent writer is remembered, place of the first event, then of each event: name, version, body
-- Answers: how many were not in the stream yet
local before, count = tonumber(ARGV[4]) - 1, (#ARGV - 4) / 3
local known = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') - before, 0)
for number = known + 1, count do
  local field = 2 + 3 * number
  redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'id', ARGV[1] .. '-' .. string.format('%.0f', before + number),
    'name', ARGV[field], 'version', ARGV[field + 1], 'body', ARGV[field + 2])
end
if known >= count then
  return 0
end
redis.call('SET', KEYS[2], string.format('%.0f', before + count), 'PX', ARGV[3])
return count - known
