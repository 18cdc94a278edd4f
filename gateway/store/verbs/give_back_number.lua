-- Promises: undoes take_number of the same operation, exactly once. Nothing is taken under it any more, whether it was or
-- not: a copy of the taking may still be on its way.
-- KEYS: subject, spent operations, void operations, ledger
-- ARGV: now, purse (credit | window), operation
-- Answers: given-back | not-taken
--@include begin_writing
--@include clock
--@include changed
--@include void
--@include ledger
local is_credit = ARGV[2] == 'credit'
local operation = ARGV[2] .. ':' .. ARGV[3]
local is_taken = redis.call('ZSCORE', KEYS[2], operation)
begin_passing_write()
make_void(KEYS[3], operation)
if not is_taken then
  return 'not-taken'
end
redis.call('HINCRBY', KEYS[1], is_credit and 'cr' or 'wl', 1)
redis.call('ZREM', KEYS[2], operation)
if is_credit then
  enter(KEYS[4], {kind = 'return', operation = ARGV[3]})
end
changed()
return 'given-back'
