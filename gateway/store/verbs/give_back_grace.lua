-- Promises: undoes take_grace of the same operation, exactly once. Nothing is taken under it any more, whether it was or
-- not: a copy of the taking may still be on its way.
-- KEYS: subject, grace purse, void operations
-- ARGV: now, operation
-- Answers: given-back | not-taken
--@include begin_writing
--@include clock
--@include void
local is_taken = redis.call('ZSCORE', KEYS[2], ARGV[2])
begin_passing_write()
make_void(KEYS[3], ARGV[2])
if not is_taken then
  return 'not-taken'
end
redis.call('ZREM', KEYS[2], ARGV[2])
return 'given-back'
