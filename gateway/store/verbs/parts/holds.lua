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

-- Lets a hold and its chunks (same slot, names computable from the hold's own count) end at this instant.
local function hold_ends(index, id, ends, paid)
  local meta = KEYS[1] .. ':hold:' .. id
  local size, chunks, was_paid = unpack(redis.call('HMGET', meta, 'size', 'chunks', 'paid'))
  local lifetime = math.max(ends - now, 1)
  redis.call('HSET', meta, 'expires', string.format('%.0f', ends), 'paid', paid and '1' or '0')
  redis.call('PEXPIRE', meta, lifetime)
  for number = 0, tonumber(chunks) - 1 do
    redis.call('PEXPIRE', meta .. ':' .. number, lifetime)
  end
  redis.call('ZREM', index, index_member(size, was_paid == '1', id))
  redis.call('ZADD', index, ends, index_member(size, paid, id))
  -- The index itself goes with its last hold. A fresh key has no lifetime yet: PTTL answers -1.
  if redis.call('PTTL', index) < lifetime then
    redis.call('PEXPIRE', index, lifetime)
  end
end

-- Removes a hold, committed or not; chunks are numbered without a gap.
local function drop_hold(index, reserved, id)
  local meta = KEYS[1] .. ':hold:' .. id
  local size, paid = unpack(redis.call('HMGET', meta, 'size', 'paid'))
  if size then
    redis.call('ZREM', index, index_member(size, paid == '1', id))
  end
  redis.call('ZREM', reserved, id)
  redis.call('UNLINK', meta)
  local number = 0
  while redis.call('UNLINK', meta .. ':' .. number) == 1 do
    number = number + 1
  end
end
