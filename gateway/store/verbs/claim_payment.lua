-- Promises: a payment belongs to the subject that claimed it first, for ever.
-- KEYS: the bucket that this payment falls in
-- ARGV: digest of the payment, subject key
-- Answers: the subject key it belongs to
--@include begin_writing
local owner = redis.call('HGET', KEYS[1], ARGV[1]) or ARGV[2]
begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], ARGV[1], owner)
return owner
