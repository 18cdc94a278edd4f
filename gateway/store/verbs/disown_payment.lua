-- Promises: a payment whose subject is erased is nobody's from now on, for ever: a late report of it credits nobody.
-- KEYS: the bucket that this payment falls in
-- ARGV: digest of the payment
-- Answers: 1
--@include begin_writing
begin_writing()
redis.call('HSET', KEYS[1], ARGV[1], 'erased')
return 1
