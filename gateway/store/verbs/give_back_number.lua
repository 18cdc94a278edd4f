-- Promises: undoes take_number of the same operation, exactly once.
-- KEYS: subject, spent operations
-- ARGV: purse (credit | window), operation
-- Answers: given-back | not-taken
--@include changed
if redis.call('ZREM', KEYS[2], ARGV[1] .. ':' .. ARGV[2]) == 0 then
  return 'not-taken'
end
redis.call('HINCRBY', KEYS[1], ARGV[1] == 'credit' and 'cr' or 'wl', 1)
changed()
return 'given-back'
