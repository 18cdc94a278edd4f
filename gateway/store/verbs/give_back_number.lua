-- Promises: undoes take_number of the same operation, exactly once. One that was not taken never will be.
-- KEYS: subject, spent operations, void operations
-- ARGV: now, purse (credit | window), operation
-- Answers: given-back | not-taken
--@include begin_writing
--@include clock
--@include changed
--@include void
local operation = ARGV[2] .. ':' .. ARGV[3]
local is_taken = redis.call('ZSCORE', KEYS[2], operation)
begin_writing()
if not is_taken then
  make_void(KEYS[3], operation)
  return 'not-taken'
end
redis.call('HINCRBY', KEYS[1], ARGV[2] == 'credit' and 'cr' or 'wl', 1)
redis.call('ZREM', KEYS[2], operation)
changed()
return 'given-back'
