-- Promises: undoes take_grace of the same operation, exactly once.
-- KEYS: subject, grace purse
-- ARGV: operation
-- Answers: given-back | not-taken
if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then
  return 'not-taken'
end
return 'given-back'
