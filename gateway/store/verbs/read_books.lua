-- Promises: what is counted of a subject and what its ledger says, of one instant. Changes nothing.
-- KEYS: subject, marks, ledger, parcel
-- ARGV: now
-- Answers: the subject's fields; the marks; the ledger's entries; 1 if there is a parcel; the instant
--@include clock
return {
  redis.call('HGETALL', KEYS[1]),
  redis.call('HGETALL', KEYS[2]),
  redis.call('LRANGE', KEYS[3], 0, -1),
  redis.call('EXISTS', KEYS[4]),
  now,
}
