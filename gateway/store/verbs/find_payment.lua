-- Promises: what was entered of a payment that was credited, or found nothing to pay for. However long the ledger is, no
-- more of it is read. Changes nothing.
-- KEYS: marks, ledger
-- ARGV: provider, event, payment
-- Answers: the entry, empty where there is none
--@include ledger
local _, entry
if ARGV[3] ~= '' then
  _, entry = entry_under(KEYS[2], KEYS[1], mark('payment', ARGV[1] .. ':' .. ARGV[3]))
end
if not entry and ARGV[2] ~= '' then
  _, entry = entry_under(KEYS[2], KEYS[1], mark('event', ARGV[1] .. ':' .. ARGV[2]))
end
return entry or ''
