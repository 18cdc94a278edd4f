-- Promises: the schema of the newest gateway that ever worked here is known, and no gateway works here that is older than
-- the oldest that still may.
-- KEYS: schema
-- ARGV: the gateway's schema
-- Answers: agreed | too-new, and the newest schema
local newest, oldest = unpack(redis.call('HMGET', KEYS[1], 'newest', 'oldest'))
local ours = tonumber(ARGV[1])
newest = math.max(tonumber(newest or '0'), ours)
if ours < tonumber(oldest or '1') then
  return {'too-new', newest}
end
redis.call('HSET', KEYS[1], 'newest', newest)
return {'agreed', newest}
