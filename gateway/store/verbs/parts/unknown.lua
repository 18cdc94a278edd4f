-- Of which checkout it is not known whether it was paid stands on the subject as `uc`, so that nobody is asked for the
-- money again. Of several it is one; the next is named when that one is known.
local function another_unknown(index, but)
  for _, id in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    if id ~= but and redis.call('HGET', KEYS[1] .. ':checkout:' .. id, 'status') == 'unknown' then
      return id
    end
  end
end

local function name_unknown(id)
  if id then
    redis.call('HSET', KEYS[1], 'uc', id)
  else
    redis.call('HDEL', KEYS[1], 'uc')
  end
end
