-- Promises: an unpaid checkout has this status from now on; one that was paid keeps its own. While one is unknown, the
-- subject says which, so that nobody is asked for the money again.
-- KEYS: subject, checkout, marks, ledger, checkout index
-- ARGV: checkout id, status (open | failed | unknown)
-- Answers: the status it has then; empty where there is no such checkout
--@include begin_writing
--@include changed
--@include ledger
--@include unknown
local paid = entry_under(KEYS[4], KEYS[3], mark('checkout', ARGV[1]))
local status = redis.call('HGET', KEYS[2], 'status')
local unknown = redis.call('HGET', KEYS[1], 'uc')
local next_unknown = unknown == ARGV[1] and another_unknown(KEYS[5], ARGV[1])
if paid then
  return paid.kind == 'payment' and 'paid' or paid.kind
elseif not status then
  return ''
end
begin_writing()
if status ~= 'mismatch' or ARGV[2] == 'failed' then
  status = ARGV[2]
end
redis.call('HSET', KEYS[2], 'status', status)
if status == 'unknown' then
  name_unknown(ARGV[1])
  changed()
elseif unknown == ARGV[1] then
  name_unknown(next_unknown)
  changed()
end
return status
