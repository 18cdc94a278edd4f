-- A subject's holds are indexed by the instant they end, as '<size>:<h|p>:<id>'; p is one that was paid for, which
-- counts for no limit. The index can outlive what it names, never the other way round.
local function index_member(size, paid, id)
  return size .. ':' .. (paid and 'p' or 'h') .. ':' .. id
end

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

-- A hold as far as changing it takes: its fields, and every key it has (same slot, chunks numbered without a gap). All of
-- it is read here, so that whatever may fail fails before anything is written.
local function look_at_hold(index, id)
  local meta = KEYS[1] .. ':hold:' .. id
  local size, paid, released, expires = unpack(redis.call('HMGET', meta, 'size', 'paid', 'released', 'expires'))
  local chunks = 0
  while redis.call('EXISTS', meta .. ':' .. chunks) == 1 do
    chunks = chunks + 1
  end
  return {
    id = id, meta = meta, chunks = chunks, index_lives = redis.call('PTTL', index),
    size = size, paid = paid == '1', released = tonumber(released or '0'), expires = tonumber(expires or '0'),
  }
end

-- Lets a hold that was looked at and its chunks end at this instant.
local function hold_ends(index, hold, ends, paid)
  local lifetime = math.max(ends - now, 1)
  redis.call('HSET', hold.meta, 'expires', string.format('%.0f', ends), 'paid', paid and '1' or '0')
  redis.call('PEXPIRE', hold.meta, lifetime)
  for number = 0, hold.chunks - 1 do
    redis.call('PEXPIRE', hold.meta .. ':' .. number, lifetime)
  end
  -- Added before the other is removed: an index that was empty in between would have lost its lifetime.
  redis.call('ZADD', index, ends, index_member(hold.size, paid, hold.id))
  if hold.paid ~= paid then
    redis.call('ZREM', index, index_member(hold.size, hold.paid, hold.id))
  end
  -- The index itself goes with its last hold. A fresh key has no lifetime yet: PTTL answered less than 0.
  if hold.index_lives < lifetime then
    redis.call('PEXPIRE', index, lifetime)
  end
end

-- Removes a hold that was looked at, committed or not.
local function drop_hold(index, reserved, hold)
  if hold.size then
    redis.call('ZREM', index, index_member(hold.size, hold.paid, hold.id))
  end
  redis.call('ZREM', reserved, hold.id)
  redis.call('UNLINK', hold.meta)
  for number = 0, hold.chunks - 1 do
    redis.call('UNLINK', hold.meta .. ':' .. number)
  end
end
