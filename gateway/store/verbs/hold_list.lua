-- Promises: the subject's committed holds, all of one instant; with a fingerprint only those of that request created
-- since `not before`. Removes nothing.
-- KEYS: subject, hold index
-- ARGV: now, fingerprint (empty: any), not before
-- Answers: a list of id and fields
--@include clock
local answer = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf')) do
  local id = string.match(member, '^%d+:%a:(.+)$')
  local meta = KEYS[1] .. ':hold:' .. id
  local fingerprint, created = unpack(redis.call('HMGET', meta, 'fingerprint', 'created'))
  if created and (ARGV[2] == '' or (ARGV[2] == fingerprint and tonumber(created) >= tonumber(ARGV[3]))) then
    answer[#answer + 1] = {id, redis.call('HGETALL', meta)}
  end
end
return answer
