-- Promises: forgets a hold, committed or not, with its chunks and its reservation. A paid one stays, unless it moved.
-- KEYS: subject, hold index, reservations, hold
-- ARGV: hold id, 1 if it goes paid or not, since another subject has it
-- Answers: discarded | paid
--@include changed
--@include holds
local hold = look_at_hold(KEYS[2], ARGV[1])
if hold.paid and ARGV[2] ~= '1' then
  return 'paid'
end
drop_hold(KEYS[2], KEYS[3], hold)
changed()
return 'discarded'
