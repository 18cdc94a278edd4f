-- Promises: what is counted of a subject and what its ledger says, of one instant. Changes nothing.
-- KEYS: subject, marks, ledger
-- ARGV: none
-- Answers: id, entitled until, credits, payments settled; the marks; the ledger's entries
return {
  redis.call('HMGET', KEYS[1], 'id', 'eu', 'cr', 'st'),
  redis.call('HGETALL', KEYS[2]),
  redis.call('LRANGE', KEYS[3], 0, -1),
}
