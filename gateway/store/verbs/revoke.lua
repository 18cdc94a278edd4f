-- Promises: what a payment gave, and what came here with a merge, is taken back once for that payment, for ever.
-- KEYS: subject, marks, ledger, hold index, subscriptions
-- ARGV: now, provider, payment, the payment's entry, amount, currency, refund, key of whose ledger has the payment, how
--       long the hold is kept, 1 if it may lead on
-- Answers: revoked | replayed | given-to KEY
--@include begin_writing
--@include clock
--@include changed
--@include holds
--@include ledger
--@include subscriptions
--@include revoke
local name = mark('revoked', ARGV[2] .. ':' .. ARGV[3])
local is_known = redis.call('HEXISTS', KEYS[2], name) == 1
local into = ARGV[10] == '1' and redis.call('HGET', KEYS[1], 'mi')
if into and not is_known then
  return 'given-to ' .. into
end
local what = not is_known and look_at_gift(cjson.decode(ARGV[4]), false) or nil

begin_writing()
-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HINCRBY', KEYS[1], 'st', 0)
if is_known then
  return 'replayed'
end
local entry = {
  kind = 'revoked', provider = ARGV[2], payment = ARGV[3], amount = ARGV[5], currency = ARGV[6], refund = ARGV[7],
  from = ARGV[8],
}
revoke(what, entry)
enter(KEYS[3], entry, KEYS[2], {name})
changed()
return 'revoked'
