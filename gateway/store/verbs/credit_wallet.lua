-- Promises: money is put into the wallet once per operation, for ever, and entered on the ledger.
-- KEYS: subject, ledger, marks
-- ARGV: now, subject id, operation, amount, currency, why
-- Answers: what is in the wallet then
--@include begin_writing
--@include clock
--@include changed
--@include ledger
--@include wallet
local name = mark('credit', ARGV[3])
local is_new = redis.call('HEXISTS', KEYS[3], name) == 0
local balance = in_wallet(ARGV[5])
begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])
if is_new then
  put_into_wallet(ARGV[5], balance, tonumber(ARGV[4]))
  balance = balance + tonumber(ARGV[4])
  enter(KEYS[2], {
    kind = 'credit', operation = ARGV[3], amount = ARGV[4], currency = ARGV[5], why = ARGV[6] ~= '' and ARGV[6] or nil,
  }, KEYS[3], {name})
  changed()
end
return string.format('%.0f', balance)
