-- Promises: undoes take_grace of the same operation, exactly once. One that was not taken never will be.
-- KEYS: subject, grace purse, void operations
-- ARGV: now, operation
-- Answers: given-back | not-taken
--@include clock
--@include void
if redis.call('ZREM', KEYS[2], ARGV[2]) == 0 then
  make_void(KEYS[3], ARGV[2])
  return 'not-taken'
end
return 'given-back'
