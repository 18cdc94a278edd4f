-- Promises: forgets a hold, committed or not, with its chunks and its reservation. A paid one stays.
-- KEYS: subject, hold index, reservations, hold
-- ARGV: hold id
-- Answers: discarded | paid
--@include changed
--@include holds
if redis.call('HGET', KEYS[4], 'paid') == '1' then
  return 'paid'
end
drop_hold(KEYS[2], KEYS[3], ARGV[1])
changed()
return 'discarded'
