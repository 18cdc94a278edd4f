-- Promises: the parcel with this number is gone, now that it was delivered; no later one goes with it.
-- KEYS: subject, parcel
-- ARGV: number
-- Answers: 1
local number = redis.call('HGET', KEYS[1], 'mn')
if number == ARGV[1] then
  redis.call('UNLINK', KEYS[2])
end
return 1
