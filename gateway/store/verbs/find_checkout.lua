-- Promises: one checkout as it stands at one instant, open or paid. Changes nothing.
-- KEYS: checkout, marks, ledger
-- ARGV: checkout id
-- Answers: the fields of an open one, and the ledger's entry for one that was paid (both may be empty)
--@include ledger
local _, paid = entry_under(KEYS[3], KEYS[2], mark('checkout', ARGV[1]))
return {redis.call('HGETALL', KEYS[1]), paid or ''}
