-- Promises: undoes take_grace of the same operation, exactly once. One that was not taken never will be.
-- KEYS: subject, grace purse, void operations
-- ARGV: now, operation
-- Answers: given-back | not-taken
--@include begin_writing
--@include clock
--@include void
local is_taken = redis.call('ZSCORE', KEYS[2], ARGV[2])
begin_writing()
if not is_taken then
  make_void(KEYS[3], ARGV[2])
  return 'not-taken'
end
redis.call('ZREM', KEYS[2], ARGV[2])
return 'given-back'
