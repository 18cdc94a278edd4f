-- Promises: one checkout for one id; none for an offer that has been paid, none for an offer made before the last
-- payment. What is about to be paid for does not expire under the hand: the hold is kept for `hold kept` at least.
-- KEYS: subject, marks, checkout, checkout index, hold index, ledger
-- ARGV: now, subject id, checkout id, offer, hold, settled, kept, hold kept, then names and values of the checkout's fields
-- Answers: opened | reopened | already-paid | outdated; the fields of the checkout that stands, or else the ledger's entry
-- for the one that was paid (both may be empty)
--@include clock
--@include holds
--@include ledger
local record = redis.call('HGETALL', KEYS[3])
local first, paid = entry_under(KEYS[6], KEYS[2], mark('offer', ARGV[4]))
if first then
  first, paid = entry_under(KEYS[6], KEYS[2], mark('checkout', first.checkout))  -- it may have been paid again since
end
local _, paid_itself = entry_under(KEYS[6], KEYS[2], mark('checkout', ARGV[3]))
local outcome = (#record > 0 or paid_itself) and 'reopened' or 'opened'
if paid then
  outcome, record = 'already-paid', {}
elseif ARGV[6] ~= (redis.call('HGET', KEYS[1], 'st') or '0') then
  outcome = 'outdated'
end
local index_left = redis.call('PTTL', KEYS[4])  -- another checkout may be waited for longer
local hold = ARGV[5] ~= '' and look_at_hold(KEYS[5], ARGV[5])

-- A repeat writes too, so that waiting for the disk afterwards waits for the first one's writes.
redis.call('HSET', KEYS[1], 'id', ARGV[2])
redis.call('PERSIST', KEYS[1])
if outcome == 'already-paid' or outcome == 'outdated' then
  return {outcome, record, paid or paid_itself or ''}
end
if outcome == 'opened' then
  record = {unpack(ARGV, 9)}
  for place = 1, #record, 2 do
    if record[place] == 'created' and record[place + 1] == '0' then
      record[place + 1] = string.format('%.0f', now)
    end
  end
  redis.call('HSET', KEYS[3], unpack(record))
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
  redis.call('ZADD', KEYS[4], now + ARGV[7], ARGV[3])
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
  redis.call('PEXPIRE', KEYS[4], math.max(index_left, tonumber(ARGV[7])))
end
if hold and hold.expires > 0 and not hold.paid and hold.expires < now + ARGV[8] then
  hold_ends(KEYS[5], hold, now + ARGV[8], false)
end
return {outcome, record, paid_itself or ''}
