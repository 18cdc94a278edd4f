-- Promises: each event of a writer stands in the stream once and in its order, however often and however late it is sent.
-- One with a mark stands there once, whichever writers send it, as long as the mark is remembered.
-- KEYS: stream, place of this writer's last event in the stream, the mark of each event that has one, in their order
-- ARGV: writer, about how many events the stream keeps, ms a silent writer or a mark is remembered, place of the first event, then of each event: name, or name and mark with a space in between; version, body
-- Answers: how many were not sent yet
local before, count = tonumber(ARGV[4]) - 1, (#ARGV - 4) / 3
local known = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') - before, 0)
local marks, is_marked, last_key = {}, {}, 2
for number = 1, count do
  if string.find(ARGV[2 + 3 * number], ' ', 1, true) then
    last_key = last_key + 1
    marks[number] = KEYS[last_key]
    is_marked[KEYS[last_key]] = redis.call('GET', KEYS[last_key]) ~= false
  end
end

for number = known + 1, count do
  local field, mark = 2 + 3 * number, marks[number]
  if not (mark and is_marked[mark]) then
    local name = string.match(ARGV[field], '^[^ ]*')
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'id', ARGV[1] .. '-' .. string.format('%.0f', before + number),
      'name', name, 'version', ARGV[field + 1], 'body', ARGV[field + 2])
    if mark then
      is_marked[mark] = true
      redis.call('SET', mark, '1', 'PX', ARGV[3])
    end
  end
end
if known >= count then
  return 0
end
redis.call('SET', KEYS[2], string.format('%.0f', before + count), 'PX', ARGV[3])
return count - known
