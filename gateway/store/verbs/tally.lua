-- Promises: so many more results count for the subject, if it is known: whoever was forgotten or erased stays so.
-- KEYS: subject
-- ARGV: how many
-- Answers: 1, or 0 where it is not known
if redis.call('HEXISTS', KEYS[1], 'ts') == 0 then
  return 0
end
redis.call('HINCRBY', KEYS[1], 'rn', ARGV[1])
return 1
