-- A subject's holds are indexed by the instant they end, as '<size>:<h|p>:<id>'; p is one that was paid for, which
-- counts for no limit. The index can outlive what it names, never the other way round.
local function index_member(size, paid, id)
  return size .. ':' .. (paid and 'p' or 'h') .. ':' .. id
end

-- When a hold ends that was paid for and that nobody came for yet: never. It is the end of the year 9999, an instant
-- that can be shown and compared like any other; the keys have no lifetime.
local NEVER = 253402300799000

-- How many unpaid holds there are, and their bytes.
local function held(index)
  local count, bytes = 0, 0
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', index, '(' .. now, '+inf')) do
    local size, flag = string.match(member, '^(%d+):(%a):')
    if flag == 'h' then
      count, bytes = count + 1, bytes + tonumber(size)
    end
  end
  return count, bytes
end

-- A hold as far as changing it takes: its fields, and every key it has (same slot, chunks numbered without a gap; those
-- that are kept outside of the store come after them). All of it is read here, so that whatever may fail fails before
-- anything is written.
local function look_at_hold(index, id)
  local meta = KEYS[1] .. ':hold:' .. id
  local size, paid, released, expires = unpack(redis.call('HMGET', meta, 'size', 'paid', 'released', 'expires'))
  local chunks = 0
  while redis.call('EXISTS', meta .. ':' .. chunks) == 1 do
    chunks = chunks + 1
  end
  redis.call('EXISTS', meta .. ':room')
  -- The last two that the index names: one of them at least is another hold.
  local last, others_end = redis.call('ZRANGE', index, -2, -1, 'WITHSCORES'), 0
  for place = 1, #last, 2 do
    if string.match(last[place], '^%d+:%a:(.+)$') ~= id then
      others_end = math.max(others_end, tonumber(last[place + 1]))
    end
  end
  return {
    id = id, meta = meta, chunks = chunks, others_end = others_end,
    size = size, paid = paid == '1', released = tonumber(released or '0'), expires = tonumber(expires or '0'),
  }
end

-- Lets a key end at this instant.
local function key_ends(key, ends)
  if ends >= NEVER then
    redis.call('PERSIST', key)
  else
    redis.call('PEXPIRE', key, math.max(ends - now, 1))
  end
end

-- Lets a hold that was looked at and its chunks end at this instant; one that is paid for and was not given out does not
-- end at all.
local function hold_ends(index, hold, ends, paid)
  if paid and hold.released == 0 then
    ends = NEVER
  end
  redis.call('HSET', hold.meta, 'expires', string.format('%.0f', ends), 'paid', paid and '1' or '0')
  key_ends(hold.meta, ends)
  for number = 0, hold.chunks - 1 do
    key_ends(hold.meta .. ':' .. number, ends)
  end
  -- Added before the other is removed: an index that was empty in between would have lost its lifetime.
  redis.call('ZADD', index, ends, index_member(hold.size, paid, hold.id))
  if hold.paid ~= paid then
    redis.call('ZREM', index, index_member(hold.size, hold.paid, hold.id))
  end
  -- The index itself goes with its last hold.
  key_ends(index, math.max(ends, hold.others_end))
end

-- Removes a hold that was looked at, committed or not.
local function drop_hold(index, reserved, hold)
  if hold.size then
    redis.call('ZREM', index, index_member(hold.size, hold.paid, hold.id))
  end
  redis.call('ZREM', reserved, hold.id)
  redis.call('UNLINK', hold.meta, hold.meta .. ':room')
  for number = 0, hold.chunks - 1 do
    redis.call('UNLINK', hold.meta .. ':' .. number)
  end
end
