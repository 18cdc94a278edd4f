-- Promises: a hold that was another subject's is this one's, as it was: paid or not, until it expires; whole or not at all.
-- It counts for the limits from then on, but none keeps it out.
-- KEYS: subject, hold index, hold, chunks in the store...
-- ARGV: now, hold id, expires, paid (1), size, released, then names and values of the hold's fields
-- Answers: adopted | incomplete
--@include clock
--@include changed
--@include holds
if redis.call('EXISTS', KEYS[3]) == 1 then
  return 'adopted'
end
local hold = look_at_hold(KEYS[2], ARGV[2])
if hold.chunks < #KEYS - 3 then
  return 'incomplete'
end
hold.size, hold.released = ARGV[5], tonumber(ARGV[6])
redis.call('HSET', KEYS[3], unpack(ARGV, 7))
hold_ends(KEYS[2], hold, tonumber(ARGV[3]), ARGV[4] == '1')
changed()
return 'adopted'
