-- Promises: undoes take_number of the same operation, exactly once. One that was not taken never will be.
-- KEYS: subject, spent operations, void operations
-- ARGV: now, purse (credit | window), operation
-- Answers: given-back | not-taken
--@include clock
--@include changed
--@include void
local operation = ARGV[2] .. ':' .. ARGV[3]
if redis.call('ZREM', KEYS[2], operation) == 0 then
  make_void(KEYS[3], operation)
  return 'not-taken'
end
redis.call('HINCRBY', KEYS[1], ARGV[2] == 'credit' and 'cr' or 'wl', 1)
changed()
return 'given-back'
